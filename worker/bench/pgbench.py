"""PostgreSQL's own benchmark program, for what the raw database does."""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from worker.bench.figures import MICROSECONDS, Figures, Window, figures
from worker.bench.load import Load
from worker.bench.processes import Meter
from worker.database import query
from worker.errors import Unavailable, UsageError
from worker.postgres import wheel_binaries

LAST_WORDS: Final = 5
"""Lines of pgbench's complaint that are told: the server's error stands above pgbench's own."""

_LATENCY: Final = 2
"""Place of the microseconds in a line of pgbench's log."""


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

    Raises :class:`~worker.errors.Unavailable` with pgbench's last words when it fails.
    """
    with tempfile.TemporaryDirectory(prefix="writeback-pgbench-") as name:
        directory = Path(name)
        (directory / "script.sql").write_text(query(script))
        seconds = math.ceil(load.seconds)
        server, client = meter.server(), meter.children()
        await _run(program, url, directory, load.callers, seconds)
        now, spent = meter.server(), meter.children() - client
        window = Window(seconds, None if server is None or now is None else now - server, spent)
        return figures(list(_latencies(directory)), window)


async def _run(program: Path, url: str, directory: Path, clients: int, seconds: int) -> None:
    options = ["--no-vacuum", "--protocol=prepared", "--jobs=1", f"--client={clients}", f"--time={seconds}"]
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


def _latencies(directory: Path) -> Iterator[float]:
    for log in directory.glob("log.*"):
        for line in log.read_text().splitlines():
            yield int(line.split()[_LATENCY]) / MICROSECONDS


def without_password(url: str) -> tuple[str, dict[str, str]]:
    """The URL as the list of processes may show it, and the password as an environment variable."""
    parts = urlsplit(url)
    if parts.password is None:
        return url, {}
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{host}")), {
        "PGPASSWORD": unquote(parts.password)
    }
