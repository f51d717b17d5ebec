"""The state machine of a step: one record to be written, one push operation at Codat. Pure.

::

                 intended              accepted              confirmed
      planned ────────────▶ sending ────────────▶ pending ────────────▶ succeeded
        ▲ ▲ │                │ │ │                 │ │                     ▲  ▲
        │ │ └─ adopted ──────┼─┼─┼─ confirmed ─────┼─┼─────────────────────┘  │
        │ │                  │ │ └─ refused ───────┼─┴─ refused ──▶ failed ───┤ confirmed
        │ └── retried ───────┼─┼───────────────────┼────────────────┘ │▲      │
        │                    │ └─ lost ──▶ unknown ◀── lost ── lost ──┘│      │
        └──── proven absent ─┼──────────────┘ │ │ └─── refused ────────┘      │
                             │                │ └───── adopted, confirmed ────┘
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, assert_never

from worker.errors import Bug


class StepState(StrEnum):
    """Where a step is. Only ``succeeded`` is final: every other state either goes on or waits for somebody."""

    PLANNED = "planned"
    """Nothing has left this program under the step's current key generation."""
    SENDING = "sending"
    """Body, date and Idempotency-Key are stored; the request may or may not have left."""
    PENDING = "pending"
    """Codat gave a push operation key and has not finished."""
    SUCCEEDED = "succeeded"
    """The record is in the borrower's books and its id is stored."""
    FAILED = "failed"
    """Codat said it wrote nothing, and why."""
    UNKNOWN = "unknown"
    """It may have been written; only looking can tell."""


class StepEvent(StrEnum):
    """What can happen to a step."""

    INTENDED = "intended"
    """Body, date and key were stored, before the request leaves."""
    ACCEPTED = "accepted"
    """Codat answered with a push operation that is not finished."""
    CONFIRMED = "confirmed"
    """The push operation was read and says Success."""
    REFUSED = "refused"
    """Codat said deterministically that nothing was written."""
    LOST = "lost"
    """What happened cannot be told from any answer (a 5xx, 80 minutes without one, TimedOut, an unknown key)."""
    ADOPTED = "adopted"
    """The record was found in the books by its own reference."""
    PROVEN_ABSENT = "proven_absent"
    """Push history and freshly read books both show nothing of this step."""
    RETRIED = "retried"
    """The cause of a refusal may be gone: a new key generation may be sent."""


_FROM_PLANNED: Final = {StepEvent.INTENDED: StepState.SENDING, StepEvent.ADOPTED: StepState.SUCCEEDED}
_FROM_SENDING: Final = {
    StepEvent.ACCEPTED: StepState.PENDING,
    StepEvent.CONFIRMED: StepState.SUCCEEDED,
    StepEvent.REFUSED: StepState.FAILED,
    StepEvent.LOST: StepState.UNKNOWN,
}
_FROM_PENDING: Final = {
    StepEvent.CONFIRMED: StepState.SUCCEEDED,
    StepEvent.REFUSED: StepState.FAILED,
    StepEvent.LOST: StepState.UNKNOWN,
}
_FROM_FAILED: Final = {
    StepEvent.RETRIED: StepState.PLANNED,
    StepEvent.CONFIRMED: StepState.SUCCEEDED,
    StepEvent.LOST: StepState.UNKNOWN,
}
_FROM_UNKNOWN: Final = {
    StepEvent.ADOPTED: StepState.SUCCEEDED,
    StepEvent.CONFIRMED: StepState.SUCCEEDED,
    StepEvent.REFUSED: StepState.FAILED,
    StepEvent.PROVEN_ABSENT: StepState.PLANNED,
}


def transition(state: StepState, event: StepEvent) -> StepState:
    """The state after ``event``; raises :class:`~worker.errors.Bug` for one that cannot happen in ``state``."""
    match state:
        case StepState.PLANNED:
            after = _FROM_PLANNED.get(event)
        case StepState.SENDING:
            after = _FROM_SENDING.get(event)
        case StepState.PENDING:
            after = _FROM_PENDING.get(event)
        case StepState.FAILED:
            after = _FROM_FAILED.get(event)
        case StepState.UNKNOWN:
            after = _FROM_UNKNOWN.get(event)
        case StepState.SUCCEEDED:
            after = None
        case _:
            assert_never(state)
    if after is None:
        raise Bug(f"a step that is {state} cannot be {event}")
    return after
