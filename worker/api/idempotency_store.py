"""The answers that idempotency keys led to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from worker.api.call import Answer
from worker.database import Connection, query

RETENTION: Final = timedelta(hours=24)
"""How long a key stands for its first answer: Modern Treasury's rule."""

_LOCK_BYTES: Final = 8
"""What PostgreSQL's advisory locks are named by. That two keys share these bytes is harmless: one comes back later."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a key is ours until the transaction ends, and the answer it already led to, if any."""

    locked: bool
    kept: Answer[Any] | None


class KeyTakenError(Exception):
    """Another call with the same key was first; begin again, and its answer can be seen."""


async def admit_keys(connection: Connection, digests: Sequence[bytes]) -> list[Admission]:
    """Take keys until the transaction ends, in their order. One that is asked for twice is granted twice."""
    locks = [int.from_bytes(digest[:_LOCK_BYTES], "big", signed=True) for digest in digests]
    rows = await connection.fetch(query("api/admit_keys"), list(digests), locks, RETENTION)
    return [
        Admission(row["locked"], None if row["status"] is None else Answer(row["status"], row["content"]))
        for row in rows
    ]


async def find_kept(connection: Connection, digest: bytes) -> Answer[Any] | None:
    """The answer a key led to, None for a new, an expired or a busy one."""
    row = await connection.fetchrow(query("api/find_kept"), digest, RETENTION)
    return None if row is None else Answer(row["status"], row["content"])


async def keep_answers(connection: Connection, answers: Mapping[bytes, Answer[Any]]) -> None:
    """Remember what locked keys led to. Raises :class:`KeyTakenError` when the transaction must begin again."""
    status = await connection.execute(
        query("api/keep_answers"),
        list(answers),
        [answer.status for answer in answers.values()],
        [answer.content for answer in answers.values()],
        RETENTION,
    )
    if int(status.rpartition(" ")[2]) != len(answers):
        raise KeyTakenError


async def prune_kept(connection: Connection, most: int) -> int:
    """Forget some expired keys; how many they were."""
    status = await connection.execute(query("api/prune_kept"), RETENTION, most)
    return int(status.rpartition(" ")[2])
