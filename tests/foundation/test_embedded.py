"""The embedded PostgreSQL is shared by processes, outlives any one of them, and stops with the last."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from worker.embedded import embedded
from worker.errors import DatabaseUnavailable, UsageError
from worker.postgres import until

USER_PROGRAM = """
import asyncio, sys
from pathlib import Path
from worker.embedded import embedded

async def main():
    async with embedded(Path(sys.argv[1])) as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="writeback-"))
    yield directory / "data"
    shutil.rmtree(directory, ignore_errors=True)


@asynccontextmanager
async def user_process(data_dir: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", USER_PROGRAM, str(data_dir), stdin=pipe, stdout=pipe
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    yield process, url
    if process.returncode is None:
        await process.communicate(b"")


async def ask(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def eventually(url: str, statement: str) -> object:
    async with asyncio.timeout(20):
        while True:
            try:
                return await ask(url, statement)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.05)


def server_pid(data_dir: Path) -> int | None:
    try:
        return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])
    except FileNotFoundError:
        return None


def keeper_pid(data_dir: Path) -> int:
    return next(pid for pid in processes() if str(data_dir).encode() in command_line(pid) and is_keeper(pid))


def processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def is_keeper(pid: int) -> bool:
    return b"worker.embedded" in command_line(pid) and b"-c" not in command_line(pid).split(b"\0")


def has_ended(pid: int) -> Callable[[], bool]:
    return lambda: not command_line(pid)


async def test_the_server_starts_with_its_first_user_and_stops_with_its_last(data_dir: Path) -> None:
    async with embedded(data_dir) as url:
        assert await ask(url, "select 1") == 1
        assert await ask(url, "show fsync") == "on"
        assert await ask(url, "show listen_addresses") == ""
        pid = server_pid(data_dir)
    assert pid is not None
    assert has_ended(pid)()
    assert server_pid(data_dir) is None


async def test_what_was_written_is_there_at_the_next_start(data_dir: Path) -> None:
    async with embedded(data_dir) as url:
        await ask(url, "create table kept as select 42 as answer")
    async with embedded(data_dir) as url:
        assert await ask(url, "select answer from kept") == 42


async def test_processes_that_start_together_share_one_server(data_dir: Path) -> None:
    async with embedded(data_dir) as url, user_process(data_dir) as (_, theirs), user_process(data_dir) as (_, third):
        assert theirs == url == third
        pid = server_pid(data_dir)
        assert await ask(theirs, "select 1") == 1
    assert pid is not None
    assert has_ended(pid)()


async def test_a_killed_user_leaves_the_server_to_the_others(data_dir: Path) -> None:
    async with user_process(data_dir) as (first, url), user_process(data_dir) as (_, _):
        first.kill()
        await first.wait()
        assert await ask(url, "select 1") == 1


async def test_the_server_stops_when_its_last_user_is_killed(data_dir: Path) -> None:
    async with user_process(data_dir) as (process, _):
        pid = server_pid(data_dir)
        process.kill()
        await process.wait()
    assert pid is not None
    async with asyncio.timeout(20):
        await until(has_ended(pid))
    async with embedded(data_dir) as url:
        assert await ask(url, "select 1") == 1


async def test_a_server_that_crashes_is_started_again(data_dir: Path) -> None:
    async with embedded(data_dir) as url:
        await ask(url, "create table kept as select 42 as answer")
        pid = server_pid(data_dir)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert await eventually(url, "select answer from kept") == 42
        assert server_pid(data_dir) != pid


async def test_a_killed_keeper_is_replaced_and_the_server_still_stops_with_its_last_user(data_dir: Path) -> None:
    async with embedded(data_dir) as url:
        await ask(url, "create table kept as select 42 as answer")
        left_over, keeper = server_pid(data_dir), keeper_pid(data_dir)
        os.kill(keeper, signal.SIGKILL)
        async with asyncio.timeout(20):
            await until(lambda: server_pid(data_dir) not in {left_over, None})
        assert await eventually(url, "select answer from kept") == 42
        pid = server_pid(data_dir)
    assert pid is not None
    async with asyncio.timeout(20):
        await until(has_ended(pid))


async def test_a_creation_that_was_interrupted_is_begun_again(data_dir: Path) -> None:
    (data_dir / "postgres.partial").mkdir(parents=True)
    (data_dir / "postgres.partial" / "PG_VERSION").write_text("18\n")
    async with embedded(data_dir) as url:
        assert await ask(url, "select 1") == 1


async def test_a_stale_pid_file_naming_another_process_does_not_stop_the_start(data_dir: Path) -> None:
    async with embedded(data_dir):
        pass
    (data_dir / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{data_dir}/postgres\n0\n5432\n")
    async with embedded(data_dir) as url:
        assert await ask(url, "select 1") == 1


async def test_a_data_directory_with_a_long_path_works(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(data_dir.parent))
    monkeypatch.setattr(tempfile, "tempdir", None)
    async with embedded(data_dir / ("long-" * 20)) as url:
        assert await ask(url, "select 1") == 1


async def test_a_cluster_of_another_version_is_refused_in_the_servers_own_words(data_dir: Path) -> None:
    async with embedded(data_dir):
        pass
    (data_dir / "postgres" / "PG_VERSION").write_text("14\n")
    with pytest.raises(DatabaseUnavailable, match="version 14"):
        async with embedded(data_dir):
            pytest.fail("a server of version 18 must not run on a cluster of version 14")


async def test_a_data_directory_that_cannot_be_made_is_named(data_dir: Path) -> None:
    data_dir.parent.joinpath("file").write_text("in the way")
    with pytest.raises(UsageError, match=r"WRITEBACK_DATA_DIR .*file/data cannot be used"):
        async with embedded(data_dir.parent / "file" / "data"):
            pytest.fail("there is no such directory")
