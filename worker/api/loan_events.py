"""What callers may not change because loan events wrote it, and go on from it as it is. Pure.

Everything else about it they may: descriptions, names and metadata are theirs to edit, but for the keys that tell a
loan's and an investor's accounts, and so are transactions of their own in the same ledger. Corrections come as loan
events, so that a loan's totals and its ledger never part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from worker.api.refusals import invalid
from worker.errors import Rejected
from worker.ledger.transaction import UNSET, Operation, PartialPost, Reverse, Status, Update
from worker.loans.events import (
    FeeCharged,
    FeeWaived,
    InterestAccrued,
    InterestRebated,
    RebateReversed,
    RepaymentFailed,
    RepaymentInitiated,
    RepaymentReversed,
    RepaymentSettled,
)

KEPT_FOR_LOANS: Final = "LW009"
"""The tables' code for another external id, or the end, of an account or category that loan events find by it."""

PARTY_KEPT: Final = "LW010"
"""The tables' code for other metadata that tells whose account it is, of one that loan events find."""

_WAYS_ON: Final[Mapping[str, str]] = MappingProxyType(
    {
        RepaymentInitiated.type: f"{RepaymentSettled.type} or {RepaymentFailed.type}",
        RepaymentSettled.type: RepaymentReversed.type,
        InterestAccrued.type: InterestRebated.type,
        InterestRebated.type: RebateReversed.type,
        FeeCharged.type: FeeWaived.type,
    }
)
"""Loan events that go on from what another one wrote, or undo it."""


@dataclass(frozen=True, slots=True)
class LoanEvent:
    """The last loan event that wrote a transaction; what it is about has a kind: a loan, an investor or just itself."""

    id: str
    type: str
    subject_kind: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class Before:
    """A transaction that is to be changed: its ledger, what its status is, and the loan event that wrote it, if any."""

    ledger_id: UUID
    status: Status
    written_by: LoanEvent | None


def refuse_change(before: Before, operation: Operation) -> None:
    """Raise :class:`~worker.errors.Rejected` (422) where the operation would undo what a loan event did."""
    event = before.written_by
    if event is None or (changed := _changed(before.status, operation)) is None:
        return
    about = "" if event.subject_kind == "event" else f" of {event.subject_kind} {event.subject_id}"
    way_on = _WAYS_ON.get(event.type, "the loan event that corrects it")
    raise invalid(
        changed,
        f"The ledger transaction was written by the event {event.id} ({event.type}){about}: send {way_on} instead. "
        "Its description and metadata may be edited",
    )


def kept_category(external_id: str) -> Rejected:
    """422: a category whose contents are loan events' to decide."""
    return invalid(
        "ledger_account_category_id",
        f"Loan events put accounts into the ledger account category {external_id}, which may not be changed otherwise: "
        "use a category of your own; accounts and categories may be in several",
    )


def _changed(status: Status, operation: Operation) -> str | None:
    """The first parameter that says more than words about a transaction; None if there is none."""
    match operation:
        case Update():
            given = {
                "status": operation.status not in {UNSET, status},
                "ledger_entries": operation.entries is not UNSET,
                "effective_at": operation.effective_at is not UNSET,
                "external_id": operation.external_id is not UNSET,
            }
            return next((name for name, changes in given.items() if changes), None)
        case PartialPost() | Reverse():
            return "ledger_transaction"
        case _:
            return None
