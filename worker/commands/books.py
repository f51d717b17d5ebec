"""Trial balances and statements as text: tables for a person, one per currency or account, and CSV. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from worker.commands.output import Columns, list_table, printable
from worker.operations.documents import Document

TRIAL_COLUMNS: Final[Columns] = {
    "Account": "name",
    "External id": "external_id",
    "Debit": "debit",
    "Credit": "credit",
    "Pending": "pending",
}

STATEMENT_COLUMNS: Final[Columns] = {
    "Effective": "effective_date",
    "Description": "description",
    "External id": "external_id",
    "Status": "status",
    "Debit": "debit",
    "Credit": "credit",
    "Balance": "balance",
}

TRIAL_FIELDS: Final = ("name", "external_id", "currency", "debit", "credit", "pending", "ledger_account_id")

LINE_FIELDS: Final = (
    *("effective_date", "description", "external_id", "ledger_transaction_id", "status"),
    *("debit", "credit", "balance"),
)


def trial_balance_tables(title: str, document: Document) -> str:
    """A table for each currency, its totals below it."""
    currencies = dict.fromkeys(total["currency"] for total in document["totals"])
    tables = [_trial_balance_table(title, document, currency) for currency in currencies]
    return "\n\n".join(tables) if tables else f"{title}: none"


def trial_balance_csv(document: Document) -> str:
    """A row for each account. No totals: whoever sums the column has them."""
    return csv_text(TRIAL_FIELDS, document["accounts"])


def statement_tables(statements: Iterable[Document]) -> str:
    """A table for each account, from its opening to its closing balance."""
    return "\n\n".join(_statement_table(one) for one in statements)


def statement_csv(statements: Iterable[Document]) -> str:
    """A row for each entry; each account's are between a row with its opening and one with its closing balance."""
    rows = (
        {"account": _called(one), "currency": one["currency"], **line}
        for one in statements
        for line in (_opening(one), *one["lines"], _closing(one))
    )
    return csv_text(("account", "currency", *LINE_FIELDS), rows)


def csv_text(fields: Sequence[str], rows: Iterable[Document]) -> str:
    """Rows under a header, as RFC 4180 has it; what is missing is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _trial_balance_table(title: str, document: Document, currency: str) -> str:
    accounts = [{**row, "external_id": _called(row)} for row in document["accounts"] if row["currency"] == currency]
    totals = [row for row in document["totals"] if row["currency"] == currency]
    sums = [_row(TRIAL_COLUMNS, name="Total", debit=one["debit"], credit=one["credit"]) for one in totals]
    return list_table(f"{title}, {printable(currency)}", [*accounts, *sums], TRIAL_COLUMNS)


def _statement_table(statement: Document) -> str:
    name = f"{statement['name']} ({_called(statement)}), {statement['currency']}"
    period = f"{statement['from']} to {statement['to']}, {statement['normal_balance']} normal"
    totals = _row(
        STATEMENT_COLUMNS,
        description="Total posted",
        debit=statement["total_debit"],
        credit=statement["total_credit"],
    )
    lines = [_opening(statement), *statement["lines"], totals, _closing(statement)]
    return list_table(printable(f"{name}, {period}"), lines, STATEMENT_COLUMNS)


def _called(account: Document) -> str:
    """What a statement of the account is asked for by: its external id, or its id when it has none."""
    return str(account["external_id"] or account["ledger_account_id"])


def _opening(statement: Document) -> Document:
    return _row(
        STATEMENT_COLUMNS,
        effective_date=statement["from"],
        description="Opening balance",
        balance=statement["opening_balance"],
    )


def _closing(statement: Document) -> Document:
    return _row(
        STATEMENT_COLUMNS,
        effective_date=statement["to"],
        description="Closing balance",
        balance=statement["closing_balance"],
    )


def _row(columns: Columns, **values: str) -> Document:
    """A row of a table that has only some of its values."""
    return {field: values.get(field) for field in columns.values()}
