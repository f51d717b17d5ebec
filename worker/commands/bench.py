"""``writeback bench``: how fast this installation is, beside the raw database."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from worker.bench.figures import MILLISECONDS
from worker.bench.run import Plan, measure_ledger
from worker.commands.ledger import FINDINGS
from worker.commands.loop import run
from worker.commands.operating import add_action, add_group
from worker.commands.output import Columns, Output, list_table, show_json
from worker.config import load_settings
from worker.operations.documents import Document
from worker.telemetry import configure_logging

if TYPE_CHECKING:
    from worker.commands import Subparsers

FIGURES: Final[Columns] = {
    "Posting": "variant",
    "Callers": "callers",
    "Per second": "per_second",
    "p50 ms": "p50_ms",
    "p99 ms": "p99_ms",
    "Server µs each": "server_cpu_us",
    "Client µs each": "client_cpu_us",
}

RATIOS: Final[Columns] = {
    "Ratio of": "measure",
    "Of": "of",
    "Against": "against",
    "Median": "ratio",
    "Lowest": "lowest",
    "Highest": "highest",
    "Aim": "aim",
    "Met": "met",
}

READS: Final[Columns] = {
    "Read": "read",
    "In the database, p50 ms": "database_p50_ms",
    "p99 ms": "database_p99_ms",
    "Answered, p50 ms": "answer_p50_ms",
    "Aim ms": "aim_ms",
    "Met": "met",
}

MAX_CALLERS: Final = 1_000
"""Callers at once; batches are full long before."""

MAX_REPETITIONS: Final = 100
MAX_ENTRIES: Final = 100_000_000
"""Of a history: some hours' work."""


def add(subparsers: Subparsers) -> None:
    """Declare the commands."""
    actions = add_group(subparsers, "bench", "how fast this installation is, beside the raw database")
    ledger = add_action(
        actions, "ledger", "the ledger's posting beside pgbench, and its reading, on a scratch database", _ledger
    )
    every = "(default %(default)s)"
    ledger.add_argument(
        "--callers", type=_callers, default=(8, 32, 128), metavar="N,…", help="callers at once (default 8,32,128)"
    )
    ledger.add_argument("--seconds", type=_seconds, default=3.0, help=f"for each case {every}")
    ledger.add_argument("--repetitions", type=_repetitions, default=3, help=f"of everything; the median counts {every}")
    ledger.add_argument(
        "--entries", type=_entries, default=200_000, help=f"of a history to read from and post to, 0 for none {every}"
    )
    ledger.add_argument(
        "--pgledger",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="an SQL file of your copy of pgledger to compare with; repeat it, the ULID functions first",
    )


def _ledger(arguments: argparse.Namespace) -> int:
    settings = load_settings(os.environ, at_terminal=sys.stderr.isatty())
    configure_logging(settings.log_format, settings.log_level)
    plan = Plan(
        arguments.callers, arguments.seconds, arguments.repetitions, arguments.entries, tuple(arguments.pgledger)
    )
    document = run(measure_ledger(settings.database_url, plan, lambda words: print(words, file=sys.stderr)))
    if arguments.output is Output.JSON:
        show_json(document)
    else:
        print("\n\n".join(_tables(document)))
    return 0


def _tables(document: Document) -> Iterator[str]:
    conditions = document["conditions"]
    where = f"PostgreSQL {conditions['server']}, {conditions['processors']} processors"
    often = f"median of {conditions['repetitions']} repetitions of {conditions['seconds']} s"
    yield list_table(f"{where}, {often}", document["figures"], FIGURES)
    yield list_table("Ratios, taken in each repetition", _judged(document["ratios"]), RATIOS)
    if history := document["history"]:
        yield list_table(f"Reading from {history['entries']} entries", _judged(history["reads"]), READS)
        yield list_table("What the audit of them found", history["findings"], FINDINGS)


def _judged(rows: Iterable[Document]) -> list[Document]:
    words = {True: "yes", False: "no", None: None}
    return [{**row, "met": words[row["met"]]} for row in rows]


def _callers(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(_whole(part, range(1, MAX_CALLERS + 1)) for part in text.split(",")))


def _repetitions(text: str) -> int:
    return _whole(text, range(1, MAX_REPETITIONS + 1))


def _entries(text: str) -> int:
    return _whole(text, range(MAX_ENTRIES + 1))


def _whole(text: str, allowed: range) -> int:
    if not text.isascii() or not text.isdigit() or int(text) not in allowed:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {allowed[0]} to {allowed[-1]}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = int(Decimal(text) * MILLISECONDS) / MILLISECONDS
    except (ArithmeticError, ValueError):
        seconds = 0.0
    if seconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above zero")
    return seconds
