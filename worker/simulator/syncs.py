"""What Codat has read so far: reads are served from its last sync, not from the accounting software.

Records count as read up to a point in the order they were written; balances are remembered as they were at the sync.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from worker.simulator.books import Account, Record
from worker.simulator.rules import DataType
from worker.simulator.wire import Document, stamp
from worker.simulator.world import Company

SYNCED_TYPES: Final = tuple(DataType)
"""What a full sync reads."""


@dataclass(slots=True)
class View:
    """Codat's copy of one company's books."""

    seen: dict[DataType, int] = field(default_factory=dict)
    balances: dict[DataType, dict[str, int]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    synced_at: dict[DataType, datetime] = field(default_factory=dict)
    running: set[DataType] = field(default_factory=set)

    def read(self, company: Company, data_type: DataType, now: datetime) -> None:
        """Takes over everything the books hold of one data type."""
        books = company.books
        self.synced_at[data_type] = now
        self.running.discard(data_type)
        match data_type:
            case DataType.ACCOUNTS | DataType.BANK_ACCOUNTS:
                self.balances[data_type] = {account.id: account.balance for account in books.accounts.values()}
            case DataType.BANK_TRANSACTIONS:
                self.lines = {name: len(statement.lines) for name, statement in books.statements.items()}
            case _:
                self.seen[data_type] = len(books.records_of(data_type))

    def records(self, company: Company, data_type: DataType) -> list[Record]:
        """The records of a type as of its last sync."""
        return list(company.books.records_of(data_type).values())[: self.seen.get(data_type, 0)]

    def accounts(self, company: Company, data_type: DataType) -> Sequence[tuple[Account, int]]:
        """The accounts as of the last sync of accounts or bank accounts, with their balances then."""
        balances = self.balances.get(data_type, {})
        return [(company.books.accounts[account_id], balance) for account_id, balance in balances.items()]

    def status(self, data_type: DataType) -> Document:
        """Codat's data status of one type."""
        moment = self.synced_at.get(data_type)
        return {
            "dataType": data_type,
            "lastSuccessfulSync": None if moment is None else stamp(moment),
            "currentStatus": "Fetching" if data_type in self.running else "Complete" if moment else "Initial",
        }


def first_view(company: Company, now: datetime) -> View:
    """The copy after the sync that follows linking."""
    view = View()
    for data_type in SYNCED_TYPES:
        view.read(company, data_type, now)
    return view
