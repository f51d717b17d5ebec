"""``writeback events``: what became of every loan event, and what a person does about one that was given up."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from worker.commands.operating import add_action, add_group, add_paging, ask, control, number, page, read_input, written
from worker.commands.output import Columns, Output, printable, show_list, show_one
from worker.operations.reader import Reader
from worker.operations.views import EventFilter, EventState

if TYPE_CHECKING:
    from worker.commands import Subparsers

COLUMNS: Final[Columns] = {
    "Received": "received_at",
    "Event": "webhook_id",
    "Type": "type",
    "Loan": "loan_id",
    "State": "state",
    "Saga": "saga_id",
    "Reason": "reason",
}


def add(subparsers: Subparsers) -> None:
    """Declare the commands."""
    actions = add_group(subparsers, "events", "loan events and what became of them")
    listing = add_action(actions, "list", "list events, newest first", _list)
    listing.add_argument("--loan", help="only this loan's")
    listing.add_argument("--state", type=EventState, choices=list(EventState), help="only those in this state")
    add_paging(listing, number)
    showing = add_action(actions, "show", "show one event with its body", _show)
    replaying = add_action(actions, "replay", "have a refused event decided once more", _replay)
    correcting = add_action(actions, "correct", "have another event decided in place of a refused one", _correct)
    burying = add_action(actions, "bury", "give up a held event that waits for what will never come", _bury)
    for parser in (showing, replaying, correcting, burying):
        parser.add_argument("webhook_id", metavar="WEBHOOK_ID", help="the webhook-id it came under")
    correcting.add_argument("file", metavar="FILE|-", help="the whole event as it should be; - reads standard input")
    burying.add_argument("--reason", type=written, required=True, help="why, for whoever looks later")


def _list(arguments: argparse.Namespace) -> int:
    which = EventFilter(arguments.loan, arguments.state)
    document = ask(lambda database: Reader(database).list_events(which, page(arguments)))
    show_list(arguments.output, "Events, newest first", document, COLUMNS)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    document = ask(lambda database: Reader(database).show_event(arguments.webhook_id))
    if arguments.output is Output.JSON:
        show_one(arguments.output, document, {})
        return 0
    show_one(arguments.output, {name: value for name, value in document.items() if name != "body"}, {})
    print("\n" + "\n".join(printable(line) for line in document["body"].splitlines()))
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    document = ask(lambda database: control(database).replay_event(arguments.webhook_id))
    show_one(arguments.output, document, {})
    return 0


def _correct(arguments: argparse.Namespace) -> int:
    body = read_input(arguments.file)
    correction = ask(lambda database: control(database).correct_event(arguments.webhook_id, body))
    show_one(arguments.output, correction.event, {})
    return 0


def _bury(arguments: argparse.Namespace) -> int:
    document = ask(lambda database: control(database).bury_event(arguments.webhook_id, arguments.reason))
    show_one(arguments.output, document, {})
    return 0
