"""PostgreSQL: the pool, its limits, its type codecs, and the statements in ``sql/queries``.

PostgreSQL stopping and coming back is an ordinary event. Whatever asyncpg says when the server is away surfaces as
:class:`~worker.errors.DatabaseUnavailable`; the pool reconnects by itself on the next use. A commit whose answer was
lost also surfaces so: the caller cannot know whether it happened, hence every write is repeatable by a unique key.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg

from worker.errors import DatabaseUnavailable, UsageError

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
"""What stores take: a connection of the pool, or one opened on its own."""

OLDEST_SUPPORTED_VERSION: Final = 15
"""Oldest PostgreSQL major version whose SQL this program uses and is tested against."""

POOL_MAX_CONNECTIONS: Final = 20
"""Connections one process may hold: five replicas and their spare ones fit in PostgreSQL's default of 100."""

ACQUIRE_TIMEOUT_SECONDS: Final = 5.0
"""Longest wait for a pooled connection, a new one's handshake included; longer means overload, answered by 503."""

STATEMENT_TIMEOUT_MS: Final = 15_000
"""Longest statement: a hundred times the slowest one expected, and within a webhook sender's usual 15 s."""

LOCK_TIMEOUT_MS: Final = 5_000
"""Longest wait for a row or advisory lock: transactions here last milliseconds, so longer means a stuck holder."""

IDLE_IN_TRANSACTION_TIMEOUT_MS: Final = 20_000
"""A process frozen inside a transaction loses its locks after this, so that others can go on."""

COMMAND_TIMEOUT_SECONDS: Final = 20.0
"""Gives up on a silent network; above the statement timeout, so that a merely slow server answers for itself first."""

IDLE_CONNECTION_LIFETIME_SECONDS: Final = 120.0
"""An idle connection is dropped before common firewalls forget it silently (five minutes)."""

CLOSE_TIMEOUT_SECONDS: Final = 5.0
"""Longest wait at exit for connections to say goodbye; a dead server never answers."""

_AWAY: Final = (
    OSError,  # refused, reset, unreachable, no such socket; TimeoutError is one too
    asyncpg.PostgresConnectionError,  # class 08, and connections that died under a statement
    asyncpg.OperatorInterventionError,  # class 57: shutting down, starting up; query_canceled is told apart below
    asyncpg.InsufficientResourcesError,  # class 53: disk full, out of memory, too many connections
    asyncpg.PostgresSystemError,  # class 58: its files are gone or cannot be read; a statement cannot cause that
    asyncpg.ReadOnlySQLTransactionError,  # a fail-over left us on a standby
    asyncpg.IdleInTransactionSessionTimeoutError,  # this process was frozen and the server gave up on it
)
_CLIENT_SIDE: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError)


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How many connections and how much patience one process has; tests narrow them, the product does not."""

    max_connections: int = POOL_MAX_CONNECTIONS
    acquire_timeout_seconds: float = ACQUIRE_TIMEOUT_SECONDS
    command_timeout_seconds: float = COMMAND_TIMEOUT_SECONDS


class Database:
    """A pool of connections to one database."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], limits: PoolLimits) -> None:
        self._pool = pool
        self._limits = limits

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, application_name: str = "writeback", limits: PoolLimits | None = None
    ) -> AsyncIterator[Database]:
        """A pool that is closed on exit. Opening it needs no server: the first use connects."""
        limits = limits or PoolLimits()
        pool = _make_pool(url, application_name, limits)
        try:
            await pool
            yield cls(pool, limits)
        finally:
            await _close_pool(pool)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection outside any transaction; each statement commits by itself.

        Raises :class:`~worker.errors.DatabaseUnavailable` when the server is away, now or before the block ends.
        """
        try:
            # The pool's own timeout: cancelling acquire() from outside (wait_for) can lose a connection.
            async with self._pool.acquire(timeout=self._limits.acquire_timeout_seconds) as connection:
                try:
                    yield connection
                except _CLIENT_SIDE as error:
                    if _is_lost(connection):
                        raise DatabaseUnavailable(f"the database connection was lost: {_describe(error)}") from error
                    raise
        except asyncpg.QueryCanceledError:
            raise  # the server is there: one statement took too long, which is that statement's fault
        except _AWAY as error:
            raise DatabaseUnavailable(f"the database cannot be reached: {_describe(error)}") from error
        except asyncpg.InterfaceError as error:
            if self._pool.is_closing():
                raise DatabaseUnavailable("this process is shutting down") from error
            raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside one transaction: committed when the block ends, rolled back when it raises.

        Raises :class:`~worker.errors.DatabaseUnavailable` as :meth:`connection` does; after it, whether a commit
        under way took effect is unknown.
        """
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Connection]:
        """A connection whose session keeps something of its own, such as locks: all of it ends with the block.

        Raises :class:`~worker.errors.DatabaseUnavailable` as :meth:`connection` does.
        """
        async with self.connection() as connection:
            try:
                yield connection
            finally:
                if not _is_lost(connection):
                    await connection.reset()

    @property
    def max_connections(self) -> int:
        """Connections that can be handed out at once."""
        return self._limits.max_connections

    @property
    def connections_in_use(self) -> int:
        """Connections handed out at this moment."""
        return self._pool.get_size() - self._pool.get_idle_size()


