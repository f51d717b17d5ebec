"""The subcommands of ``writeback``, one module each."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final, TypeAlias

from worker.commands import (
    bench,
    demo,
    events,
    healthcheck,
    jobs,
    ledger,
    loans,
    migrate,
    sagas,
    send,
    serve,
    simulator,
)

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

COMMANDS: Final[tuple[Callable[[Subparsers], None], ...]] = (
    demo.add,
    serve.add,
    migrate.add,
    simulator.add,
    send.add,
    events.add,
    loans.add,
    sagas.add,
    jobs.add_jobs,
    jobs.add_dead_letters,
    ledger.add,
    bench.add,
    healthcheck.add,
)
"""Each declares its arguments and sets ``run`` to a function from the parsed arguments to the exit code."""
