"""What a journal is written from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from worker.ledger.journal.names import SHORT_ID_DIGITS, WHOLE_ID_DIGITS, account_path, commodity, path_by_name
from worker.ledger.transaction import Direction, Status
from worker.money import format_minor

_ROOTS: Final = {
    "cash": "Assets",
    "loan": "Assets",
    "LP": "Liabilities",
    "payable": "Liabilities",
    "revenue": "Income",
    "expense": "Expenses",
}
"""The root of an account by its metadata's ``accountType``; others go by their normal side."""


@dataclass(frozen=True, slots=True)
class JournalAccount:
    """An account as a journal opens it."""

    id: UUID
    external_id: str | None
    name: str
    normal_balance: Direction
    currency: str
    exponent: int
    metadata: Mapping[str, str]

    @property
    def root(self) -> str:
        """Which of the five kinds of account this is."""
        by_side = "Assets" if self.normal_balance is Direction.DEBIT else "Liabilities"
        return _ROOTS.get(self.metadata.get("accountType", ""), by_side)

    @property
    def commodity(self) -> str:
        """The name of the account's currency in a journal."""
        return commodity(self.currency)

    def path(self, id_digits: int) -> str:
        """The account's full name in a journal; ``id_digits`` of its id are part of it if it has no external id."""
        below = (
            path_by_name(self.name, self.id, id_digits) if self.external_id is None else account_path(self.external_id)
        )
        return f"{self.root}:{below}"


class JournalEntry(NamedTuple):
    """Signed minor units on an account, debits positive, and the business day they count for."""

    account_id: UUID
    minor: int
    effective_date: date


@dataclass(frozen=True, slots=True)
class JournalTransaction:
    """A pending or posted transaction with its entries, whose dates may be others than its own.

    They balance, unless some of them are outside of the journal's period. ``id`` is None for the transactions that
    carry forward what was before the journal's first day.
    """

    id: UUID | None
    external_id: str | None
    status: Status
    effective_date: date
    description: str | None
    metadata: Mapping[str, str]
    reverses: UUID | None
    reversed: bool
    entries: tuple[JournalEntry, ...]

    @property
    def flag(self) -> str:
        """How beancount and hledger mark what is settled and what is not yet."""
        return "!" if self.status is Status.PENDING else "*"


@dataclass(frozen=True, slots=True)
class JournalHead:
    """What a journal begins with; ``opened_on`` is a day no later than any transaction's."""

    title: str
    opened_on: date
    accounts: tuple[JournalAccount, ...]


class Posting(NamedTuple):
    """Signed minor units of a currency on an account, by its full name in a journal."""

    path: str
    currency: str
    exponent: int
    minor: int

    @property
    def commodity(self) -> str:
        """The name of the currency in a journal."""
        return commodity(self.currency)

    @property
    def amount(self) -> str:
        """The amount as decimal text."""
        return format_minor(self.minor, self.exponent)


class Chart:
    """The accounts of a journal under the names it gives them; two that would share one show their whole ids."""

    def __init__(self, accounts: Iterable[JournalAccount]) -> None:
        self._accounts = {account.id: account for account in accounts}
        short = {account.id: account.path(SHORT_ID_DIGITS) for account in self._accounts.values()}
        held = Counter(short.values())
        self._paths = {
            account_id: path if held[path] == 1 else self._accounts[account_id].path(WHOLE_ID_DIGITS)
            for account_id, path in short.items()
        }

    def __iter__(self) -> Iterator[tuple[str, JournalAccount]]:
        """Every account after its full name, in the order of these."""
        return iter(sorted((path, self._accounts[account_id]) for account_id, path in self._paths.items()))

    def postings(self, entries: Iterable[JournalEntry]) -> list[Posting]:
        """What entries are in a journal, whatever their dates."""
        found = [(self._accounts[entry.account_id], entry) for entry in entries]
        return [Posting(self._paths[one.id], one.currency, one.exponent, entry.minor) for one, entry in found]


BETWEEN_DATES: Final = "Equity:Between-Dates"
"""Where amounts are between the dates of two entries of a transaction. No account of a ledger is called equity."""


def balancing(postings: Iterable[Posting]) -> list[Posting]:
    """What balances those of a transaction's postings that count by some day: the rest counts on other days."""
    sums: dict[tuple[str, int], int] = {}
    for posting in postings:
        unit = posting.currency, posting.exponent
        sums[unit] = sums.get(unit, 0) + posting.minor
    return [Posting(BETWEEN_DATES, *unit, -minor) for unit, minor in sums.items() if minor]


def by_day(entries: Iterable[JournalEntry]) -> list[tuple[date, list[JournalEntry]]]:
    """Entries of the same day together, the earliest first."""
    days: dict[date, list[JournalEntry]] = {}
    for entry in entries:
        days.setdefault(entry.effective_date, []).append(entry)
    return sorted(days.items())
