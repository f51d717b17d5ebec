"""``writeback bench``: how fast this installation is, beside the raw database."""

from __future__ import annotations

import argparse
import os
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from worker.bench.figures import MILLISECONDS
from worker.bench.run import Plan, measure_ledger
from worker.commands.loop import run
from worker.commands.operating import add_action, add_group
from worker.commands.output import Columns, Output, list_table, show_json
from worker.config import load_settings

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
}

MAX_CALLERS: Final = 1_000
"""Callers at once; batches are full long before."""


def add(subparsers: Subparsers) -> None:
    """Declare the commands."""
    actions = add_group(subparsers, "bench", "how fast this installation is, beside the raw database")
    ledger = add_action(actions, "ledger", "posting to the ledger, beside pgbench, on a scratch database", _ledger)
    ledger.add_argument(
        "--callers", type=_callers, default=(8, 32, 128), metavar="N,…", help="callers at once (default 8,32,128)"
    )
    ledger.add_argument("--seconds", type=_seconds, default=3.0, help="for each case (default %(default)s)")
    ledger.add_argument(
        "--repetitions",
        type=_positive,
        default=3,
        help="of everything, of which the median counts (default %(default)s)",
    )


def _ledger(arguments: argparse.Namespace) -> int:
    settings = load_settings(os.environ, at_terminal=sys.stderr.isatty())
    plan = Plan(arguments.callers, arguments.seconds, arguments.repetitions)
    document = run(measure_ledger(settings.database_url, plan, lambda words: print(words, file=sys.stderr)))
    if arguments.output is Output.JSON:
        show_json(document)
        return 0
    conditions = document["conditions"]
    where = f"PostgreSQL {conditions['server']}, {conditions['processors']} processors"
    often = f"median of {conditions['repetitions']} repetitions of {conditions['seconds']} s"
    print(list_table(f"{where}, {often}", document["figures"], FIGURES))
    print()
    print(list_table("Ratios, taken in each repetition", document["ratios"], RATIOS))
    return 0


def _callers(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(_positive(part) for part in text.split(",")))


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_CALLERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MAX_CALLERS}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = int(Decimal(text) * MILLISECONDS) / MILLISECONDS
    except (ArithmeticError, ValueError):
        seconds = 0.0
    if seconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above zero")
    return seconds
