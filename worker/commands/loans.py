"""``writeback loans``: what every loan came to, and what it waits for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from worker.commands import events, sagas
from worker.commands.operating import add_action, add_group, add_paging, ask, written
from worker.commands.output import Columns, Output, show_list, show_one
from worker.operations.documents import Document
from worker.operations.reader import Reader
from worker.operations.views import Page

if TYPE_CHECKING:
    from worker.commands import Subparsers

COLUMNS: Final[Columns] = {
    "Loan": "loan_id",
    "Borrower": "borrower_id",
    "Status": "status",
    "Currency": "currency",
    "Principal": "principal",
    "Interest": "interest",
    "Fees": "fees",
    "Overpaid": "overpayment",
}
"""The amounts are what is outstanding."""


def add(subparsers: Subparsers) -> None:
    """Declare the commands."""
    actions = add_group(subparsers, "loans", "loans, their totals and what is outstanding")
    add_paging(add_action(actions, "list", "list loans by their ids", _list), written)
    showing = add_action(actions, "show", "show one loan with its held events and sagas", _show)
    showing.add_argument("loan_id", metavar="LOAN_ID")


def _list(arguments: argparse.Namespace) -> int:
    wanted: Page[str] = Page(arguments.after, arguments.limit)
    document: Document = ask(lambda database: Reader(database).list_loans(wanted))
    if arguments.output is Output.TABLE:
        document = {**document, "data": [{**loan, **loan["outstanding"]} for loan in document["data"]]}
    show_list(arguments.output, "Loans and what is outstanding", document, COLUMNS)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    document = ask(lambda database: Reader(database).show_loan(arguments.loan_id))
    show_one(arguments.output, document, {"held_events": events.COLUMNS, "sagas": sagas.COLUMNS})
    return 0
