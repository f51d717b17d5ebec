"""One measurement from start to end: a scratch database, every case in turn, the report."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from worker.bench import scratch_store
from worker.bench.cases import Case, cases_of, comparisons_of
from worker.bench.figures import Figures
from worker.bench.pgbench import find_pgbench
from worker.bench.posting import Ring
from worker.bench.report import Conditions, report
from worker.bench.scratch import scratch_database, scratch_server
from worker.database import Database


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: callers at once, seconds for each case, and how often."""

    callers: tuple[int, ...]
    seconds: float
    repetitions: int


async def measure_ledger(database_url: str | None, plan: Plan, tell: Callable[[str], object]) -> dict[str, Any]:
    """Measure on the configured server, or on a throwaway one; ``tell`` hears what is being measured.

    The product's own tables are never touched. Raises :class:`~worker.errors.UsageError` when pgbench is missing or
    the configured role may not create a database.
    """
    pgbench = find_pgbench()
    async with scratch_server(database_url) as server_url, scratch_database(server_url, "posting") as url:
        async with Database.open(url) as database, database.connection() as connection:
            _, version = await scratch_store.server_of(connection)
        cases = cases_of(plan.callers)
        outcomes: dict[Case, list[Figures]] = {case: [] for case in cases}
        async with Ring.open(url) as ring:
            for repetition in range(1, plan.repetitions + 1):
                for case in cases:
                    tell(f"repetition {repetition} of {plan.repetitions}: {case}")
                    outcomes[case].append(await ring.measure(case, plan.seconds, pgbench))
    conditions = Conditions(version, os.cpu_count() or 1, plan.seconds, plan.repetitions)
    return report(conditions, outcomes, list(comparisons_of(plan.callers)))
