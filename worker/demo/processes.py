"""The demo's processes: a Codat and the service, as anybody would start them, on free ports."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from worker.errors import Unavailable, UsageError

START_SECONDS: Final = 60.0
"""Longest start of one process on a slow machine."""

STOP_SECONDS: Final = 30.0
"""Longest orderly end: the service's own drain, and some more."""

POLL_SECONDS: Final = 0.05
"""Pause between two looks at something that is about to be there."""


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Keep other demos out: each begins by clearing the directory, and would take a running one's database away."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        file = directory.with_suffix(".lock").open("ab")
    except OSError as error:
        raise UsageError(f"WRITEBACK_DATA_DIR {directory.parent} cannot be used: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            words = f"another demo is running in {directory}: end it, or set WRITEBACK_DATA_DIR to another directory"
            raise UsageError(words) from None
        yield


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(
    name: str, arguments: Sequence[str], environment: Mapping[str, str], directory: Path
) -> AsyncIterator[Process]:
    """``writeback`` with these arguments, its output in ``{directory}/{name}.log``, ended by SIGTERM on exit."""
    log = directory / f"{name}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "worker.cli",
            *arguments,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield Process(process, log)
    finally:
        await _end(process)


@dataclass(frozen=True, slots=True)
class Process:
    """A running ``writeback`` and where its output goes."""

    process: asyncio.subprocess.Process
    log: Path

    async def answering(self, session: aiohttp.ClientSession, url: str) -> None:
        """Return when ``url`` answers 200; raises :class:`~worker.errors.Unavailable` with the process' last words."""
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await _answers(session, url):
                    if self.process.returncode is not None:
                        raise Unavailable(f"{self.log.stem} did not start: {self._last_line()}")
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise Unavailable(f"{self.log.stem} did not answer at {url}: {self._last_line()}") from None

    def _last_line(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
