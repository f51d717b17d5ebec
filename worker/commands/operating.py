"""What the reading and operating commands share: their arguments, and the configured database behind the answer."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from worker.app import open_database
from worker.commands.loop import run
from worker.commands.output import TABLE_OR_JSON, Output, add_output
from worker.config import Settings, load_settings
from worker.database import Database
from worker.errors import Rejected, UsageError
from worker.migrations import pending
from worker.operations.control import Control
from worker.operations.reader import ledger_elsewhere
from worker.operations.request import read_day, read_limit, read_number, read_text
from worker.operations.views import DEFAULT_LIMIT, Page
from worker.telemetry import configure_logging

if TYPE_CHECKING:
    from worker.commands import Subparsers

T = TypeVar("T")


def add_group(subparsers: Subparsers, name: str, words: str) -> Subparsers:
    """A command that is a noun; what to do with it are commands of its own."""
    parser = subparsers.add_parser(name, help=words, description=words)
    return parser.add_subparsers(dest="action", required=True, metavar="ACTION")


def add_action(
    actions: Subparsers,
    name: str,
    words: str,
    action: Callable[[argparse.Namespace], int],
    outputs: Sequence[Output] = TABLE_OR_JSON,
) -> argparse.ArgumentParser:
    """One action of a group, with the argument all of them take."""
    parser = actions.add_parser(name, help=words, description=words)
    add_output(parser, outputs)
    parser.set_defaults(run=action)
    return parser


def add_paging(parser: argparse.ArgumentParser, key: Callable[[str], int | str]) -> None:
    """Declare ``--limit`` and ``--after``, whose type is that of the list's keys."""
    parser.add_argument("--limit", type=_limit, default=DEFAULT_LIMIT, help="rows at most (default %(default)s)")
    parser.add_argument("--after", type=key, help="go on after the page that named this")


def page(arguments: argparse.Namespace) -> Page[int]:
    """The page asked for, of a list whose keys are numbers."""
    return Page(arguments.after, arguments.limit)


def number(text: str) -> int:
    """A row's number, as an argument's type."""
    return _read(read_number, text)


def business_day(text: str) -> date:
    """A business day, as an argument's type."""
    return _read(read_day, text)


def written(text: str) -> str:
    """What a person writes, as an argument's type."""
    return _read(read_text, text)


def read_input(file: str) -> bytes:
    """The bytes of a file, or of standard input for ``-``; raises :class:`~worker.errors.UsageError`."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def ask(question: Callable[[Database], Awaitable[T]]) -> T:
    """The answer of the configured database, whose schema must be up to date.

    Raises :class:`~worker.errors.UsageError` when it is not, and :class:`~worker.errors.DatabaseUnavailable`.
    """
    return run(_answer(_configured(), question))


def ask_ledger(question: Callable[[Database], Awaitable[T]]) -> T:
    """As :func:`ask`, about the lender's ledger; raises :class:`~worker.errors.Rejected` when it is somewhere else."""
    settings = _configured()
    if settings.treasury is not None:
        raise ledger_elsewhere(settings.treasury.base_url)
    return run(_answer(settings, question))


@contextmanager
def naming_arguments() -> Iterator[None]:
    """A refusal that names a field blames the argument of that name: :class:`~worker.errors.UsageError`."""
    try:
        yield
    except Rejected as error:
        if error.field is None:
            raise
        raise UsageError(f"--{error.field} {error.detail}") from error


def control(database: Database) -> Control:
    """A person's decisions, without a hint: idle workers look by themselves within a second."""
    return Control(database, lambda: None)


def _configured() -> Settings:
    settings = load_settings(os.environ, at_terminal=sys.stderr.isatty())
    configure_logging(settings.log_format, settings.log_level)
    return settings


async def _answer(settings: Settings, question: Callable[[Database], Awaitable[T]]) -> T:
    async with open_database(settings) as database:
        async with database.connection() as connection:
            if waiting := await pending(connection):
                raise UsageError(f"the schema lacks {waiting[0].file_name}: run `writeback migrate`")
        return await question(database)


def _limit(text: str) -> int:
    return _read(read_limit, text)


def _read(read: Callable[[str, str], T], text: str) -> T:
    try:
        return read(text, "")
    except Rejected as error:
        raise argparse.ArgumentTypeError(error.detail) from error
