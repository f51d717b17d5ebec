"""The other end of :mod:`tests.faults.killed`: starts services that die at a given place, or that tell their places."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.faults.killed import ROOT
from tests.flow.stack import Stack
from worker.demo.processes import Process


class Cradle:
    """One process with the whole program imported, forked for every service, one at a time."""

    def __init__(self, stack: Stack, process: asyncio.subprocess.Process) -> None:
        self._stack = stack
        self._process = process
        self.log = stack.directory / "armed.log"
        self.pid = process.pid

    async def start(self, **order: str) -> asyncio.Task[int]:
        """Start a service (``kill_at``, ``stop_at`` or ``record_to``); the task returned waits for its exit status."""
        assert self._process.stdin is not None
        whole: dict[str, Any] = {"environment": dict(self._stack.environment), "log": str(self.log), **order}
        self._process.stdin.write(f"{json.dumps(whole)}\n".encode())
        self.pid = await self._number()
        return asyncio.create_task(self._number())

    def signal(self, number: signal.Signals) -> None:
        """Send the service a signal."""
        os.kill(self.pid, number)

    async def record(self, path: Path) -> asyncio.Task[int]:
        """Start a service that notes in ``path`` the places it passes, and return when it is ready."""
        ended = await self.start(record_to=str(path))
        await Process(self._process, self.log).answering(self._stack.session, f"{self._stack.service_url}/readyz")
        return ended

    async def _number(self) -> int:
        assert self._process.stdout is not None
        return int(await self._process.stdout.readline())


def place(path: str, statement: str, about: str) -> str:
    """The place of the one statement of this file that begins so."""
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    (number,) = (number for number, line in enumerate(lines, 1) if line.strip().startswith(statement))
    return f"{path}:{number} {about}"


@asynccontextmanager
async def open_cradle(stack: Stack) -> AsyncIterator[Cradle]:
    """A cradle for services on this stack's database."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.killed", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    cradle = Cradle(stack, process)
    try:
        yield cradle
    finally:
        with contextlib.suppress(ProcessLookupError):
            cradle.signal(signal.SIGKILL)
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
