"""PostgreSQL's own benchmark program, for what the raw database does."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from worker.bench.figures import MICROSECONDS, Figures, Window
from worker.bench.load import Load, outcome
from worker.bench.processes import Meter
from worker.database import query
from worker.errors import Unavailable, UsageError
from worker.postgres import wheel_binaries

WARM_UP_SECONDS: Final = 1.0
"""Not counted: its clients connect one after the other, and each plans its first transactions."""

LAST_WORDS: Final = 5
"""Lines of pgbench's complaint that are told: the server's error stands above pgbench's own."""

_LATENCY, _END_SECONDS, _END_MICROSECONDS = 2, 4, 5
"""Places in a line of pgbench's log, one for each transaction: how long it took, and the moment since 1970 it ended."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From one moment to another, in seconds since 1970, and the seconds of the server's processor time in between."""

    begun: float
    ended: float
    server_cpu: float | None


@dataclass(frozen=True, slots=True)
class _Ended:
    """A transaction that ended at a moment, in seconds since 1970, after so many seconds."""

    at: float
    latency: float


def find_pgbench() -> Path:
    """The program, beside the embedded server's or on the PATH; raises :class:`~worker.errors.UsageError`."""
    try:
        beside = wheel_binaries() / "pgbench"
    except UsageError:
        beside = None
    if beside and beside.exists():
        return beside
    if found := shutil.which("pgbench"):
        return Path(found)
    raise UsageError("pgbench was not found: install PostgreSQL's client programs and have pgbench on the PATH")


async def run_pgbench(program: Path, url: str, script: str, load: Load, meter: Meter) -> Figures:
    """Have as many clients as ``load`` has callers run the statements of ``sql/queries/{script}.sql``.

    Raises :class:`~worker.errors.Unavailable` with pgbench's last words when it fails, and
    :class:`~worker.errors.UsageError` when no transaction ended in time.
    """
    with tempfile.TemporaryDirectory(prefix="writeback-pgbench-") as name:
        directory = Path(name)
        (directory / "script.sql").write_text(query(script))
        client = meter.children()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_run(program, url, directory, load))
                watching = group.create_task(_watch(meter, load.seconds))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        return _figures(list(_log(directory)), watching.result(), load, meter.children() - client)


async def _watch(meter: Meter, seconds: float) -> _Stretch:
    await asyncio.sleep(WARM_UP_SECONDS)
    begun, before = time.time(), meter.server()
    await asyncio.sleep(seconds)
    ended, after = time.time(), meter.server()
    return _Stretch(begun, ended, None if before is None or after is None else after - before)


def _figures(log: list[_Ended], stretch: _Stretch, load: Load, client_cpu: float) -> Figures:
    """Figures of the stretch; pgbench's own processor time is known of its whole life, and shared out evenly."""
    counted = [one.latency for one in log if stretch.begun <= one.at < stretch.ended]
    share = client_cpu * len(counted) / max(len(log), 1)
    return outcome(counted, load, Window(stretch.ended - stretch.begun, stretch.server_cpu, share))


async def _run(program: Path, url: str, directory: Path, load: Load) -> None:
    longer = int(WARM_UP_SECONDS + load.seconds) + 1  # whole seconds, past the end of what is counted
    options = ["--no-vacuum", "--protocol=prepared", "--jobs=1", f"--client={load.callers}", f"--time={longer}"]
    files = [f"--file={directory / 'script.sql'}", "--log", f"--log-prefix={directory / 'log'}"]
    address, password = without_password(url)
    process = await asyncio.create_subprocess_exec(
        program,
        *options,
        *files,
        address,
        env={**os.environ, **password},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, words = await process.communicate()
    if process.returncode != 0:
        lines = words.decode(errors="replace").splitlines()
        raise Unavailable(f"pgbench failed: {' / '.join(lines[-LAST_WORDS:])}")


def _log(directory: Path) -> Iterator[_Ended]:
    for log in directory.glob("log.*"):
        for line in log.read_text().splitlines():
            fields = line.split()
            at = int(fields[_END_SECONDS]) + int(fields[_END_MICROSECONDS]) / MICROSECONDS
            yield _Ended(at, int(fields[_LATENCY]) / MICROSECONDS)


def without_password(url: str) -> tuple[str, dict[str, str]]:
    """The URL as the list of processes may show it, and the password as an environment variable."""
    parts = urlsplit(url)
    if parts.password is None:
        return url, {}
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{host}")), {
        "PGPASSWORD": unquote(parts.password)
    }
