"""Whether the balances of categories let an operation pass: pure, each check answers with the refusal or with None."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from worker.ledger.balance import Sums
from worker.ledger.book import Account, Book, Category
from worker.ledger.checks import effect_of, holds
from worker.ledger.transaction import UNSET, CategoryLock, Direction, NewEntry, RefusalCode, Refused, Status, Update
from worker.ledger.written import Written


class Move(NamedTuple):
    """What an operation would add to one side of an account; less than zero takes back."""

    account: Account
    direction: Direction
    posted: int
    pending: int


def moves_of(entries: Iterable[NewEntry], accounts: Iterable[Account], status: Status) -> list[Move]:
    """What new entries on their accounts come to."""
    return [
        Move(account, entry.direction, *effect_of(status, entry.amount))
        for entry, account in zip(entries, accounts, strict=True)
    ]


def moves_to(book: Book, before: Written, wanted: Written, update: Update) -> list[Move]:
    """What an update comes to: its transaction's entries are taken back, and written as they shall be."""
    accounts = [book.accounts[entry.account_id] for entry in before.entries]
    moves = []
    for entry, account in zip(before.entries, accounts, strict=True):
        posted, pending = effect_of(before.status, entry.amount)
        moves.append(Move(account, entry.direction, -posted, -pending))
    if update.entries is not UNSET:
        return moves + moves_of(update.entries, [book.accounts[e.account] for e in update.entries], wanted.status)
    again = zip(before.entries, accounts, strict=True)
    return moves + [Move(account, e.direction, *effect_of(wanted.status, e.amount)) for e, account in again]


def refuse_categories(locks: Sequence[CategoryLock], moves: Sequence[Move], book: Book) -> Refused | None:
    """Check that the categories exist and that each contains an account of the moves, as Modern Treasury requires."""
    for place, lock in enumerate(locks):
        category = book.categories.get(lock.category_id)
        if category is None:
            detail = f"ledger account category {lock.category_id} does not exist in this ledger"
            return Refused(RefusalCode.UNKNOWN_CATEGORY, detail, place)
        if not any(category in move.account.categories for move in moves):
            detail = f"ledger account category {lock.category_id} contains none of the transaction's accounts"
            return Refused(RefusalCode.UNTOUCHED_CATEGORY, detail, place)
    return None


def refuse_category_locks(locks: Sequence[CategoryLock], moves: Sequence[Move], book: Book) -> Refused | None:
    """Check conditions after the moves; the categories are known to exist."""
    for place, lock in enumerate(locks):
        category = book.categories[lock.category_id]
        after = _after(category, moves)
        for condition in lock.conditions:
            balance = after.balance(condition.balance, category.normal_balance)
            if not holds(balance, condition):
                return Refused(
                    RefusalCode.CATEGORY_CONDITION,
                    f"the {condition.balance} balance of ledger account category {category.id} would be {balance}, "
                    f"which is not {condition.comparison} {condition.amount}",
                    place,
                )
    return None


def _after(category: Category, moves: Iterable[Move]) -> Sums:
    after = category.sums
    for account, direction, posted, pending in moves:
        if category in account.categories:
            after = after.moved(direction, posted=posted, pending=pending)
    return after
