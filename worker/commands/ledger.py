"""``writeback ledger``: the lender's books, and whether they hold."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from worker.commands.operating import add_action, add_group, ask, business_day, naming_arguments
from worker.commands.output import Columns, Output, list_table, show_json, show_one
from worker.operations.reader import Reader
from worker.operations.request import require_period

if TYPE_CHECKING:
    from worker.commands import Subparsers

ACCOUNTS: Final[Columns] = {
    "Account": "name",
    "External id": "external_id",
    "Currency": "currency",
    "Debit": "debit",
    "Credit": "credit",
}

LINES: Final[Columns] = {
    "Effective": "effective_date",
    "Description": "description",
    "External id": "external_id",
    "Status": "status",
    "Debit": "debit",
    "Credit": "credit",
    "Balance": "balance",
}

FINDINGS: Final[Columns] = {"Audit": "audit", "Subject": "subject", "Detail": "detail"}


def add(subparsers: Subparsers) -> None:
    """Declare the commands."""
    actions = add_group(subparsers, "ledger", "the lender's ledger")
    trial = add_action(actions, "trial-balance", "every account that is not zero, and the totals", _trial_balance)
    trial.add_argument("--as-of", type=business_day, metavar="DAY", help="at the end of this day (default: now)")
    statement = add_action(actions, "statement", "every entry of one account in a period", _statement)
    statement.add_argument("account", metavar="ACCOUNT", help="the account's external id, see trial-balance")
    statement.add_argument("--from", dest="first", type=business_day, required=True, metavar="DAY", help="first day")
    statement.add_argument("--to", dest="last", type=business_day, required=True, metavar="DAY", help="last day")
    add_action(actions, "verify", "read every entry and say whether the books hold; exit 1 if not", _verify)


def _trial_balance(arguments: argparse.Namespace) -> int:
    document = ask(lambda database: Reader(database).trial_balance(arguments.as_of))
    if arguments.output is Output.JSON:
        show_json(document)
        return 0
    totals = [{"name": "Total", "external_id": None, **total} for total in document["totals"]]
    when = f" at the end of {arguments.as_of}" if arguments.as_of else ""
    print(list_table(f"Trial balance{when}", [*document["accounts"], *totals], ACCOUNTS))
    return 0


def _statement(arguments: argparse.Namespace) -> int:
    first, last = arguments.first, arguments.last
    with naming_arguments():
        require_period(first, last)
        document = ask(lambda database: Reader(database).statement(arguments.account, first, last))
    show_one(arguments.output, document, {"lines": LINES})
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    findings = ask(lambda database: Reader(database).verify_ledger())
    if arguments.output is Output.JSON:
        show_json(findings)
    else:
        print(list_table("Findings", findings, FINDINGS))
    return 1 if findings else 0
