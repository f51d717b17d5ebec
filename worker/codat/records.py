"""The kinds of record a writeback touches, and where each lives in Codat's API."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never
from urllib.parse import quote

ON_PREMISE_TIMEOUT_MINUTES: Final = 24 * 60
"""Minutes an on-premise platform has to take a write. Its computer may be off overnight, hence a day; without any
limit such a push would stay pending for ever. Afterwards it is ``TimedOut``, which still does not mean unwritten."""


class RecordKind(StrEnum):
    """A kind of record by Codat's name for its data type (accounts are called ``chartOfAccounts``)."""

    TRANSFER = "transfers"
    DIRECT_COST = "directCosts"
    DIRECT_INCOME = "directIncomes"
    BANK_TRANSACTION = "bankTransactions"
    BANK_ACCOUNT = "bankAccounts"
    ACCOUNT = "chartOfAccounts"
    SUPPLIER = "suppliers"
    TAX_RATE = "taxRates"


@dataclass(frozen=True, slots=True)
class RecordRef:
    """A record in the borrower's books: an opaque id and the data type it really became."""

    id: str
    data_type: str


def segment(value: str) -> str:
    """One path segment: record ids are opaque, so everything that means something in a URL is encoded."""
    return quote(value, safe="")


def push_path(kind: RecordKind, *, bank_account_id: str | None = None, on_premise: bool = False) -> str:
    """Where a record of this kind is created, below the connection; it is stored with the step that sends it.

    Bank transactions need the account they belong to. Raises :class:`ValueError` for a kind that cannot be created.
    """
    match kind:
        case RecordKind.ACCOUNT:
            path = "push/accounts"
        case RecordKind.BANK_TRANSACTION if bank_account_id:
            path = f"push/bankAccounts/{segment(bank_account_id)}/bankTransactions"
        case RecordKind.BANK_TRANSACTION:
            raise ValueError("a bank transaction is pushed to an account: bank_account_id is missing")
        case RecordKind.DIRECT_INCOME:
            raise ValueError("a direct income is created by a negative direct cost")
        case RecordKind.TAX_RATE:
            raise ValueError("a tax rate belongs to the borrower's books and is only read")
        case RecordKind.TRANSFER | RecordKind.DIRECT_COST | RecordKind.BANK_ACCOUNT | RecordKind.SUPPLIER:
            path = f"push/{kind.value}"
        case _:
            assert_never(kind)
    return f"{path}?timeoutInMinutes={ON_PREMISE_TIMEOUT_MINUTES}" if on_premise else path


def list_path(kind: RecordKind, company_id: str, connection_id: str, *, bank_account_id: str | None = None) -> str:
    """Where records of this kind are read: accounts, suppliers and tax rates belong to the company."""
    company, connection = f"companies/{company_id}", f"companies/{company_id}/connections/{connection_id}"
    match kind:
        case RecordKind.ACCOUNT:
            return f"{company}/data/accounts"
        case RecordKind.SUPPLIER | RecordKind.TAX_RATE:
            return f"{company}/data/{kind.value}"
        case RecordKind.BANK_TRANSACTION if bank_account_id:
            return f"{connection}/data/bankAccounts/{segment(bank_account_id)}/bankTransactions"
        case RecordKind.BANK_TRANSACTION:
            raise ValueError("bank transactions are read from an account: bank_account_id is missing")
        case RecordKind.TRANSFER | RecordKind.DIRECT_COST | RecordKind.DIRECT_INCOME | RecordKind.BANK_ACCOUNT:
            return f"{connection}/data/{kind.value}"
        case _:
            assert_never(kind)


def options_path(kind: RecordKind, *, bank_account_id: str | None = None) -> str:
    """Where the platform's rules for writing this kind are read, below the connection."""
    if kind is RecordKind.BANK_TRANSACTION and bank_account_id:
        return f"options/bankAccounts/{segment(bank_account_id)}/bankTransactions"
    return f"options/{kind.value}"
