"""One company's books: what the accounting software behind Codat really holds.

Two things are kept apart because accounting software keeps them apart. The general ledger moves when a transfer or a
direct cost is written. A bank statement grows when feed lines arrive, and moves no ledger balance. Nothing is
deduplicated: what is sent twice is here twice. Amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from worker.money import format_major
from worker.simulator.rules import DataType
from worker.simulator.wire import Document, midnight, stamp


@dataclass(slots=True)
class Account:
    """A general-ledger account. ``balance`` grows with what is put in and shrinks with what is taken out."""

    id: str
    name: str
    kind: str
    category: str
    currency: str
    nominal_code: str | None
    created_at: datetime
    is_bank: bool = False
    bank_kind: str = "Debit"
    balance: int = 0
    archived: bool = False
    details: Document = field(default_factory=dict)

    def document(self, balance: int) -> Document:
        """Codat's account, with the balance it last read."""
        return {
            "id": self.id,
            "nominalCode": self.nominal_code,
            "name": self.name,
            "description": self.details.get("description"),
            "fullyQualifiedCategory": self.category,
            "fullyQualifiedName": f"{self.category}.{self.name}",
            "currency": self.currency,
            "currentBalance": major(balance, self.currency),
            "type": self.kind,
            "status": self.status,
            "isBankAccount": self.is_bank,
            "validDatatypeLinks": _links(self),
            "metadata": {"isDeleted": False},
            "modifiedDate": stamp(self.created_at),
            "sourceModifiedDate": stamp(self.created_at),
        }

    def bank_document(self, balance: int | None) -> Document:
        """Codat's bank account, with the balance it last read; None where the platform does not tell."""
        return {
            "id": self.id,
            "accountName": self.name,
            "accountType": self.bank_kind,
            "nominalCode": self.nominal_code,
            "sortCode": self.details.get("sortCode"),
            "accountNumber": self.details.get("accountNumber"),
            "iBan": self.details.get("iBan"),
            "currency": self.currency,
            "balance": None if balance is None else major(balance, self.currency),
            "institution": self.details.get("institution"),
            "status": self.status,
            "metadata": {"isDeleted": False},
            "modifiedDate": stamp(self.created_at),
            "sourceModifiedDate": stamp(self.created_at),
        }

    @property
    def status(self) -> str:
        return "Archived" if self.archived else "Active"


@dataclass(slots=True)
class Record:
    """A supplier, transfer, direct cost or direct income. ``moves`` are its ledger effects, by account id."""

    id: str
    data_type: DataType
    body: Document
    written_at: datetime
    moves: tuple[tuple[str, int], ...] = ()
    deleted: bool = False

    def document(self) -> Document:
        """Codat's record."""
        return {
            "id": self.id,
            **self.body,
            "metadata": {"isDeleted": self.deleted},
            "modifiedDate": stamp(self.written_at),
            "sourceModifiedDate": stamp(self.written_at),
        }


@dataclass(frozen=True, slots=True)
class Line:
    """One bank-statement line; ``balance`` is the running balance its sender claimed."""

    id: str
    day: date
    amount: int
    balance: int | None
    description: str | None
    kind: str
    written_at: datetime
    duplicate_of: int | None

    def document(self, account_id: str, currency: str) -> Document:
        """Codat's bank transaction."""
        return {
            "id": self.id,
            "accountId": account_id,
            "clearedOnDate": midnight(self.day),
            "description": self.description,
            "reconciled": False,
            "amount": major(self.amount, currency),
            "balance": None if self.balance is None else major(self.balance, currency),
            "transactionType": self.kind,
            "modifiedDate": stamp(self.written_at),
            "sourceModifiedDate": stamp(self.written_at),
        }


@dataclass(slots=True)
class Statement:
    """The bank statement of one feed account or plain bank account."""

    account_id: str
    currency: str
    opening: int = 0
    lines: list[Line] = field(default_factory=list)

    @property
    def balance(self) -> int:
        """Opening balance and every line."""
        return self.opening + sum(line.amount for line in self.lines)

    @property
    def reported_balance(self) -> int | None:
        """The balance the last line claimed."""
        return self.lines[-1].balance if self.lines else self.opening

    @property
    def newest_day(self) -> date | None:
        return max((line.day for line in self.lines), default=None)


@dataclass(slots=True)
class Books:
    """Accounts, records and statements of one company."""

    base_currency: str
    lock_date: date | None = None
    accounts: dict[str, Account] = field(default_factory=dict)
    records: dict[DataType, dict[str, Record]] = field(default_factory=dict)
    statements: dict[str, Statement] = field(default_factory=dict)

    def open_account(self, account_id: str) -> Account | None:
        """The account, unless it is unknown or archived."""
        account = self.accounts.get(account_id)
        return None if account is None or account.archived else account

    def records_of(self, data_type: DataType) -> dict[str, Record]:
        return self.records.setdefault(data_type, {})

    def contact(self, contact_id: str) -> Record | None:
        return self.records_of(DataType.SUPPLIERS).get(contact_id)

    def add(self, record: Record) -> None:
        """Writes a record and its ledger moves; moves of one record sum to zero."""
        self.records_of(record.data_type)[record.id] = record
        self._move(record.moves, 1)

    def remove(self, record: Record) -> None:
        """Deletes a record, undoing its ledger moves; deleting it again changes nothing."""
        if not record.deleted:
            record.deleted = True
            self._move(record.moves, -1)

    def _move(self, moves: Sequence[tuple[str, int]], sign: int) -> None:
        for account_id, amount in moves:
            self.accounts[account_id].balance += sign * amount


def major(minor: int, currency: str) -> Decimal:
    """Minor units as the exact decimal JSON shows."""
    return Decimal(format_major(minor, currency))


def _links(account: Account) -> list[Document]:
    used_in = ["DirectCosts.LineItems.AccountRef.Id"] if account.kind in {"Expense", "Income"} else []
    if account.is_bank:
        used_in = ["DirectCosts.PaymentAllocations.Payment.AccountRef.Id", "Transfers.From.AccountRef.Id"]
        used_in.append("Transfers.To.AccountRef.Id")
    return [{"property": "Id", "links": used_in}] if used_in else []
