"""``writeback serve``: the service."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from worker.app import Role, serve
from worker.commands.loop import run
from worker.config import load_settings
from worker.telemetry import configure_logging

if TYPE_CHECKING:
    from worker.commands import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("serve", help="run the service; several may share one database")
    parser.add_argument(
        "--role",
        type=Role,
        choices=list(Role),
        default=Role.ALL,
        help="api takes webhooks, worker does the work, all (default) does both",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings(os.environ, at_terminal=sys.stderr.isatty())
    configure_logging(settings.log_format, settings.log_level)
    run(serve(settings, arguments.role))
    return 0
