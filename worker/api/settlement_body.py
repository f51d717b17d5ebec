"""What settlements are asked for and what they come to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from worker.api.body import MAX_DESCRIPTION, Body, Change
from worker.api.objects import Settlement, SettlementStatus
from worker.api.refusals import invalid, unknown
from worker.errors import Bug, Rejected
from worker.ledger.transaction import (
    Create,
    Direction,
    NewEntry,
    NewTransaction,
    RefusalCode,
    Refused,
    Status,
)

MAX_ENTRIES_NAMED: Final = 1000
"""Entries added to or removed from a draft at once: as many as one transaction has."""

ACCOUNTS: Final = ("settled_ledger_account_id", "contra_ledger_account_id")
"""The parameters that name the accounts of a settlement's transaction, entry by entry."""


class Beginning(StrEnum):
    """What a settlement may be from the first."""

    PENDING = SettlementStatus.PENDING.value
    POSTED = SettlementStatus.POSTED.value
    DRAFTING = SettlementStatus.DRAFTING.value


class Ending(StrEnum):
    """What may become of it."""

    POSTED = SettlementStatus.POSTED.value
    ARCHIVED = SettlementStatus.ARCHIVED.value


@dataclass(frozen=True, slots=True)
class SettlementChange:
    """What becomes of a settlement; metadata without a value is removed."""

    status: SettlementStatus | None
    description: Change[str]
    metadata: Mapping[str, str | None]
    skips_transaction: bool


@dataclass(frozen=True, slots=True)
class Net:
    """What a settlement takes over: an amount, and the side of its entry on the settled account."""

    amount: int
    direction: Direction


def read_change(body: Body) -> SettlementChange:
    """A change out of a body, which it finishes."""
    ending = body.choice("status", Ending)
    change = SettlementChange(
        SettlementStatus(ending) if ending else None,
        body.change("description", MAX_DESCRIPTION),
        body.metadata_changes(),
        bool(body.flag("skip_settlement_ledger_transaction")),
    )
    body.finish()
    return change


def read_entry_ids(body: Body) -> list[UUID]:
    """The entries to add or remove, which must be said, be it that there are none."""
    entry_ids = body.required_uuids("ledger_entry_ids", MAX_ENTRIES_NAMED)
    body.finish()
    return list(dict.fromkeys(entry_ids))


def net_of(settlement: Settlement, debits_less_credits: int) -> Net:
    """What brings the entries' sum to zero.

    Raises :class:`~worker.errors.Rejected` (422) when the sum is on the account's other side and that was not allowed.
    """
    normal = settlement.unit.normal_balance
    balance = debits_less_credits if normal is Direction.DEBIT else -debits_less_credits
    if balance < 0 and not settlement.allow_either_direction:
        raise invalid(
            "allow_either_direction",
            f"The balance to settle is {balance}: allow_either_direction is needed to settle a negative balance",
        )
    return Net(abs(balance), normal.opposite if balance >= 0 else normal)


def transaction_of(settlement: Settlement, net: Net, status: Status) -> Create:
    """The transaction that settles: it takes effect at the bound, from when on the settled entries add up to zero."""
    return Create(
        NewTransaction(
            external_id=None,
            status=status,
            effective_at=settlement.upper_bound,
            description=settlement.description,
            metadata={},
            entries=(
                NewEntry(settlement.settled_account_id, net.direction, net.amount),
                NewEntry(settlement.contra_account_id, net.direction.opposite, net.amount),
            ),
        )
    )


def refused_change(status: SettlementStatus) -> Rejected:
    """Why nothing becomes of a settlement any more that is posted or archived."""
    return invalid("status", f"The ledger account settlement may not be updated once it is {status}")


def refused_posting(refused: Refused) -> Rejected:
    """Why the ledger did not post what settles, by the settlement's parameters: nobody sent the entries."""
    parameter = ACCOUNTS[refused.place or 0]
    match refused.code:
        case RefusalCode.UNKNOWN_ACCOUNT | RefusalCode.DISCARDED_ACCOUNT:
            return unknown(parameter, "Ledger account")
        case RefusalCode.AMOUNT_TOO_LARGE:
            return invalid(parameter, "The balance to settle has more digits than a ledger entry can have")
        case _:
            raise Bug(f"the ledger refused what settles an account: {refused.detail}")