async def require_supported_version(connection: Connection) -> None:
    """Raise :class:`~worker.errors.UsageError` naming the server's version when it is older than supported."""
    version = connection.get_server_version()
    if version.major < OLDEST_SUPPORTED_VERSION:
        raise UsageError(
            f"PostgreSQL {version.major}.{version.minor} is too old: "
            f"point DATABASE_URL at PostgreSQL {OLDEST_SUPPORTED_VERSION} or newer"
        )


def sql_directory() -> Path:
    """Where the SQL files are: inside an installed package, beside it in a source checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "sql"
    return installed if installed.is_dir() else package.parent / "sql"


@cache
def query(name: str) -> str:
    """The statement in ``sql/queries/{name}.sql``, for example ``query("jobs/claim")``."""
    return (sql_directory() / "queries" / f"{name}.sql").read_text(encoding="utf-8")


@contextmanager
def refused_as(sqlstate: str, meaning: Callable[[str], Exception]) -> Iterator[None]:
    """Raise what it means that the tables refuse a statement under this code, with their own sentence."""
    try:
        yield
    except asyncpg.PostgresError as error:
        if error.sqlstate != sqlstate:
            raise
        raise meaning(str(error)) from error


async def prepare_connection(connection: asyncpg.Connection[Any]) -> None:
    """Give a new connection this program's types: ``numeric`` is a whole number of minor units, an ``int``.

    The rest are asyncpg's own: ``jsonb`` is its raw JSON text as ``str``, ``uuid`` a :class:`uuid.UUID`.
    """
    await connection.set_type_codec(
        "numeric", schema="pg_catalog", encoder=_encode_whole_number, decoder=int, format="text"
    )


def _encode_whole_number(value: Any) -> str:
    # operator.index refuses floats, decimals and text: nothing is ever rounded on its way into a money column.
    return str(operator.index(value))


async def _leave_as_it_is(_: asyncpg.Connection[Any]) -> None:
    """Nothing here changes a session but :meth:`Database.session`, which cleans up itself: a round trip saved."""


def _make_pool(url: str, application_name: str, limits: PoolLimits) -> asyncpg.Pool[asyncpg.Record]:
    return asyncpg.create_pool(
        url,
        min_size=0,
        max_size=limits.max_connections,
        timeout=limits.acquire_timeout_seconds,
        command_timeout=limits.command_timeout_seconds,
        max_inactive_connection_lifetime=IDLE_CONNECTION_LIFETIME_SECONDS,
        init=prepare_connection,
        reset=_leave_as_it_is,
        server_settings={
            "application_name": application_name,
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
            "timezone": "UTC",
            "jit": "off",  # compiling takes longer than any of these short statements
        },
    )


async def _close_pool(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
            await pool.close()
    except (TimeoutError, OSError):
        pool.terminate()


def _is_lost(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True  # the pool takes a connection back by itself only when it died


def _describe(error: BaseException) -> str:
    text = str(error).strip()
    return f"{text} ({type(error).__name__})" if text else type(error).__name__
