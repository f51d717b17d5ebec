"""Any sequence of calls leaves the API's objects, lists and audits as a simple model in memory has them."""

from __future__ import annotations

from modern_treasury import AsyncModernTreasury

from tests.api.http_objects import Objects
from tests.beside_a_model import try_sequences
from tests.effort import patient
from tests.ledger.own_audit import wrong
from worker.database import Database
from worker.operations.auditor import Auditor


@patient
async def test_any_sequence_of_calls_equals_the_model(database: Database, client: AsyncModernTreasury) -> None:
    await try_sequences(Objects, examples=20, steps=30, client=client)
    async with database.connection() as connection:
        assert await wrong(connection) == {}
    assert (await Auditor(database).verify())["findings"] == []
