"""Whether entries may be written: pure, each check answers with the refusal or with None."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, assert_never
from uuid import UUID

from worker.ledger.balance import Sums
from worker.ledger.book import Account, Book
from worker.ledger.transaction import (
    MAX_AMOUNT,
    MAX_ENTRIES,
    BalanceCondition,
    Comparison,
    Direction,
    NewEntry,
    RefusalCode,
    Refused,
    Status,
)
from worker.ledger.written import WrittenEntry


class Release(NamedTuple):
    """A pending amount taken back from one side of an account."""

    account_id: UUID
    direction: Direction
    amount: int


def find_accounts(entries: Sequence[NewEntry], book: Book) -> list[Account] | Refused:
    """The account of each entry, when the entries by themselves make a transaction of this ledger."""
    if refusal := _refuse_shape(entries):
        return refusal
    known, accounts = book.accounts, []
    for place, entry in enumerate(entries):
        account = known.get(entry.account)
        if account is None or account.fixed.discarded or account.fixed.ledger_id != book.ledger_id:
            return _refuse_account(entry, account, place)
        accounts.append(account)
    return _refuse_imbalance(entries, accounts) or accounts


def refuse_locks(
    entries: Sequence[NewEntry], accounts: Sequence[Account], status: Status, released: Iterable[Release] = ()
) -> Refused | None:
    """Check expected versions before, and conditions after the entries are written and ``released`` is taken back."""
    conditional = False
    for place, entry in enumerate(entries):
        if entry.lock_version is not None and entry.lock_version != accounts[place].lock_version:
            account = accounts[place]
            return Refused(
                RefusalCode.STALE_LOCK_VERSION,
                f"{account.fixed.label} is at version {account.lock_version}, not {entry.lock_version}",
                place,
            )
        conditional = conditional or bool(entry.conditions)
    if not conditional:
        return None
    after = {account.fixed.id: account.sums for account in accounts}
    for release in released:
        if release.account_id in after:
            after[release.account_id] = after[release.account_id].moved(
                release.direction, posted=0, pending=-release.amount
            )
    for entry, account in zip(entries, accounts, strict=True):
        posted, pending = effect_of(status, entry.amount)
        after[account.fixed.id] = after[account.fixed.id].moved(entry.direction, posted=posted, pending=pending)
    return _refuse_conditions(entries, accounts, after)


def refuse_part(
    entries: Sequence[NewEntry], accounts: Sequence[Account], whole: Sequence[WrittenEntry]
) -> Refused | None:
    """Check that a part names each account and direction of the whole, each with less than what is pending there.

    Of nothing, nothing is posted.
    """
    left = sides(whole)
    for place, (entry, account) in enumerate(zip(entries, accounts, strict=True)):
        pending = left.get((account.fixed.id, entry.direction))
        if not pending:
            return Refused(
                RefusalCode.PARTIAL_ENTRIES,
                f"the pending transaction has no further {entry.direction} on {account.fixed.label}",
                place,
            )
        amount = pending.pop(0).amount
        if entry.amount >= amount and (entry.amount or amount):
            bound = f"less than {amount}" if amount else "0 as it is there"
            return Refused(
                RefusalCode.PARTIAL_AMOUNT,
                f"the {entry.direction} on {account.fixed.label} must be {bound}, not {entry.amount}",
                place,
            )
    for missing in (entry for pending in left.values() for entry in pending):
        return Refused(
            RefusalCode.PARTIAL_ENTRIES, f"the {missing.direction} on {missing.account.label} must be part of it too"
        )
    return None


def sides(entries: Iterable[WrittenEntry]) -> dict[tuple[UUID, Direction], list[WrittenEntry]]:
    """Entries by account and direction, in their own order."""
    found: dict[tuple[UUID, Direction], list[WrittenEntry]] = {}
    for entry in entries:
        found.setdefault((entry.account_id, entry.direction), []).append(entry)
    return found


def effect_of(status: Status, amount: int) -> tuple[int, int]:
    """What a new entry of a transaction with this status adds to its side, posted and pending."""
    match status:
        case Status.POSTED:
            return amount, amount
        case Status.PENDING:
            return 0, amount
        case Status.ARCHIVED:
            return 0, 0
        case _:
            assert_never(status)


def holds(balance: int, condition: BalanceCondition) -> bool:
    """Whether a balance is what the condition wants."""
    match condition.comparison:
        case Comparison.GT:
            return balance > condition.amount
        case Comparison.GTE:
            return balance >= condition.amount
        case Comparison.LT:
            return balance < condition.amount
        case Comparison.LTE:
            return balance <= condition.amount
        case Comparison.EQ:
            return balance == condition.amount
        case _:
            assert_never(condition.comparison)


def _refuse_shape(entries: Sequence[NewEntry]) -> Refused | None:
    if not 2 <= len(entries) <= MAX_ENTRIES:
        return Refused(RefusalCode.ENTRY_COUNT, f"a transaction has 2 to {MAX_ENTRIES} entries, not {len(entries)}")
    for place, entry in enumerate(entries):
        if not 0 <= entry.amount <= MAX_AMOUNT:
            return _refuse_amount(entry, place)
    first = entries[0].direction
    if all(entry.direction is first for entry in entries):
        return Refused(RefusalCode.UNBALANCED, "a transaction has at least one debit and one credit")
    return None


def _refuse_amount(entry: NewEntry, place: int) -> Refused:
    if entry.amount < 0:
        detail = f"the amount on {entry.account} must be 0 or more, not {entry.amount}"
        return Refused(RefusalCode.NEGATIVE_AMOUNT, detail, place)
    return Refused(RefusalCode.AMOUNT_TOO_LARGE, f"the amount on {entry.account} has more than 36 digits", place)


def _refuse_account(entry: NewEntry, account: Account | None, place: int) -> Refused:
    if account is None:
        return Refused(RefusalCode.UNKNOWN_ACCOUNT, f"ledger account {entry.account} does not exist", place)
    if account.fixed.discarded:
        return Refused(RefusalCode.DISCARDED_ACCOUNT, f"ledger account {entry.account} is discarded", place)
    return Refused(RefusalCode.OTHER_LEDGER, f"ledger account {entry.account} is of another ledger", place)


def _refuse_imbalance(entries: Sequence[NewEntry], accounts: Sequence[Account]) -> Refused | None:
    differences: dict[tuple[str, int], int] = {}
    for entry, account in zip(entries, accounts, strict=True):
        unit = (account.fixed.currency, account.fixed.currency_exponent)
        signed = entry.amount if entry.direction is Direction.DEBIT else -entry.amount
        differences[unit] = differences.get(unit, 0) + signed
    for (currency, _), difference in differences.items():
        if difference:
            return Refused(
                RefusalCode.UNBALANCED, f"debits less credits must be 0, not {difference} minor units of {currency}"
            )
    return None


def _refuse_conditions(
    entries: Sequence[NewEntry], accounts: Sequence[Account], after: dict[UUID, Sums]
) -> Refused | None:
    for place, (entry, account) in enumerate(zip(entries, accounts, strict=True)):
        for condition in entry.conditions:
            balance = after[account.fixed.id].balance(condition.balance, account.fixed.normal_balance)
            if not holds(balance, condition):
                return Refused(
                    RefusalCode.BALANCE_CONDITION,
                    f"the {condition.balance} balance of {account.fixed.label} would be {balance}, "
                    f"which is not {condition.comparison} {condition.amount}",
                    place,
                )
    return None
