"""``writeback ledger``: the lender's books, and whether they hold."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from worker.commands.books import statement_csv, statement_tables, trial_balance_csv, trial_balance_tables
from worker.commands.operating import add_action, add_group, ask, ask_ledger, business_day, naming_arguments, written
from worker.commands.output import Columns, Output, list_table, show_json, write_piece
from worker.database import Database
from worker.errors import UsageError
from worker.ledger.journal.formats import JournalFormat
from worker.operations.auditor import Auditor
from worker.operations.documents import Document
from worker.operations.reader import Reader
from worker.operations.request import require_period
from worker.operations.views import Party

if TYPE_CHECKING:
    from worker.commands import Subparsers

T = TypeVar("T")

_LINK: Final = re.compile("[1-9][0-9]{0,17}")
_HASH: Final = re.compile("[0-9a-f]{64}")

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
    _add_ledger(trial)
    statement = add_action(actions, "statement", "every entry of a period, account by account", _statement, every)
    whose = statement.add_mutually_exclusive_group(required=True)
    words = "the account's external id, or its id, see trial-balance"
    whose.add_argument("account", nargs="?", metavar="ACCOUNT", help=words)
    _add_party(whose)
    _add_ledger(statement)
    statement.add_argument("--from", dest="first", type=business_day, required=True, metavar="DAY", help="first day")
    statement.add_argument("--to", dest="last", type=business_day, required=True, metavar="DAY", help="last day")
    _add_export(actions)
    _add_verify(actions)


def _add_verify(actions: Subparsers) -> None:
    words = "read every entry of every ledger, name what breaks the books; exit 1 if any"
    verify = add_action(actions, "verify", words, _verify)
    _add_ledger(verify, "every one")
    verify.add_argument(
        "--kept",
        nargs=2,
        action="append",
        default=[],
        metavar=("LINK", "HASH"),
        help="a link printed earlier, which must still be in the chain of the ledger (default: the lender's own)",
    )


def _add_export(actions: Subparsers) -> None:
    words = "every pending and posted transaction as plain text that beancount or hledger reads"
    export = actions.add_parser("export", help=words, description=words)
    export.add_argument("--format", type=JournalFormat, choices=list(JournalFormat), required=True)
    export.add_argument("--from", dest="first", type=business_day, metavar="DAY", help="first day (default: all)")
    export.add_argument("--to", dest="last", type=business_day, metavar="DAY", help="last day (default: all)")
    _add_ledger(export)
    export.set_defaults(run=_export)


def _add_ledger(parser: argparse.ArgumentParser, default: str = "the lender's own") -> None:
    words = f"id or name of a ledger, also of one made over /api (default: {default})"
    parser.add_argument("--ledger", type=written, metavar="LEDGER", help=words)


def _add_party(whose: argparse._MutuallyExclusiveGroup) -> None:
    whose.add_argument("--loan", type=written, metavar="ID", help="all accounts of this loan")
    whose.add_argument("--investor", type=written, metavar="ID", help="all accounts of this investor")


def _party(arguments: argparse.Namespace) -> Party | None:
    if arguments.loan is not None:
        return Party.loan(arguments.loan)
    return Party.investor(arguments.investor) if arguments.investor is not None else None


def _trial_balance(arguments: argparse.Namespace) -> int:
    party, as_of, ledger = _party(arguments), arguments.as_of, arguments.ledger
    document = _ask(arguments, lambda database: Reader(database).trial_balance(as_of, party, ledger))
    match arguments.output:
        case Output.JSON:
            show_json(document)
        case Output.CSV:
            sys.stdout.write(trial_balance_csv(document))
        case _:
            whose = f" of {party.noun} {party.name}" if party else ""
            when = f" at the end of {as_of}" if as_of else ""
            print(trial_balance_tables(f"Trial balance{whose}{when}", document))
    return 0


def _statement(arguments: argparse.Namespace) -> int:
    first, last, ledger = arguments.first, arguments.last, arguments.ledger
    party = _party(arguments)
    with naming_arguments():
        require_period(first, last)
    document: Document
    if party:
        document = _ask(arguments, lambda database: Reader(database).party_statements(party, first, last, ledger))
    else:
        document = _ask(arguments, lambda database: Reader(database).statement(arguments.account, first, last, ledger))
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
    period, ledger = (first, last), arguments.ledger
    _ask(arguments, lambda database: Auditor(database).export(arguments.format, period, write_piece, ledger))
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    kept = _kept(arguments.kept)
    document = _ask(arguments, lambda database: Auditor(database).verify(arguments.ledger, kept))
    if arguments.output is Output.JSON:
        show_json(document)
    else:
        print(list_table("Chains", document["ledgers"], CHAINS))
        print()
        print(list_table("Findings", document["findings"], FINDINGS))
    return 1 if document["findings"] else 0


def _kept(links: Sequence[tuple[str, str]]) -> dict[int, bytes]:
    """Hashes by their links' numbers; raises :class:`~worker.errors.UsageError` for what verify never prints."""
    for link, words in links:
        if not _LINK.fullmatch(link) or not _HASH.fullmatch(words):
            raise UsageError(f"--kept takes a link's number and its hash, 64 hexadecimal digits, not {link} {words}")
    return {int(link): bytes.fromhex(words) for link, words in links}


def _ask(arguments: argparse.Namespace, question: Callable[[Database], Awaitable[T]]) -> T:
    """The answer about the ledger named, which is here wherever the lender's own is, or about the lender's own."""
    with naming_arguments():
        return ask_ledger(question) if arguments.ledger is None else ask(question)
