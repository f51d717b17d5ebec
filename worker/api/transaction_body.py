"""What to post, out of the bodies of ``/api/ledger_transactions``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

from worker.api.body import MAX_DESCRIPTION, MAX_EXTERNAL_ID, Body
from worker.api.changes import read_external_id, read_ledgerable
from worker.api.refusals import invalid
from worker.ledger.transaction import (
    MAX_ENTRIES,
    UNSET,
    BalanceCondition,
    BalanceKind,
    CategoryLock,
    Comparison,
    Create,
    Direction,
    NewEntry,
    NewTransaction,
    Operation,
    PartialPost,
    Reverse,
    Status,
    Unset,
    Update,
)

T = TypeVar("T")

MAX_CATEGORY_LOCKS: Final = 50
"""Categories one transaction may lock: each is waited for while all its accounts are locked. Modern Treasury names no
limit of its own."""


ENTRIES: Final = "ledger_entries"
POSTED_ENTRIES: Final = "posted_ledger_entries"
"""The members that have a call's entries."""


class LedgerableType(StrEnum):
    """What a transaction may stand for."""

    EXPECTED_PAYMENT = "expected_payment"
    INCOMING_PAYMENT_DETAIL = "incoming_payment_detail"
    PAYMENT_ORDER = "payment_order"
    RETURN = "return"
    REVERSAL = "reversal"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An operation for the ledger, which of its entries are to show the balances they lead to, and where they were."""

    operation: Operation
    accounts: tuple[UUID, ...] = ()
    shows_balances: tuple[bool, ...] = ()
    entries_name: str = ENTRIES


def read_create(body: Body) -> Wanted:
    """A new transaction, pending unless it says otherwise."""
    entries, shows = _required_entries(body, ENTRIES)
    transaction = NewTransaction(
        external_id=body.some_text("external_id", MAX_EXTERNAL_ID),
        status=body.choice("status", Status) or Status.PENDING,
        effective_at=_read_effective(body),
        description=body.text("description", MAX_DESCRIPTION),
        metadata=body.metadata(),
        entries=entries,
        ledgerable=read_ledgerable(body, LedgerableType),
    )
    archives = bool(body.flag("archive_on_balance_lock_failure"))
    category_locks = _read_category_locks(body)
    body.finish()
    return Wanted(Create(transaction, archives, category_locks), _accounts(entries), shows)


def read_update(body: Body, transaction_id: UUID) -> Wanted:
    """A change of a transaction; entries, when given, replace all there are."""
    found = body.objects(ENTRIES, MAX_ENTRIES)
    entries, shows = (UNSET, ()) if found is None else _read_entries(found)
    description, external_id = body.change("description", MAX_DESCRIPTION), read_external_id(body)
    metadata = body.metadata_changes()
    operation = Update(
        transaction=transaction_id,
        status=_unset(body.choice("status", Status)),
        description=description.value if description.given else UNSET,
        metadata=metadata or UNSET,
        effective_at=_unset(body.moment("effective_at")),
        external_id=external_id.value if external_id.given else UNSET,
        ledgerable=_unset(read_ledgerable(body, LedgerableType)),
        entries=entries,
        category_locks=_read_category_locks(body),
    )
    body.finish()
    return Wanted(operation, () if entries is UNSET else _accounts(entries), shows)


def read_partial_post(body: Body, transaction_id: UUID) -> Wanted:
    """The part of a pending transaction that is to be posted."""
    entries, shows = _required_entries(body, POSTED_ENTRIES)
    operation = PartialPost(
        transaction_id,
        entries,
        body.text("description", MAX_DESCRIPTION),
        body.moment("effective_at"),
        body.metadata(),
    )
    body.finish()
    return Wanted(operation, _accounts(entries), shows, POSTED_ENTRIES)


def read_reversal(body: Body, transaction_id: UUID) -> Wanted:
    """A reversal of a posted transaction, posted unless it says otherwise."""
    operation = Reverse(
        original=transaction_id,
        external_id=body.some_text("external_id", MAX_EXTERNAL_ID),
        effective_at=body.moment("effective_at"),
        status=body.choice("status", Status) or Status.POSTED,
        description=body.text("description", MAX_DESCRIPTION),
        metadata=body.metadata(),
        ledgerable=read_ledgerable(body, LedgerableType),
    )
    body.finish()
    return Wanted(operation)


def _required_entries(body: Body, name: str) -> tuple[tuple[NewEntry, ...], tuple[bool, ...]]:
    return _read_entries(body.required_objects(name, MAX_ENTRIES))


def _read_entries(found: Sequence[Body]) -> tuple[tuple[NewEntry, ...], tuple[bool, ...]]:
    read = [_read_entry(body) for body in found]
    return tuple(entry for entry, _ in read), tuple(shows for _, shows in read)


def _read_entry(body: Body) -> tuple[NewEntry, bool]:
    entry = NewEntry(
        account=body.required_uuid("ledger_account_id"),
        direction=body.required_choice("direction", Direction),
        amount=body.required_amount(),
        lock_version=body.whole("lock_version"),
        conditions=_read_conditions(body),
        effective_at=body.moment("effective_at"),
        metadata=body.metadata(),
    )
    shows = bool(body.flag("show_resulting_ledger_account_balances"))
    body.finish()
    return entry, shows


def _read_category_locks(body: Body) -> tuple[CategoryLock, ...]:
    found = body.objects("ledger_account_category_balance_locks", MAX_CATEGORY_LOCKS) or []
    return tuple(_read_category_lock(one) for one in found)


def _read_category_lock(body: Body) -> CategoryLock:
    lock = CategoryLock(body.required_uuid("ledger_account_category_id"), _read_conditions(body))
    body.finish()
    return lock


def _read_conditions(body: Body) -> tuple[BalanceCondition, ...]:
    return tuple(
        BalanceCondition(kind, comparison, amount)
        for kind in BalanceKind
        for comparison, amount in body.numbers(f"{kind}_balance_amount", Comparison).items()
    )


def _read_effective(body: Body) -> datetime | None:
    """``effective_at``, or the midnight of ``effective_date``; both may be given when they mean the same day."""
    moment, day = body.moment("effective_at"), body.moment("effective_date")
    if moment is not None and day is not None and moment.date() != day.date():
        raise invalid("effective_date", "effective_at and effective_date must be of the same day")
    return moment or day


def _accounts(entries: Sequence[NewEntry]) -> tuple[UUID, ...]:
    return tuple(entry.account for entry in entries if isinstance(entry.account, UUID))


def _unset(value: T | None) -> T | Unset:
    return UNSET if value is None else value
