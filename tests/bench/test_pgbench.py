"""pgbench is found, kept from telling secrets, and quoted when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.bench import pgbench
from worker.bench.load import Load
from worker.bench.pgbench import find_pgbench, run_pgbench, without_password
from worker.bench.processes import Meter
from worker.errors import Unavailable, UsageError

LOAD = Load(callers=1, seconds=1)


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
