"""``writeback ledger``: the lender's books, and whether they hold."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from worker.commands.books import statement_csv, statement_tables, trial_balance_csv, trial_balance_tables
from worker.commands.operating import add_action, add_group, ask_ledger, business_day, naming_arguments, written
from worker.commands.output import Columns, Output, list_table, show_json
from worker.ledger.journal.formats import JournalFormat
from worker.operations.auditor import Auditor
from worker.operations.reader import Reader
from worker.operations.request import require_period
from worker.operations.views import Party

if TYPE_CHECKING:
    from worker.commands import Subparsers

CHAINS: Final[Columns] = {"Ledger": "name", "Links": "links", "Last hash": "last_hash"}
FINDINGS: Final[Columns] = {"Ledger": "ledger", "Audit": "audit", "Row": "row", "Detail": "detail"}


def add(subparsers: Subparsers) -> None:
    """Declare the commands."""
    actions = add_group(subparsers, "ledger", "the lender's ledger")
    every = tuple(Output)
    trial = add_action(
        actions, "trial-balance", "every account that is not zero, and the totals", _trial_balance, every
    )
    trial.add_argument("--as-of", type=business_day, metavar="DAY", help="at the end of this day (default: now)")
    _add_party(trial.add_mutually_exclusive_group())
    statement = add_action(actions, "statement", "every entry of a period, account by account", _statement, every)
    whose = statement.add_mutually_exclusive_group(required=True)
    whose.add_argument("account", nargs="?", metavar="ACCOUNT", help="the account's external id, see trial-balance")
    _add_party(whose)
    statement.add_argument("--from", dest="first", type=business_day, required=True, metavar="DAY", help="first day")
    statement.add_argument("--to", dest="last", type=business_day, required=True, metavar="DAY", help="last day")
    _add_export(actions)
    add_action(
        actions, "verify", "read every entry of every ledger, name what breaks the books; exit 1 if any", _verify
    )


def _add_export(actions: Subparsers) -> None:
    words = "every pending and posted transaction as plain text that beancount or hledger reads"
    export = actions.add_parser("export", help=words, description=words)
    export.add_argument("--format", type=JournalFormat, choices=list(JournalFormat), required=True)
    export.add_argument("--from", dest="first", type=business_day, metavar="DAY", help="first day (default: all)")
    export.add_argument("--to", dest="last", type=business_day, metavar="DAY", help="last day (default: all)")
    export.set_defaults(run=_export)


def _add_party(whose: argparse._MutuallyExclusiveGroup) -> None:
    whose.add_argument("--loan", type=written, metavar="ID", help="all accounts of this loan")
    whose.add_argument("--investor", type=written, metavar="ID", help="all accounts of this investor")


def _party(arguments: argparse.Namespace) -> Party | None:
    if arguments.loan is not None:
        return Party.loan(arguments.loan)
    return Party.investor(arguments.investor) if arguments.investor is not None else None


def _trial_balance(arguments: argparse.Namespace) -> int:
    party = _party(arguments)
    document = ask_ledger(lambda database: Reader(database).trial_balance(arguments.as_of, party))
    match arguments.output:
        case Output.JSON:
            show_json(document)
        case Output.CSV:
            sys.stdout.write(trial_balance_csv(document))
        case _:
            whose = f" of {party.noun} {party.name}" if party else ""
            when = f" at the end of {arguments.as_of}" if arguments.as_of else ""
            print(trial_balance_tables(f"Trial balance{whose}{when}", document))
    return 0


def _statement(arguments: argparse.Namespace) -> int:
    first, last, party = arguments.first, arguments.last, _party(arguments)
    with naming_arguments():
        require_period(first, last)
        if party:
            document = ask_ledger(lambda database: Reader(database).party_statements(party, first, last))
        else:
            document = ask_ledger(lambda database: Reader(database).statement(arguments.account, first, last))
    statements = document["statements"] if party else [document]
    match arguments.output:
        case Output.JSON:
            show_json(document)
        case Output.CSV:
            sys.stdout.write(statement_csv(statements))
        case _:
            print(statement_tables(statements))
    return 0


def _export(arguments: argparse.Namespace) -> int:
    first, last = arguments.first, arguments.last
    with naming_arguments():
        if first and last:
            require_period(first, last)
    ask_ledger(lambda database: Auditor(database).export(arguments.format, first, last, sys.stdout.write))
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    document = ask_ledger(lambda database: Auditor(database).verify())
    if arguments.output is Output.JSON:
        show_json(document)
    else:
        print(list_table("Chains", document["ledgers"], CHAINS))
        print()
        print(list_table("Findings", document["findings"], FINDINGS))
    return 1 if document["findings"] else 0
