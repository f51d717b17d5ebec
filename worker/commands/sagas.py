"""``writeback sagas``: what is on its way into the borrowers' books, and a person's decisions about it."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from worker.app import now
from worker.commands.operating import add_action, add_group, add_paging, ask, number, page, written
from worker.commands.output import Columns, Output, show_list, show_one
from worker.database import Database
from worker.operations.documents import Document
from worker.operations.reader import Reader
from worker.operations.views import SagaFilter
from worker.writeback.operator import Operator
from worker.writeback.situation import SagaState, WaitingFor

if TYPE_CHECKING:
    from worker.commands import Subparsers

COLUMNS: Final[Columns] = {
    "Saga": "saga_id",
    "Loan": "loan_id",
    "Effective": "effective_date",
    "Movement": "summary",
    "State": "state",
    "Waiting for": "waiting_for",
    "Written": "steps_succeeded",
    "Of": "steps_total",
    "Reason": "reason",
}

STEPS: Final[Columns] = {
    "Step": "n",
    "Kind": "kind",
    "Purpose": "purpose",
    "Amount": "amount",
    "State": "state",
    "Date": "date",
    "Reference": "reference",
    "Push operation": "push_operation_key",
    "Record": "record_id",
}

TIMELINE: Final[Columns] = {"At": "at", "Step": "n", "Action": "action", "Outcome": "outcome", "Detail": "detail"}


def add(subparsers: Subparsers) -> None:
    """Declare the commands."""
    actions = add_group(subparsers, "sagas", "writebacks into the borrowers' books")
    listing = add_action(actions, "list", "list sagas, newest first", _list)
    listing.add_argument("--loan", help="only this loan's")
    listing.add_argument("--state", type=SagaState, choices=list(SagaState), help="only those in this state")
    listing.add_argument(
        "--waiting-for", type=WaitingFor, choices=list(WaitingFor), help="only those whose next move is this one's"
    )
    add_paging(listing, number)
    showing = add_action(actions, "show", "show one saga with its steps and their history", _show)
    retrying = add_action(actions, "retry", "look again now, and let a refused step be sent again", _retry)
    adopting = add_action(actions, "adopt", "say which record an unknown step wrote", _adopt)
    burying = add_action(actions, "bury", "give a saga up, so that its loan's next one may go", _bury)
    for parser in (showing, retrying, adopting, burying):
        parser.add_argument("saga_id", metavar="SAGA_ID", type=number)
    adopting.add_argument("record_id", metavar="RECORD_ID", type=written, help="the record's id at Codat")
    burying.add_argument("--reason", type=written, required=True, help="why, for whoever looks later")
    burying.add_argument(
        "--absent", action="store_true", help="what its unknown step may have written is not in the books: you looked"
    )


def _list(arguments: argparse.Namespace) -> int:
    which = SagaFilter(arguments.loan, arguments.state, arguments.waiting_for)
    document = ask(lambda database: Reader(database).list_sagas(which, page(arguments)))
    show_list(arguments.output, "Sagas, newest first", document, COLUMNS)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    _print(arguments.output, ask(lambda database: Reader(database).show_saga(arguments.saga_id)))
    return 0


def _retry(arguments: argparse.Namespace) -> int:
    return _decide(arguments, lambda operator: operator.retry(arguments.saga_id))


def _adopt(arguments: argparse.Namespace) -> int:
    return _decide(arguments, lambda operator: operator.adopt(arguments.saga_id, arguments.record_id))


def _bury(arguments: argparse.Namespace) -> int:
    saga_id, reason, absent = arguments.saga_id, arguments.reason, arguments.absent
    return _decide(arguments, lambda operator: operator.abandon(saga_id, reason, absent=absent))


def _decide(arguments: argparse.Namespace, decision: Callable[[Operator], Awaitable[None]]) -> int:
    """Decide about a saga and print it as it stands afterwards."""

    async def decide(database: Database) -> Document:
        await decision(Operator(database, now))
        return await Reader(database).show_saga(arguments.saga_id)

    _print(arguments.output, ask(decide))
    return 0


def _print(output: Output, document: Document) -> None:
    if output is Output.TABLE:
        lines = [{**attempt, "n": step["n"]} for step in document["steps"] for attempt in step["attempts"]]
        document = {**document, "timeline": sorted(lines, key=lambda line: line["at"])}
    show_one(output, document, {"steps": STEPS, "timeline": TIMELINE})
