"""``writeback demo``: one loan's whole life in two sets of books, on this machine, in under a minute."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from worker.codat.profiles import Profile
from worker.commands.loop import run
from worker.config import load_settings
from worker.demo.play import play

if TYPE_CHECKING:
    from worker.commands import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("demo", help="watch a loan live and close in two sets of books")
    parser.add_argument(
        "--profile",
        type=Profile,
        choices=list(Profile),
        default=Profile.MATCHED,
        help="how loans are written into the borrower's books (default %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="same seed, same companies and ids (default %(default)s)")
    parser.add_argument("--keep", action="store_true", help="leave everything running and print where")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings(os.environ, at_terminal=sys.stderr.isatty())
    agreed = run(play(settings.data_dir / "demo", arguments.profile, arguments.seed, keep=arguments.keep))
    return 0 if agreed else 1
