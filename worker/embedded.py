"""The embedded PostgreSQL: what the program uses when no ``DATABASE_URL`` is given.

Several processes may use one data directory at once. Whoever comes first starts a keeper, a small process of its own
(``python -m worker.embedded``) that runs the server and to which every user stays connected. A user that leaves or
dies, even by ``kill -9``, is a closed connection; after the last one the keeper stops the server. A server that crashes
is started again. A keeper that dies is replaced by the first user who notices; it stops the server left over and
starts it anew. One file lock, held for the keeper's whole life, makes sure that there is never more than one.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from worker.errors import DatabaseUnavailable, UsageError
from worker.postgres import Listen, PostgresServer, hand_over, server_owner, until, wheel_binaries

JOIN_TIMEOUT_SECONDS: Final = 120.0
"""Longest wait for a usable server: creating the cluster on a slow disk, then starting it."""

LEAVE_TIMEOUT_SECONDS: Final = 40.0
"""Longest wait of the last user for the server's end: the server's own time to stop, and some more."""

FIRST_USER_TIMEOUT_SECONDS: Final = 3.0
"""How long a keeper waits for the user who started it; one that died meanwhile must not leave a server behind."""

RETRY_SECONDS: Final = 0.05
"""Pause between two attempts to reach a keeper that is starting or stopping."""

RESTART_PAUSE_SECONDS: Final = 0.5
"""Pause before a crashed server is started again, so that one that cannot live does not spin."""

SOCKET_PATH_LIMIT: Final = 100
"""Bytes of a Unix socket's path that every system allows (Linux 107, macOS 103)."""

_WELCOME: Final = b"ready\n"


@asynccontextmanager
async def embedded(data_dir: Path) -> AsyncIterator[str]:
    """The URL of a running server on ``data_dir``, shared with every other process that uses the same directory.

    Raises :class:`~worker.errors.DatabaseUnavailable` with the server's own last words when it does not start, and
    :class:`~worker.errors.UsageError` when the platform has no server or the directory cannot be used.
    """
    wheel_binaries()
    place = Place(data_dir)
    try:
        place.prepare()
    except OSError as error:
        raise UsageError(f"WRITEBACK_DATA_DIR {data_dir} cannot be used: {error.strerror}") from error
    seat = _Seat(place)
    await seat.take()
    holding = asyncio.create_task(seat.hold())
    try:
        yield place.listen.url("postgres")
    finally:
        holding.cancel()
        with contextlib.suppress(asyncio.CancelledError, DatabaseUnavailable):
            await holding
        await seat.leave()


class Place:
    """Where the files of one embedded server are."""

    def __init__(self, data_dir: Path) -> None:
        data_dir = data_dir.absolute()
        self.data_dir = data_dir
        self.cluster = data_dir / "postgres"
        self.lock = data_dir / "keeper.lock"
        self.log = data_dir / "keeper.log"
        self.sockets = _socket_directory(data_dir)
        self.keeper = self.sockets / "keeper"
        self.listen = Listen(socket_dir=self.sockets)

    def prepare(self) -> None:
        """Make the directories. The one with the sockets is closed to others: it is what guards the database."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        owner = server_owner(self.cluster)
        hand_over(self.sockets, owner)
        found = self.sockets.stat()
        if found.st_uid != (owner.uid if owner else os.geteuid()) or found.st_mode & 0o077:
            raise UsageError(f"{self.sockets} belongs to someone else or is open to others: remove it")


def _socket_directory(data_dir: Path) -> Path:
    inside = data_dir / "run"
    if len(bytes(inside / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_LIMIT:
        return inside
    digest = hashlib.blake2b(bytes(data_dir), digest_size=8).hexdigest()
    return Path(tempfile.gettempdir()) / f"writeback-{os.geteuid()}-{digest}"


class _Seat:
    """One process's place at the keeper's table: as long as it is taken, the server runs."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def take(self) -> None:
        """Connect to the keeper, starting one when there is none."""
        try:
            async with asyncio.timeout(JOIN_TIMEOUT_SECONDS):
                while not await self._sit_down():
                    await _start_keeper(self._place)
                    await asyncio.sleep(RETRY_SECONDS)
        except TimeoutError:
            raise DatabaseUnavailable(f"the embedded database did not start: see {self._place.log}") from None

    async def hold(self) -> None:
        """Take the seat again whenever the keeper dies; runs until cancelled."""
        while True:
            await self._reader.read()
            self._writer.close()
            await self.take()

    async def leave(self) -> None:
        """Stand up; the last user waits here until the server has stopped."""
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(LEAVE_TIMEOUT_SECONDS):
                self._writer.write_eof()
                await self._reader.read()
        self._writer.close()

    async def _sit_down(self) -> bool:
        try:
            self._reader, self._writer = await asyncio.open_unix_connection(self._place.keeper)
            if await self._reader.readline() == _WELCOME:
                return True
            self._writer.close()  # it is stopping
        except OSError:
            pass
        return False


async def _start_keeper(place: Place) -> None:
    """Start a keeper and wait until it can be reached, unless one is alive already."""
    keeper = _spawn_keeper(place)
    if keeper is None:
        return
    await until(lambda: keeper.poll() is not None or place.keeper.exists())
    if keeper.poll():
        raise DatabaseUnavailable(_last_line(place.log))


def _spawn_keeper(place: Place) -> subprocess.Popen[bytes] | None:
    """Start a keeper unless one is alive. It inherits the lock: there is no moment without a holder."""
    with place.lock.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        place.keeper.unlink(missing_ok=True)  # left by a keeper that was killed
        with place.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "worker.embedded", str(place.data_dir)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock.fileno(),),
                start_new_session=True,  # a Ctrl-C at the terminal is for the users
                cwd=Path(__file__).resolve().parents[1],
            )


class _Keeper:
    """Runs the server for as long as somebody is connected."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._server = PostgresServer(place.cluster, place.listen)
        self._users = 0
        self._dismissed = asyncio.Event()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Start the server, serve users until the last one has gone, stop the server."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._dismissed.set)
        await self._server.initialize()
        await self._server.start()
        self._place.keeper.unlink(missing_ok=True)
        door = await asyncio.start_unix_server(self._receive, self._place.keeper)
        restarting = asyncio.create_task(self._restart_when_crashed())
        loop.call_later(FIRST_USER_TIMEOUT_SECONDS, self._dismiss_when_empty)
        await self._dismissed.wait()
        self._place.keeper.unlink(missing_ok=True)
        door.close()
        restarting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await restarting
        await self._server.stop()
        self._stopped.set()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._dismissed.is_set():
            self._users += 1
            with contextlib.suppress(OSError):
                writer.write(_WELCOME)
                await reader.read()  # ends when the user leaves or dies
            self._users -= 1
            self._dismiss_when_empty()
        if self._dismissed.is_set():
            await self._stopped.wait()
        writer.close()

    def _dismiss_when_empty(self) -> None:
        if self._users == 0:
            self._dismissed.set()

    async def _restart_when_crashed(self) -> None:
        while True:
            await self._server.wait()
            await asyncio.sleep(RESTART_PAUSE_SECONDS)
            with contextlib.suppress(DatabaseUnavailable):
                await self._server.start()


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-1] if lines else "the embedded database did not start and said nothing"


def main() -> int:
    """Be the keeper of the data directory named on the command line."""
    try:
        asyncio.run(_Keeper(Place(Path(sys.argv[1]))).run())
    except (DatabaseUnavailable, UsageError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
