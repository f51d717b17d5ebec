"""What calls change: each in one transaction, and only once for an idempotency key.

A key belongs to the caller's API key, whatever path and body it comes with. Its answer is kept in the transaction that
had the effect, so that neither is ever there without the other; a call that fails leaves nothing behind and may be sent
again under the same key.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeAlias

import structlog

from worker.api import idempotency_store as store
from worker.api.call import Answer, Call
from worker.api.refusals import conflict
from worker.database import Connection, Database
from worker.errors import DatabaseUnavailable

PRUNE_PERIOD: Final = timedelta(minutes=10)
"""Forgetting is never urgent: an expired key is passed over whether or not it is still there."""

Effect: TypeAlias = Callable[[Connection], Awaitable[Answer]]

log = structlog.get_logger(__name__)


class Effects:
    """Runs what calls want done."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def once(self, call: Call, effect: Effect) -> Answer:
        """Have the effect and answer; a repeated key answers as it did first.

        Raises :class:`~worker.errors.Rejected` (409) while another call holds the key, and whatever the effect raises,
        which then did not happen.
        """
        async with self._database.transaction() as connection:
            if call.idempotency_key is None:
                return await effect(connection)
            digest = key_digest(call, call.idempotency_key)
            if (kept := await claim(connection, digest)) is not None:
                return kept
            answer = await effect(connection)
            await store.keep_answer(connection, digest, answer)
            return answer

    async def run_pruning(self) -> None:
        """Forget expired keys now and then until cancelled, through any absence of the database."""
        while True:
            try:
                while await self._prune_some() == store.PRUNED_AT_ONCE:
                    pass
            except DatabaseUnavailable as error:
                log.warning("pruning_interrupted", error=str(error))
            await asyncio.sleep(PRUNE_PERIOD.total_seconds())

    async def _prune_some(self) -> int:
        async with self._database.connection() as connection:
            return await store.prune_kept(connection)


def key_digest(call: Call, key: str) -> bytes:
    """What stands for an idempotency key of this caller."""
    return hashlib.sha256(call.caller.scope + key.encode()).digest()


async def claim(connection: Connection, digest: bytes) -> Answer | None:
    """Hold a key until the transaction ends; the answer it already led to, if any.

    Raises :class:`~worker.errors.Rejected` (409) while another call holds it.
    """
    if not await store.lock_key(connection, digest):
        raise conflict("a request with this Idempotency-Key is still in progress: send it again in a moment")
    return await store.find_kept(connection, digest)
