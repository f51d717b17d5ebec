"""What the API forgets when its time is over, and what stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from modern_treasury import AsyncModernTreasury, NotFoundError

from tests.api.lendnow import LendNow
from tests.api.test_bulk import ask, outcome, results_of, transfer, work
from worker.api import bulk_store, events_store, retention
from worker.api.retention import Retention
from worker.database import Database


async def age(database: Database, table: str, by: timedelta) -> None:
    """Make everything in a table older."""
    async with database.connection() as connection:
        columns: list[Any] = await connection.fetch(
            "select attname as name from pg_attribute where attrelid = $1::text::regclass"
            " and attname in ('created_at', 'updated_at')",
            table,
        )
        changes = ", ".join(f"{column['name']} = {column['name']} - $1::interval" for column in columns)
        await connection.execute(f"update {table} set {changes}", by)


async def test_completed_bulk_requests_are_forgotten_with_their_results(
    lender: LendNow, client: AsyncModernTreasury, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PRUNED_AT_ONCE", 3)
    old = [await ask(client, "create", "ledger_transaction", [transfer(lender, 1)] * 5) for _ in range(2)]
    await work(database)
    unfinished = await ask(client, "create", "ledger_transaction", [transfer(lender, 1)])
    await age(database, "bulk_requests", bulk_store.RETENTION)
    recent = await ask(client, "create", "ledger_transaction", [transfer(lender, 1)] * 5)
    async with database.connection() as connection:
        await connection.execute("update bulk_requests set created_at = created_at - interval '1 year'")
    # The recent one began long ago too, but completes only now.
    await Retention(database).prune()
    assert [one.id async for one in client.bulk_requests.list()] == [recent.id, unfinished.id]
    await work(database)
    await Retention(database).prune()
    for request, number in ((recent, 5), (unfinished, 1)):
        assert await outcome(client, request) == ("completed", number, number, 0)
        assert len(await results_of(client, request)) == number
    for request in old:
        assert await results_of(client, request) == []
        with pytest.raises(NotFoundError):
            await client.bulk_requests.retrieve(request.id)
    assert (await lender.amounts("cash"))[0] == 16


async def test_old_events_are_forgotten_once_somebody_was_charged_with_them(
    lender: LendNow, client: AsyncModernTreasury, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PRUNED_AT_ONCE", 2)
    for _ in range(5):
        await ask(client, "create", "ledger_transaction", [transfer(lender, 1)])
    async with database.connection() as connection:
        await events_store.take_events(connection, 4)
    await age(database, "ledger_events", events_store.RETENTION)
    recent = await ask(client, "create", "ledger_transaction", [transfer(lender, 1)])
    async with database.connection() as connection:
        undispatched = await connection.fetchval(
            "select id from ledger_events where not dispatched order by sequence limit 1"
        )
    await Retention(database).prune()
    events = [event async for event in client.events.list()]
    assert [event.entity_id for event in events][:1] == [recent.id]
    assert [event.id for event in events][1:] == [str(undispatched)]
