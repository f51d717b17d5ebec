"""Trial balances and statements as a person and a spreadsheet read them."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from uuid import UUID

from worker.commands.books import statement_csv, statement_tables, trial_balance_csv, trial_balance_tables
from worker.ledger.balance import Sums
from worker.ledger.reading import AccountBalance, ApartCount, Statement, StatementLine
from worker.ledger.transaction import Direction, Status
from worker.operations.ledger_documents import statement_document, trial_balance_document

DAY = date(2026, 3, 1)


def account(name: str, currency: str, exponent: int, debit: int) -> AccountBalance:
    sums = Sums(max(debit, 0), max(-debit, 0), max(debit, 0), max(-debit, 0))
    side = Direction.DEBIT if debit >= 0 else Direction.CREDIT
    return AccountBalance(UUID(int=1), f"id:{name}", name, side, currency, exponent, 1, sums)


BOOKS = (
    account("Cash", "GBP", 2, 123_456),
    account("Revenue", "GBP", 2, -123_456),
    account("Yen", "JPY", 0, 7),
    account("Yen lent", "JPY", 0, -7),
    account("Points", "POINT", 30, 10**35 + 1),
    account("Points owed", "POINT", 30, -(10**35) - 1),
    account("Nothing", "USD", 2, 0),
)


def test_each_currency_has_a_table_and_totals_of_its_own() -> None:
    tables = trial_balance_tables("Trial balance", trial_balance_document(BOOKS, DAY)).split("\n\n")

    assert tables[0].splitlines() == [
        "Trial balance, GBP",
        "  Account  External id    Debit   Credit  Pending",
        "  -------  -----------  -------  -------  -------",
        "  Cash     id:Cash      1234.56     0.00  1234.56",
        "  Revenue  id:Revenue      0.00  1234.56  1234.56",
        "  Total                 1234.56  1234.56",
    ]
    points = "100000.000000000000000000000000000001"
    assert [table.splitlines()[-1].split() for table in tables[1:]] == [["Total", "7", "7"], ["Total", points, points]]


def test_totals_that_differ_are_explained_and_a_spreadsheets_columns_made_equal() -> None:
    half = (account("Cash", "GBP", 2, 50), account("Yen", "JPY", 0, 7), account("Yen lent", "JPY", 0, -9))
    document = trial_balance_document(half, DAY, ApartCount(2))

    remark = trial_balance_tables("Trial balance", document).split("\n\n")[-1]
    rows = list(csv.DictReader(io.StringIO(trial_balance_csv(document))))

    why = "2 transactions have entries effective up to 2026-03-01 and others after it"
    assert remark == f"Debits less credits are 0.50 GBP, -2 JPY: {why}."
    assert [(row["name"], row["currency"], row["debit"], row["credit"]) for row in rows[3:]] == [
        (f"Difference: {why}", "GBP", "0.00", "0.50"),
        (f"Difference: {why}", "JPY", "2", "0"),
    ]
    assert document["dated_apart"] == {
        "transactions": 2,
        "differences": [
            {"currency": "GBP", "currency_exponent": 2, "difference": "0.50"},
            {"currency": "JPY", "currency_exponent": 0, "difference": "-2"},
        ],
    }


def test_transactions_too_many_to_be_counted_explain_totals_all_the_same() -> None:
    document = trial_balance_document(BOOKS[:1], DAY, ApartCount(None))

    tables = trial_balance_tables("Trial balance", document)

    assert document["dated_apart"] is not None
    assert document["dated_apart"]["transactions"] is None
    why = "transactions, too many to count, have entries effective up to 2026-03-01 and others after it"
    assert tables.splitlines()[-1] == f"Debits less credits are 1234.56 GBP: {why}."


def test_totals_that_nothing_explains_send_the_reader_to_the_audit() -> None:
    tables = trial_balance_tables("Trial balance", trial_balance_document(BOOKS[:1], DAY, ApartCount(0)))

    assert tables.splitlines()[-1].endswith("no transaction explains it, see writeback ledger verify.")


def test_currencies_of_one_code_are_told_apart_by_their_exponents() -> None:
    books = [account("Cash", "USD", 2, 5), account("Owed", "USD", 2, -5)]
    fine = [account("Fine cash", "USD", 4, 5), account("Fine owed", "USD", 4, -5)]

    document = trial_balance_document([*books, *fine], DAY)
    plain, finer = trial_balance_tables("Trial balance", document).split("\n\n")

    assert (plain.splitlines()[0], plain.splitlines()[-1].split()) == ("Trial balance, USD", ["Total", "0.05", "0.05"])
    assert finer.splitlines()[0] == "Trial balance, USD (exponent 4)"
    assert finer.splitlines()[-1].split() == ["Total", "0.0005", "0.0005"]
    rows = list(csv.DictReader(io.StringIO(trial_balance_csv(document))))
    assert [row["currency_exponent"] for row in rows] == ["2", "2", "4", "4"]
    statement = statement_document(Statement(fine[0], (), fine[0]), DAY, DAY)
    assert statement_tables([statement]).startswith("Fine cash (id:Fine cash), USD (exponent 4), ")
    assert "USD,4," in statement_csv([statement])


def test_books_without_money_say_so() -> None:
    assert trial_balance_tables("Trial balance", trial_balance_document([BOOKS[-1]], None)) == "Trial balance: none"


def test_every_amount_reaches_a_spreadsheet_whole() -> None:
    rows = list(csv.DictReader(io.StringIO(trial_balance_csv(trial_balance_document(BOOKS, None)))))

    assert [(row["currency"], row["debit"]) for row in rows if row["debit"].strip("0.")] == [
        ("GBP", "1234.56"),
        ("JPY", "7"),
        ("POINT", "100000.000000000000000000000000000001"),
    ]


def test_a_statement_counts_what_is_posted_and_shows_what_is_pending() -> None:
    opening = account("Cash", "GBP", 2, 1_000)
    steps = [
        (Status.POSTED, Direction.DEBIT, 250, 'Rent, "late"\x1b[2J'),
        (Status.PENDING, Direction.CREDIT, 999, None),
        (Status.POSTED, Direction.CREDIT, 50, "=1+1"),
    ]
    sums, lines = opening.sums, []
    for status, direction, amount, words in steps:
        sums = sums.moved(direction, posted=amount if status is Status.POSTED else 0, pending=amount)
        lines.append(StatementLine(UUID(int=2), None, words, status, DAY, direction, amount, sums))
    document = statement_document(Statement(opening, tuple(lines), replace(opening, sums=sums)), DAY, DAY)

    text = statement_tables([document])
    cells = [line.split() for line in text.splitlines()]
    assert cells[0][:3] == ["Cash", "(id:Cash),", "GBP,"]
    assert cells[-2] == ["Total", "posted", "2.50", "0.50"]
    assert [line[-1] for line in cells[3:-2]] == ["10.00", "12.50", "12.50", "12.00"]
    assert cells[-1][-1] == "12.00"
    assert "\x1b" not in text
    rows = list(csv.DictReader(io.StringIO(statement_csv([document]))))
    assert [row["balance"] for row in rows] == ["10.00", "12.50", "12.50", "12.00", "12.00"]
    assert rows[1]["description"] == steps[0][3]
