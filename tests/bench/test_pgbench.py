"""pgbench is found, kept from telling secrets, counted like everybody else, and quoted when it fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from worker.bench import pgbench
from worker.bench.load import Load
from worker.bench.pgbench import find_pgbench, run_pgbench, without_password
from worker.bench.processes import Meter
from worker.errors import Unavailable, UsageError

LOAD = Load(callers=1, seconds=0.5)


def nowhere() -> Path:
    raise UsageError("the embedded PostgreSQL is not available on this platform: set DATABASE_URL")


def test_pgbench_is_found_on_the_path_where_there_is_no_embedded_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "pgbench"
    program.touch(mode=0o755)
    monkeypatch.setattr(pgbench, "wheel_binaries", nowhere)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_pgbench() == program
    program.unlink()
    with pytest.raises(UsageError, match="pgbench was not found: install"):
        find_pgbench()


@pytest.mark.parametrize(
    ("url", "shown", "environment"),
    [
        ("postgresql://me:s%40fe@db:5432/books?sslmode=require", "me@db:5432", {"PGPASSWORD": "s@fe"}),
        ("postgresql://me@db/books", "me@db", {}),
        ("postgresql://postgres@/postgres?host=/run/pg", "postgres@/postgres", {}),
    ],
)
def test_the_list_of_processes_never_shows_a_password(url: str, shown: str, environment: dict[str, str]) -> None:
    address, found = without_password(url)
    assert address.startswith(f"postgresql://{shown}")
    assert "s%40fe" not in address
    assert found == environment


async def test_what_pgbench_says_when_it_fails_is_told(empty_database_url: str) -> None:
    with pytest.raises(Unavailable, match=r"pgbench failed: .*narrow_transactions"):
        await run_pgbench(find_pgbench(), empty_database_url, "bench/insert_narrow", LOAD, Meter(None))


FAKE = """#!{python}
import sys, time
(prefix,) = [option.partition("=")[2] for option in sys.argv if option.startswith("--log-prefix=")]
now = time.time_ns() // 1000
with open(prefix + ".1", "w") as log:
    for ended in range(now - {before}, now + {after}, 10_000):
        print(0, 1, 7_000, 0, ended // 1_000_000, ended % 1_000_000, file=log)
"""
"""Tells at once of a transaction every 10 ms, over a stretch around now in microseconds, each of which took 7 ms."""

MINUTE = 60_000_000


def fake_pgbench(directory: Path, before: int, after: int) -> Path:
    program = directory / "pgbench"
    program.write_text(FAKE.format(python=sys.executable, before=before, after=after))
    program.chmod(0o755)
    return program


async def test_only_what_ends_after_the_warm_up_and_within_the_time_is_counted(tmp_path: Path) -> None:
    program = fake_pgbench(tmp_path, before=MINUTE, after=MINUTE)
    told = await run_pgbench(program, "postgresql://", "bench/insert_narrow", LOAD, Meter(None))
    assert told.per_second == pytest.approx(100, abs=2)
    assert told.p50_ms == told.p99_ms == 7.0


async def test_a_time_in_which_nothing_ends_is_too_short(tmp_path: Path) -> None:
    program = fake_pgbench(tmp_path, before=MINUTE, after=0)
    with pytest.raises(UsageError, match=r"--seconds 0.5 is too short"):
        await run_pgbench(program, "postgresql://", "bench/insert_narrow", LOAD, Meter(None))
