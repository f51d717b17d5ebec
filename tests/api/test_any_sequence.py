"""Any sequence of calls leaves the API's objects, lists and audits as a simple model in memory has them."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.api.conftest import Raw
from tests.api.http_objects import Objects
from tests.effort import EFFORT, patient
from tests.ledger.own_audit import wrong
from worker.database import Database


@patient
async def test_any_sequence_of_calls_equals_the_model(database: Database, raw: Raw) -> None:
    machine = type("BooksOfThisTest", (Objects,), {"raw": raw, "loop": asyncio.get_running_loop()})
    tries = settings(
        max_examples=20 * EFFORT,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=tries)
    async with database.connection() as connection:
        assert await wrong(connection) == {}
