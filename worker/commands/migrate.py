"""``writeback migrate``: brings the schema up to date; safe to run twice, also at once."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from worker.app import open_database
from worker.commands.loop import run
from worker.config import Settings, load_settings
from worker.migrations import migrate

if TYPE_CHECKING:
    from worker.commands import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    subparsers.add_parser("migrate", help="bring the database's schema up to date").set_defaults(run=_run)


def _run(_: argparse.Namespace) -> int:
    return run(_migrate(load_settings(os.environ, at_terminal=sys.stderr.isatty())))


async def _migrate(settings: Settings) -> int:
    async with open_database(settings) as database, database.connection() as connection:
        applied = await migrate(connection)
    for migration in applied:
        print(f"applied {migration.file_name}")
    print("the schema is up to date")
    return 0
