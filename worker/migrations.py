"""Bring the schema up to date: ``sql/migrations/NNNN_name.sql``, forward only, each file in its own transaction.

Every file that was applied is recorded with its checksum, so that an edited file or a database newer than this program
is refused instead of guessed at. Any number of processes may migrate at once: each file is applied under one advisory
lock, and whoever gets the lock second finds the file done.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import asyncpg

from worker.database import Connection, require_supported_version, sql_directory
from worker.errors import DatabaseUnavailable, UsageError

ADVISORY_LOCK: Final = 0x6C77_7363_6865_6D61
"""Key of the lock held while one file is applied (``lwschema`` in ASCII), the same for every version of the program."""

LOCK_TIMEOUT_MS: Final = 3_000
"""Longest wait for a table's lock, because everyone else queues up behind the waiting migration meanwhile."""

LOCK_ATTEMPTS: Final = 100
"""Five minutes of attempts in all: longer than a busy table or another migrator should ever hold us up."""

PAUSE_BETWEEN_ATTEMPTS_SECONDS: Final = 0.1
"""Lets the statements that queued up behind the waiting migration go first."""

FILE_TIMEOUT_SECONDS: Final = 3_600.0
"""Longest one file may take: building an index on a large table is slow, hanging for ever is a fault."""

_FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

_CREATE_HISTORY: Final = """
create table if not exists schema_migrations (
    version    integer     primary key,
    name       text        not null,
    checksum   text        not null,
    applied_at timestamptz not null default now()
)"""


class SchemaError(UsageError):
    """The database's schema and this program's migrations cannot be reconciled; the message names the file and fix."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file; ``checksum`` is the SHA-256 of its text, the same whatever the line endings."""

    version: int
    name: str
    checksum: str
    script: str

    @property
    def file_name(self) -> str:
        """The file's name, as in error messages: ``0001_jobs.sql``."""
        return f"{self.version:04}_{self.name}.sql"


async def migrate(connection: Connection) -> list[Migration]:
    """Apply every pending migration in order and return those applied by this call.

    Raises :class:`SchemaError` (see :func:`pending`, and when something is pending that this role may not do),
    :class:`~worker.errors.UsageError` for a PostgreSQL that is too old, and
    :class:`~worker.errors.DatabaseUnavailable` when locks stay taken for five minutes. A file that fails leaves nothing
    behind; those before it stay applied.
    """
    await require_supported_version(connection)
    applied: list[Migration] = []
    if not await pending(connection):  # a role that owns nothing may not even ask for a table that exists
        return applied
    while (migration := await _apply_next_when_free(connection)) is not None:
        applied.append(migration)
    return applied


async def pending(connection: Connection) -> list[Migration]:
    """The migrations not yet applied, in order; changes nothing.

    Raises :class:`SchemaError` when an applied file was changed, when a file was added behind an applied one, or
    when the database is newer than this program.
    """
    if not await connection.fetchval("select to_regclass('schema_migrations') is not null"):
        return list(load_migrations(sql_directory() / "migrations"))
    return await _pending(connection)


async def newest_applied(connection: Connection) -> int:
    """Number of the newest migration in the database, which must have been migrated."""
    return int(await connection.fetchval("select max(version) from schema_migrations"))


@cache
def load_migrations(directory: Path) -> tuple[Migration, ...]:
    """The migration files of a directory in order; raises :class:`SchemaError` for a misnamed or repeated one."""
    migrations: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        matched = _FILE_NAME.fullmatch(path.name)
        if matched is None:
            raise SchemaError(f"migration {path.name} must be named like 0001_jobs.sql: rename it")
        script = path.read_text(encoding="utf-8")  # universal newlines: a checkout's line endings do not matter
        checksum = hashlib.sha256(script.encode()).hexdigest()
        migrations.append(Migration(int(matched[1]), matched[2], checksum, script))
        if len({migration.version for migration in migrations}) < len(migrations):
            raise SchemaError(f"migration {path.name} repeats a number: give it the next free one")
    return tuple(migrations)


async def _apply_next_when_free(connection: Connection) -> Migration | None:
    for _ in range(LOCK_ATTEMPTS):
        try:
            return await _apply_next(connection)
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(PAUSE_BETWEEN_ATTEMPTS_SECONDS)
        except asyncpg.InsufficientPrivilegeError as error:
            raise SchemaError(
                f"the schema is not up to date, and this role may not change it ({error}): run `writeback migrate` as "
                "the role that owns the tables"
            ) from error
    raise DatabaseUnavailable("a migration waited five minutes for its locks: end the transactions that hold them")


async def _apply_next(connection: Connection) -> Migration | None:
    async with connection.transaction():
        await connection.execute(f"set local lock_timeout = {LOCK_TIMEOUT_MS}; set local statement_timeout = 0")
        await connection.execute("select pg_advisory_xact_lock($1)", ADVISORY_LOCK)
        await connection.execute(_CREATE_HISTORY)
        waiting = await _pending(connection)
        if not waiting:
            return None
        migration = waiting[0]
        await connection.execute(migration.script, timeout=FILE_TIMEOUT_SECONDS)
        await connection.execute(
            "insert into schema_migrations (version, name, checksum) values ($1, $2, $3)",
            migration.version,
            migration.name,
            migration.checksum,
        )
        return migration


async def _pending(connection: Connection) -> list[Migration]:
    rows = await connection.fetch("select version, name, checksum from schema_migrations order by version")
    migrations = load_migrations(sql_directory() / "migrations")
    known = {migration.version: migration for migration in migrations}
    for row in rows:
        migration = known.get(row["version"])
        if migration is None:
            raise SchemaError(
                f"the database has migration {row['version']:04}_{row['name']}.sql, which this version of the program "
                "does not know: run the newer version"
            )
        if migration.checksum != row["checksum"]:
            raise SchemaError(
                f"migration {migration.file_name} was changed after it was applied: restore it and put the change "
                "into a new migration"
            )
    newest = rows[-1]["version"] if rows else 0
    waiting = [migration for migration in migrations if migration.version not in {row["version"] for row in rows}]
    if waiting and waiting[0].version < newest:
        raise SchemaError(
            f"migration {waiting[0].file_name} comes before {newest:04}, which is applied already: "
            "give it the next free number"
        )
    return waiting
