"""What the inbox stores: a genuine webhook, what it is about, and the job and lane it becomes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from worker.inbox.codat_webhooks import (
    ConnectionChanged,
    Envelope,
    Ignored,
    PushStatusChanged,
    RateLimit,
    interpret,
)
from worker.jobs.job import lane
from worker.loans.event_text import parse_event
from worker.loans.events import CapitalContributed, CapitalDistributed, CashReceived, CashSwept, ExpenseIncurred

APPLY_EVENT: Final = "apply_event"
"""Kind of the job that applies a loan event; its subject is the message."""

CODAT_WEBHOOK: Final = "codat_webhook"
"""Kind of the job that acts on what Codat said; its subject is the message."""


class Source(StrEnum):
    """Who sends webhooks here; each has its own identities and its own secrets."""

    LOANS = "loans"
    CODAT = "codat"


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A webhook to store. ``digest`` is the SHA-256 of ``body``; ``kind`` and ``lane`` are its job's."""

    source: Source
    webhook_id: str
    type: str
    loan_id: str | None
    digest: bytes
    body: bytes
    kind: str
    lane: int


def loan_message(webhook_id: str, body: bytes) -> NewMessage:
    """The message of a loan event, in the lane of its loan or investor.

    Raises :class:`~worker.errors.Rejected` for a body that is no event, see
    :func:`~worker.loans.event_text.parse_event`.
    """
    event = parse_event(body)
    loan_id = None
    match event:
        case CapitalContributed() | CapitalDistributed():
            where = lane("investor", event.investor_id)
        case CashReceived() | CashSwept() | ExpenseIncurred():
            where = lane("event", webhook_id)
        case _:
            loan_id = event.loan_id
            where = lane("loan", loan_id)
    return NewMessage(Source.LOANS, webhook_id, event.type, loan_id, sha256(body).digest(), body, APPLY_EVENT, where)


def codat_message(webhook_id: str | None, envelope: Envelope, body: bytes) -> NewMessage:
    """The message of one of Codat's webhooks, in the lane of the push operation or connection it is about.

    Codat's older rules sign nothing and name no delivery: ``webhook_id`` is then ``None``, and a redelivery is
    recognised by its bytes, the alert's own id among them.
    """
    digest = sha256(body).digest()
    identity = webhook_id or f"legacy:{digest.hex()}"
    match interpret(envelope):
        case PushStatusChanged(push_operation_key=key):
            about = str(key)
        case ConnectionChanged(connection_id=connection_id):
            about = str(connection_id)
        case RateLimit() | Ignored():
            about = identity
    return NewMessage(Source.CODAT, identity, envelope.type, None, digest, body, CODAT_WEBHOOK, lane("codat", about))
