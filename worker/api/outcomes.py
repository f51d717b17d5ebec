"""What the ledger answered, in the words of the API: a transaction, or Modern Treasury's refusal. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, assert_never

from worker.api.metadata import too_many_pairs
from worker.api.objects import Entry, Transaction, Unit
from worker.api.refusals import invalid, not_found, unknown
from worker.api.transaction_body import ENTRIES
from worker.errors import Rejected
from worker.ledger.transaction import RefusalCode, Refused, Status
from worker.ledger.written import Written, WrittenEntry

EXTERNAL_ID_TAKEN: Final = "Another ledger transaction within the same ledger exists using the external ID you provided"
STALE_LOCK_VERSION: Final = (
    "The ledger transaction write failed because at least one of the provided ledger account versions is incorrect"
)
NEGATIVE_AMOUNT: Final = "Ledger entries must have nonnegative amounts"

OfEntries: TypeAlias = Literal[
    RefusalCode.STALE_LOCK_VERSION,
    RefusalCode.NEGATIVE_AMOUNT,
    RefusalCode.UNKNOWN_ACCOUNT,
    RefusalCode.DISCARDED_ACCOUNT,
    RefusalCode.OTHER_LEDGER,
    RefusalCode.AMOUNT_TOO_LARGE,
    RefusalCode.PARTIAL_AMOUNT,
    RefusalCode.UNBALANCED,
    RefusalCode.ENTRY_COUNT,
    RefusalCode.BALANCE_CONDITION,
    RefusalCode.PARTIAL_ENTRIES,
]
"""What is wrong with entries, all of them or one."""


def shown(written: Written, shows_balances: Sequence[bool] = ()) -> Transaction:
    """A transaction as it was just written; entries show their resulting balances where that was asked for."""
    entries = [
        _entry(entry, written.status, shows=place < len(shows_balances) and shows_balances[place])
        for place, entry in enumerate(written.entries)
    ]
    return Transaction(
        id=written.id,
        ledger_id=written.ledger_id,
        external_id=written.external_id,
        status=written.status,
        description=written.description,
        metadata=json.loads(written.metadata),
        effective_at=written.effective_at,
        effective_date=written.effective_at.date(),
        posted_at=written.posted_at,
        ledgerable=written.ledgerable,
        reverses=written.reverses,
        reversed_by=written.reversed_by,
        partially_posts=written.partially_posts,
        archived_reason=written.archived_reason,
        created_at=written.created_at,
        updated_at=written.updated_at,
        entries=tuple(entries),
    )


def external_id_taken() -> Rejected:
    """The external id belongs to a pending or posted transaction of this ledger, be it equal or not."""
    return invalid("external_id", EXTERNAL_ID_TAKEN)


def refusal(refused: Refused, before: Status | None = None, entries: str = ENTRIES) -> Rejected:
    """Why the ledger refused.

    ``before`` is what the transaction to be changed was, if there was one, ``entries`` the member the call has its
    entries in.
    """
    match refused.code:
        case RefusalCode.EXTERNAL_ID_TAKEN:
            return external_id_taken()
        case RefusalCode.NOT_PENDING:
            final = Status.ARCHIVED if before is Status.ARCHIVED else Status.POSTED
            return invalid("ledger_transaction", f"The ledger transaction may not be updated once it is {final}")
        case RefusalCode.NOT_POSTED | RefusalCode.ALREADY_REVERSED | RefusalCode.OF_SETTLEMENT:
            return invalid("ledger_transaction", _sentence(refused.detail))
        case RefusalCode.UNKNOWN_TRANSACTION:
            return not_found("Ledger transaction")
        case RefusalCode.TOO_MUCH_METADATA:
            return too_many_pairs()
        case RefusalCode.UNKNOWN_CATEGORY:
            return unknown(_category_of(refused), "Ledger account category")
        case RefusalCode.UNTOUCHED_CATEGORY:
            return invalid(_category_of(refused), _sentence(refused.detail))
        case RefusalCode.CATEGORY_CONDITION:
            return invalid("ledger_account_category_balance_locks", _sentence(refused.detail))
        case _:
            return _refused_entries(refused, refused.code, entries)


def _refused_entries(refused: Refused, code: OfEntries, entries: str) -> Rejected:
    one = entries if refused.place is None else f"{entries}[{refused.place}]"
    match code:
        case RefusalCode.STALE_LOCK_VERSION:
            return invalid(entries, STALE_LOCK_VERSION)
        case RefusalCode.NEGATIVE_AMOUNT:
            return invalid(f"{one}.amount", NEGATIVE_AMOUNT)
        case RefusalCode.UNKNOWN_ACCOUNT | RefusalCode.DISCARDED_ACCOUNT:
            return unknown(f"{one}.ledger_account_id", "Ledger account")
        case RefusalCode.OTHER_LEDGER:
            return invalid(f"{one}.ledger_account_id", _sentence(refused.detail))
        case RefusalCode.AMOUNT_TOO_LARGE | RefusalCode.PARTIAL_AMOUNT:
            return invalid(f"{one}.amount", _sentence(refused.detail))
        case (
            RefusalCode.UNBALANCED
            | RefusalCode.ENTRY_COUNT
            | RefusalCode.BALANCE_CONDITION
            | RefusalCode.PARTIAL_ENTRIES
        ):
            return invalid(one, _sentence(refused.detail))
        case _:
            assert_never(code)


def _category_of(refused: Refused) -> str:
    return f"ledger_account_category_balance_locks[{refused.place}].ledger_account_category_id"


def _entry(entry: WrittenEntry, status: Status, *, shows: bool) -> Entry:
    account = entry.account
    return Entry(
        id=entry.id,
        transaction_id=entry.transaction_id,
        account_id=entry.account_id,
        unit=Unit(account.currency, account.currency_exponent, account.normal_balance),
        direction=entry.direction,
        amount=entry.amount,
        status=status,
        effective_at=entry.effective_at,
        lock_version=entry.lock_version,
        sums=entry.sums if shows else None,
        metadata=json.loads(entry.metadata),
        discarded_at=None,
        created_at=entry.created_at,
        updated_at=entry.updated_at,
    )


def _sentence(detail: str) -> str:
    return detail[:1].upper() + detail[1:]
