"""``writeback simulator``: a Codat with real books behind it."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import TYPE_CHECKING

from worker.commands.loop import run
from worker.config import LogFormat
from worker.simulator import command
from worker.simulator import run as run_simulator
from worker.telemetry import configure_logging

if TYPE_CHECKING:
    from worker.commands import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("simulator", help="run a simulated Codat with real books behind it")
    command.add_arguments(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    configure_logging(LogFormat.CONSOLE if sys.stderr.isatty() else LogFormat.JSON, logging.INFO)
    run(run_simulator(command.options_from(arguments)))
    return 0
