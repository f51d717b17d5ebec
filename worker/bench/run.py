"""One measurement from start to end: scratch databases, every case in turn, the report."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from worker.bench import scratch_store
from worker.bench.cases import (
    Case,
    Variant,
    cases_of,
    comparisons_of,
    growth_cases_of,
    growth_comparisons_of,
)
from worker.bench.figures import Figures
from worker.bench.history import write_history
from worker.bench.pgbench import find_pgbench
from worker.bench.pgledger import read_scripts
from worker.bench.pgledger_store import Script
from worker.bench.posting import Ring
from worker.bench.reading import measure_reading
from worker.bench.report import Conditions, History, report
from worker.bench.scratch import scratch_database, scratch_server
from worker.bench.workload import ENTRIES
from worker.operations.auditor import Auditor


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: callers at once, seconds for each case, how often, and entries of a history.

    ``pgledger`` are the SQL files of a copy of pgledger to compare with, in the order to run them in; without any it is
    left out.
    """

    callers: tuple[int, ...]
    seconds: float
    repetitions: int
    entries: int
    pgledger: tuple[Path, ...] = ()


async def measure_ledger(database_url: str | None, plan: Plan, tell: Callable[[str], object]) -> dict[str, Any]:
    """Measure on the configured server, or on a throwaway one; ``tell`` hears what is being measured.

    The product's own tables are never touched. Raises :class:`~worker.errors.UsageError` when pgbench is missing, the
    configured role may not create a database, or the files of pgledger do not work.
    """
    pgbench, scripts = find_pgbench(), read_scripts(plan.pgledger)
    async with scratch_server(database_url) as server_url:
        bench = _Bench(server_url, plan, pgbench, tell)
        outcomes = await bench.measure_posting(scripts)
        history = await bench.measure_history(outcomes) if plan.entries else None
    comparisons = [
        *comparisons_of(plan.callers, with_pgledger=bool(scripts)),
        *(growth_comparisons_of(plan.callers) if history else ()),
    ]
    conditions = Conditions(bench.server_version, os.cpu_count() or 1, plan.seconds, plan.repetitions)
    return report(conditions, outcomes, comparisons, history)


class _Bench:
    def __init__(self, server_url: str, plan: Plan, pgbench: Path, tell: Callable[[str], object]) -> None:
        self._server_url = server_url
        self._plan = plan
        self._pgbench = pgbench
        self._tell = tell
        self.server_version = ""

    async def measure_posting(self, pgledger: Sequence[Script]) -> dict[Case, list[Figures]]:
        """Everything that is measured on common tables, pgledger too when there are files of it."""
        cases = cases_of(self._plan.callers, with_pgledger=bool(pgledger))
        outcomes: dict[Case, list[Figures]] = defaultdict(list)
        async with self._ring("posting") as ring:
            if pgledger:
                await ring.load_pgledger(pgledger)
            self._tell("filling the tables")
            await ring.fill(cases, self._pgbench)
            for repetition in range(1, self._plan.repetitions + 1):
                for case in cases:
                    outcomes[case].append(await self._measure(ring, case, repetition))
        return outcomes

    async def measure_history(self, outcomes: dict[Case, list[Figures]]) -> History:
        """Reading from books with a history, which are audited first; and posting to them beside empty ones."""
        until = datetime.now(UTC)
        async with self._ring("aged") as aged:
            await write_history(aged.database, aged.books, self._plan.entries, until, self._tell)
            async with aged.database.connection() as connection:
                await scratch_store.settle(connection)
            self._tell("auditing the history")
            findings = (await Auditor(aged.database).verify())["findings"]
            reads = await measure_reading(aged.database, aged.books, self._plan.entries // ENTRIES, until)
            for repetition in range(1, self._plan.repetitions + 1):
                await self._measure_growth(aged, repetition, outcomes)
        return History(self._plan.entries, findings, reads)

    async def _measure_growth(self, aged: Ring, repetition: int, outcomes: dict[Case, list[Figures]]) -> None:
        cases = growth_cases_of(self._plan.callers)
        async with self._ring("empty") as empty:
            await empty.fill([case for case in cases if case.variant is Variant.EMPTY], self._pgbench)
            for case in cases:
                ring = empty if case.variant is Variant.EMPTY else aged
                outcomes[case].append(await self._measure(ring, case, repetition))

    async def _measure(self, ring: Ring, case: Case, repetition: int) -> Figures:
        self._tell(f"repetition {repetition} of {self._plan.repetitions}: {case}")
        return await ring.measure(case, self._plan.seconds, self._pgbench)

    @asynccontextmanager
    async def _ring(self, purpose: str) -> AsyncIterator[Ring]:
        async with scratch_database(self._server_url, purpose) as url, Ring.open(url) as ring:
            self.server_version = ring.server_version
            yield ring
