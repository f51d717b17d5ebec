"""What calls change: each in one transaction, and only once for an idempotency key.

A key belongs to the caller's API key, whatever path and body it comes with. Its answer is kept in the transaction that
had the effect, so that neither is ever there without the other; a call that fails leaves nothing behind and may be sent
again under the same key. Postings of many calls share their transactions, everything else has one of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from worker.api import idempotency_store as store
from worker.api.call import Answer, Call, Shape
from worker.api.kept_answers import Reply, Ticket, in_progress
from worker.database import Connection, Database
from worker.errors import Rejected
from worker.ledger.transaction import Operation, Posted, Refused, Replayed, Result

Effect: TypeAlias = Callable[[Connection], Awaitable[Answer[Shape]]]

Submit: TypeAlias = Callable[[UUID, Operation, Ticket | None], Awaitable[Result | Reply]]
"""The group poster's way in."""


@dataclass(frozen=True, slots=True)
class Posting:
    """An operation for a ledger, and how its success is shown."""

    ledger_id: UUID
    operation: Operation
    draw: Callable[[Posted], Answer[Any]]


class Effects:
    """Does what calls want done."""

    def __init__(self, database: Database, submit: Submit) -> None:
        self._database = database
        self._submit = submit

    async def once(self, call: Call, effect: Effect[Shape]) -> Answer[Shape]:
        """Have the effect and answer; a repeated key answers as it did first.

        Raises :class:`~worker.errors.Rejected` (409) while another call holds the key, and whatever the effect raises,
        which then did not happen.
        """
        if call.idempotency_key is None:
            async with self._database.transaction() as connection:
                return await effect(connection)
        try:
            return await self._once(key_digest(call, call.idempotency_key), effect)
        except store.KeyTakenError:
            raise in_progress() from None

    async def post(self, call: Call, posting: Posting) -> Answer[Any] | Replayed | Refused:
        """Post the operation and answer; a repeated key answers as it did first.

        Raises :class:`~worker.errors.Rejected` (409) while another call holds the key.
        """
        key = call.idempotency_key
        ticket = None if key is None else Ticket(key_digest(call, key), posting.draw)
        match await self._submit(posting.ledger_id, posting.operation, ticket):
            case Posted() as posted:
                return ticket.answer if ticket and ticket.answer else posting.draw(posted)
            case Rejected() as held:
                raise held
            case answered:
                return answered

    async def kept(self, call: Call) -> Answer[Any] | None:
        """What the call's key led to before; None when it has none, or it led to nothing yet."""
        if call.idempotency_key is None:
            return None
        async with self._database.connection() as connection:
            return await store.find_kept(connection, key_digest(call, call.idempotency_key))

    async def _once(self, digest: bytes, effect: Effect[Shape]) -> Answer[Shape]:
        async with self._database.transaction() as connection:
            (admission,) = await store.admit_keys(connection, [digest])
            if admission.kept is not None:
                return admission.kept
            if not admission.locked:
                raise in_progress()
            answer = await effect(connection)
            await store.keep_answers(connection, {digest: answer})
            return answer


def key_digest(call: Call, key: str) -> bytes:
    """What stands for an idempotency key of this caller."""
    return hashlib.sha256(call.caller.scope + key.encode()).digest()
