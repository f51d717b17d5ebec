"""PostgreSQL servers of a test's own: to be killed, restarted, and found on the machine in every version."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from worker.postgres import Listen, PostgresServer, wheel_binaries

SYSTEM_INSTALLATIONS = Path("/usr/lib/postgresql")


def installed_binaries() -> list[Path]:
    """The wheel's programs and those of every PostgreSQL installed on the machine."""
    return [wheel_binaries(), *(path.parent for path in sorted(SYSTEM_INSTALLATIONS.glob("*/bin/initdb")))]


def free_port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def running_server(binaries: Path | None = None) -> AsyncIterator[PostgresServer]:
    """A throwaway server on a TCP port."""
    directory = Path(tempfile.mkdtemp(prefix="writeback-server-"))
    listen = Listen(port=free_port())
    server = PostgresServer(directory / "cluster", listen, binaries=binaries, settings={"fsync": "off"})
    try:
        await server.initialize()
        await server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(directory, ignore_errors=True)
