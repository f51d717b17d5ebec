"""``writeback jobs`` and ``writeback dead-letters``: unfinished work, and work that was given up."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from worker.commands.operating import add_action, add_group, add_paging, ask, control, number, page, written
from worker.commands.output import Columns, show_list, show_one
from worker.operations.reader import Reader
from worker.operations.views import DeadLetterFilter, JobCondition, JobFilter

if TYPE_CHECKING:
    from worker.commands import Subparsers

JOBS: Final[Columns] = {
    "Job": "job_id",
    "Kind": "kind",
    "Event": "event_id",
    "Saga": "saga_id",
    "Loan": "loan_id",
    "State": "state",
    "Attempt": "attempt",
    "Runs": "run_at",
    "Behind": "blocked_by",
    "Reason": "reason",
}

DEAD_LETTERS: Final[Columns] = {
    "Letter": "dead_letter_id",
    "Buried": "buried_at",
    "Kind": "kind",
    "Event": "event_id",
    "Saga": "saga_id",
    "Loan": "loan_id",
    "Class": "reason_class",
    "Reason": "reason",
}

ATTEMPTS: Final[Columns] = {"At": "at", "Job": "job_id", "Attempt": "attempt", "Outcome": "outcome", "Error": "error"}


def add_jobs(subparsers: Subparsers) -> None:
    """Declare the commands about unfinished jobs."""
    actions = add_group(subparsers, "jobs", "unfinished work")
    listing = add_action(actions, "list", "list unfinished jobs, newest first", _list_jobs)
    listing.add_argument("--kind", help="only those of this kind")
    listing.add_argument("--state", type=JobCondition, choices=list(JobCondition), help="only those in this state")
    add_paging(listing, number)
    showing = add_action(actions, "show", "show one job with its failed attempts", _show_job)
    retrying = add_action(actions, "retry", "run a waiting job now", _retry_job)
    burying = add_action(actions, "bury", "give a job up, so that its lane goes on", _bury_job)
    for parser in (showing, retrying, burying):
        parser.add_argument("job_id", metavar="JOB_ID", type=number)
    burying.add_argument("--reason", type=written, required=True, help="why, for whoever looks later")


def add_dead_letters(subparsers: Subparsers) -> None:
    """Declare the commands about dead letters."""
    actions = add_group(subparsers, "dead-letters", "work that was given up")
    listing = add_action(actions, "list", "list dead letters nobody replayed yet, newest first", _list_letters)
    listing.add_argument("--kind", help="only those of this kind")
    listing.add_argument("--loan", help="only this loan's")
    add_paging(listing, number)
    showing = add_action(actions, "show", "show one dead letter with its failed attempts", _show_letter)
    replaying = add_action(actions, "replay", "queue the job of a dead letter once more", _replay_letter)
    for parser in (showing, replaying):
        parser.add_argument("dead_letter_id", metavar="LETTER", type=number)


def _list_jobs(arguments: argparse.Namespace) -> int:
    which = JobFilter(arguments.kind, arguments.state)
    document = ask(lambda database: Reader(database).list_jobs(which, page(arguments)))
    show_list(arguments.output, "Unfinished jobs, newest first", document, JOBS)
    return 0


def _show_job(arguments: argparse.Namespace) -> int:
    document = ask(lambda database: Reader(database).show_job(arguments.job_id))
    show_one(arguments.output, document, {"attempts": ATTEMPTS})
    return 0


def _retry_job(arguments: argparse.Namespace) -> int:
    document = ask(lambda database: control(database).retry_job(arguments.job_id))
    show_one(arguments.output, document, {"attempts": ATTEMPTS})
    return 0


def _bury_job(arguments: argparse.Namespace) -> int:
    document = ask(lambda database: control(database).bury_job(arguments.job_id, arguments.reason))
    show_one(arguments.output, document, {"attempts": ATTEMPTS})
    return 0


def _list_letters(arguments: argparse.Namespace) -> int:
    which = DeadLetterFilter(arguments.kind, arguments.loan)
    document = ask(lambda database: Reader(database).list_dead_letters(which, page(arguments)))
    show_list(arguments.output, "Dead letters, newest first", document, DEAD_LETTERS)
    return 0


def _show_letter(arguments: argparse.Namespace) -> int:
    document = ask(lambda database: Reader(database).show_dead_letter(arguments.dead_letter_id))
    show_one(arguments.output, document, {"attempts": ATTEMPTS})
    return 0


def _replay_letter(arguments: argparse.Namespace) -> int:
    document = ask(lambda database: control(database).replay_dead_letter(arguments.dead_letter_id))
    show_one(arguments.output, document, {"attempts": ATTEMPTS})
    return 0
