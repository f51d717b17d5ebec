"""A person's correction of a loan event: another message in its place, under an identity made from its own. Pure."""

from __future__ import annotations

import re
from typing import Final

from worker.errors import Rejected
from worker.inbox.messages import NewMessage, loan_message

_CORRECTION: Final = re.compile(r"(?P<event>.+)\.correction-(?P<n>[0-9]+)")
"""No sender's webhook id has a full stop in it, so none can be mistaken for this."""


def correction_id(webhook_id: str) -> str:
    """The identity of what is sent in place of an event: ``evt.correction-1``, and ``-2`` in place of that."""
    former = _CORRECTION.fullmatch(webhook_id)
    return f"{former['event']}.correction-{int(former['n']) + 1}" if former else f"{webhook_id}.correction-1"


def read_correction(webhook_id: str, loan_id: str | None, body: bytes) -> NewMessage:
    """The message to store in place of the event so named, about that loan; ``body`` is read exactly as a webhook's.

    Raises :class:`~worker.errors.Rejected` for what is no event, and (422) for one about another loan.
    """
    correction = loan_message(correction_id(webhook_id), body)
    if correction.loan_id != loan_id:
        words = f"be {loan_id}, as in the event it corrects" if loan_id else "be left out: what it corrects has no loan"
        raise Rejected(422, f"must {words}", field="data.loan_id", code="impossible_event")
    return correction
