"""Trial balances and statements as text: tables for a person, one per currency or account, and CSV. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from worker.commands.output import Columns, list_table, printable
from worker.money import format_minor, unit_label
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

TRIAL_FIELDS: Final = (
    *("name", "external_id", "currency", "currency_exponent"),
    *("debit", "credit", "pending", "ledger_account_id"),
)

LINE_FIELDS: Final = (
    *("effective_date", "description", "external_id", "ledger_transaction_id", "status"),
    *("debit", "credit", "balance"),
)


def trial_balance_tables(title: str, document: Document) -> str:
    """A table for each currency, its totals below it; and why they differ where they do."""
    tables = [_trial_balance_table(title, document, total) for total in document["totals"]]
    return "\n\n".join([*tables, *_remark(document)]) if tables else f"{title}: none"


def trial_balance_csv(document: Document) -> str:
    """A row for each account. No totals: whoever sums the columns has them.

    Where they would differ, another row has the difference, and says what it is made of in place of a name.
    """
    apart = document["dated_apart"]
    missing = [_missing(document, one) for one in apart["differences"]] if apart else []
    return csv_text(TRIAL_FIELDS, [*document["accounts"], *missing])


def statement_tables(statements: Iterable[Document]) -> str:
    """A table for each account, from its opening to its closing balance."""
    return "\n\n".join(_statement_table(one) for one in statements)


def statement_csv(statements: Iterable[Document]) -> str:
    """A row for each entry; each account's are between a row with its opening and one with its closing balance."""
    rows = (
        {"account": _called(one), "currency": one["currency"], "currency_exponent": one["currency_exponent"], **line}
        for one in statements
        for line in (_opening(one), *one["lines"], _closing(one))
    )
    return csv_text(("account", "currency", "currency_exponent", *LINE_FIELDS), rows)


def csv_text(fields: Sequence[str], rows: Iterable[Document]) -> str:
    """Rows under a header, as RFC 4180 has it; what is missing is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _trial_balance_table(title: str, document: Document, total: Document) -> str:
    unit = _unit(total)
    accounts = [{**row, "external_id": _called(row)} for row in document["accounts"] if _unit(row) == unit]
    sums = _row(TRIAL_COLUMNS, name="Total", debit=total["debit"], credit=total["credit"])
    return list_table(f"{title}, {printable(unit)}", [*accounts, sums], TRIAL_COLUMNS)


def _remark(document: Document) -> list[str]:
    """Why the totals differ, in a paragraph; nothing when they are equal."""
    apart = document["dated_apart"]
    if apart is None:
        return []
    amounts = ", ".join(f"{one['difference']} {_unit(one)}" for one in apart["differences"])
    return [printable(f"Debits less credits are {amounts}: {_reason(document)}.")]


def _reason(document: Document) -> str:
    count = document["dated_apart"]["transactions"]
    if count is None:
        return f"transactions, too many to count, have entries effective up to {document['as_of']} and others after it"
    if not count:
        return "no transaction explains it, see writeback ledger verify"
    have = "1 transaction has" if count == 1 else f"{count} transactions have"
    return f"{have} entries effective up to {document['as_of']} and others after it"


def _missing(document: Document, difference: Document) -> Document:
    """A row of what the accounts lack, on the side that makes the sums of both columns equal."""
    amount, zero = str(difference["difference"]), format_minor(0, difference["currency_exponent"])
    less = amount.removeprefix("-")
    debit, credit = (zero, amount) if less == amount else (less, zero)
    return {**difference, "name": f"Difference: {_reason(document)}", "debit": debit, "credit": credit}


def _statement_table(statement: Document) -> str:
    name = f"{statement['name']} ({_called(statement)}), {_unit(statement)}"
    period = f"{statement['from']} to {statement['to']}, {statement['normal_balance']} normal"
    totals = _row(
        STATEMENT_COLUMNS,
        description="Total posted",
        debit=statement["total_debit"],
        credit=statement["total_credit"],
    )
    lines = [_opening(statement), *statement["lines"], totals, _closing(statement)]
    return list_table(printable(f"{name}, {period}"), lines, STATEMENT_COLUMNS)


def _unit(row: Document) -> str:
    return unit_label(row["currency"], row["currency_exponent"])


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
