"""The answers that idempotency keys led to."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from worker.api.call import Answer
from worker.database import Connection, query

RETENTION: Final = timedelta(hours=24)
"""How long a key stands for its first answer: Modern Treasury's rule."""

PRUNED_AT_ONCE: Final = 5_000
"""Keys one statement forgets: tens of milliseconds of work."""

_LOCK_BYTES: Final = 8
"""What PostgreSQL's advisory locks are named by. That two keys share these bytes is harmless: one of them waits."""


async def lock_key(connection: Connection, digest: bytes) -> bool:
    """Take a key until the transaction ends; False when another call holds it at this moment."""
    name = int.from_bytes(digest[:_LOCK_BYTES], "big", signed=True)
    locked: bool = await connection.fetchval(query("api/lock_key"), name)
    return locked


async def find_kept(connection: Connection, digest: bytes) -> Answer | None:
    """The answer a key led to, None for a new or expired one; the key must be locked."""
    row = await connection.fetchrow(query("api/find_kept"), digest, RETENTION)
    return None if row is None else Answer(row["status"], row["content"])


async def keep_answer(connection: Connection, digest: bytes, answer: Answer) -> None:
    """Remember what a locked key led to."""
    await connection.execute(query("api/keep_answer"), digest, answer.status, answer.content)


async def prune_kept(connection: Connection) -> int:
    """Forget some expired keys; how many they were."""
    status = await connection.execute(query("api/prune_kept"), RETENTION, PRUNED_AT_ONCE)
    return int(status.rpartition(" ")[2])
