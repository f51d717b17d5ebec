"""Idempotency keys of postings: looked up and kept in the very commits that many callers share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from worker.api import idempotency_store as store
from worker.api.call import Answer
from worker.api.refusals import conflict
from worker.database import Connection
from worker.errors import Rejected
from worker.ledger.transaction import Posted, Result

Reply: TypeAlias = Answer[Any] | Rejected
"""What stands instead of a posting: the answer its key led to before, or that another call holds the key."""


@dataclass(slots=True)
class Ticket:
    """An idempotency key on its way through a batch. ``draw`` makes the answer of what was posted."""

    digest: bytes
    draw: Callable[[Posted], Answer[Any]]
    answer: Answer[Any] | None = None
    """Drawn once, when it is kept."""


class KeptAnswers:
    """The companion (:class:`~worker.ledger.group_poster.Companion`) of the ledger's poster."""

    async def admit(self, connection: Connection, tickets: Sequence[Ticket]) -> list[Reply | None]:
        """What stands instead of each posting; the second of two equal keys in one batch has to come back."""
        admissions = await store.admit_keys(connection, [ticket.digest for ticket in tickets])
        seen: set[bytes] = set()
        replies: list[Reply | None] = []
        for ticket, admission in zip(tickets, admissions, strict=True):
            if admission.kept is not None:
                replies.append(admission.kept)
            elif not admission.locked or ticket.digest in seen:
                replies.append(in_progress())
            else:
                replies.append(None)
            seen.add(ticket.digest)
        return replies

    async def keep(self, connection: Connection, outcomes: Sequence[tuple[Ticket, Result]]) -> None:
        """Keep the answers of what was posted; a refusal leaves nothing behind."""
        answers: dict[bytes, Answer[Any]] = {}
        for ticket, result in outcomes:
            if isinstance(result, Posted):
                answers[ticket.digest] = ticket.answer = ticket.draw(result)
        if answers:
            await store.keep_answers(connection, answers)


def in_progress() -> Rejected:
    """The refusal of a key that another call holds."""
    words = "a request with this Idempotency-Key is still in progress: send it again in a moment"
    return conflict("Idempotency-Key", words)
