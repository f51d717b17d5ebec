"""Bulk requests and results through the official client, worked off by the queue."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from asyncpg import SerializationError
from modern_treasury import AsyncModernTreasury, NotFoundError
from modern_treasury.types import BulkRequest, BulkResult, LedgerTransaction

from tests.api.conftest import MISSING, Raw
from tests.api.lendnow import LendNow
from tests.api.refusals import bulk_error
from worker.api import bulk_run, bulk_store
from worker.api.bulk import MAX_RESOURCES, RUN_BULK_REQUEST
from worker.api.bulk_run import BulkHandler
from worker.api.routes import MAX_BODY_BYTES
from worker.database import Database
from worker.jobs.hints import Hints
from worker.jobs.job import Claim, Job, Registration
from worker.jobs.runner import Runner


async def work(database: Database) -> None:
    """Work off every job there is."""
    handler = BulkHandler(database, lambda: datetime.now(UTC))
    runner = Runner(database, [Registration(RUN_BULK_REQUEST, handler)], Hints(database))
    while await runner.run_once():
        pass


async def ask(client: AsyncModernTreasury, action: Any, resource_type: Any, resources: Any, **said: Any) -> BulkRequest:
    return await client.bulk_requests.create(
        action_type=action, resource_type=resource_type, resources=resources, **said
    )


async def results_of(client: AsyncModernTreasury, request: BulkRequest) -> list[BulkResult]:
    """Results in the order of the resources."""
    return [result async for result in client.bulk_results.list(request_id=request.id)][::-1]


async def outcome(client: AsyncModernTreasury, request: BulkRequest) -> tuple[str, int, int, int]:
    seen = await client.bulk_requests.retrieve(request.id)
    return seen.status, seen.total_resource_count, seen.success_result_count, seen.failed_result_count


def transfer(lender: LendNow, amount: int, **said: Any) -> dict[str, Any]:
    return {"status": "posted", "ledger_entries": lender.entries({"cash": amount}, {"revenue": amount}), **said}


async def test_transactions_are_created_each_with_its_own_result(
    lender: LendNow, client: AsyncModernTreasury, database: Database
) -> None:
    other = await LendNow.open(client)
    unbalanced = {"ledger_entries": lender.entries({"cash": 1}, {"revenue": 2})}
    locked = transfer(lender, 1)
    locked["ledger_entries"][0]["lock_version"] = 0
    request = await ask(
        client,
        "create",
        "ledger_transaction",
        [
            transfer(lender, 10**35, external_id="a"),
            unbalanced,
            transfer(other, 7),
            transfer(lender, 2, external_id="a"),
            locked,
            {"nonsense": True},
            transfer(lender, 3),
            transfer(lender, 1, ledger_account_category_balance_locks=[{"ledger_account_category_id": MISSING}]),
        ],
        metadata={"run": "1"},
    )
    assert (request.status, request.total_resource_count, request.metadata) == ("pending", 8, {"run": "1"})
    assert await results_of(client, request) == []
    await work(database)

    assert await outcome(client, request) == ("completed", 8, 3, 5)
    results = await results_of(client, request)
    assert [result.status for result in results] == [
        "successful",
        "failed",
        "successful",
        "failed",
        "failed",
        "failed",
        "successful",
        "failed",
    ]
    assert [result.entity_type for result in results[:2]] == ["ledger_transaction", "bulk_error"]
    assert results[0].entity.id == results[0].entity_id
    assert isinstance(results[0].entity, LedgerTransaction)
    assert results[0].entity.ledger_entries[0].amount == 10**35
    assert [bulk_error(result).parameter for result in results if result.status == "failed"] == [
        "ledger_entries",
        "external_id",
        "ledger_entries",
        "ledger_entries",
        "ledger_account_category_balance_locks",
    ]
    assert results[0].request_params is not None
    assert (results[0].request_params["external_id"], results[0].request_params["status"]) == ("a", "posted")
    assert await client.bulk_results.retrieve(results[1].id) == results[1]
    assert (await lender.amounts("cash"))[0] == 10**35 + 3
    assert (await other.amounts("cash"))[0] == 7


async def test_transactions_are_updated(lender: LendNow, client: AsyncModernTreasury, database: Database) -> None:
    pending = [await lender.post({"cash": 5}, {"revenue": 5}, status="pending") for _ in range(2)]
    final = await lender.post({"cash": 1}, {"revenue": 1})
    request = await ask(
        client,
        "update",
        "ledger_transaction",
        [
            {"id": pending[0].id, "status": "posted"},
            {"id": pending[1].id, "status": "archived", "metadata": {"why": "returned"}},
            {"id": final.id, "status": "posted"},
            {"id": final.id, "status": "archived"},
            {"id": MISSING, "status": "posted"},
            {"status": "posted"},
        ],
    )
    await work(database)
    assert await outcome(client, request) == ("completed", 6, 3, 3)
    results = await results_of(client, request)
    assert [result.entity_id for result in results[:3]] == [pending[0].id, pending[1].id, final.id]
    assert await lender.amounts("cash") == (6, 6, 6)


async def test_accounts_are_created_updated_and_deleted(
    lender: LendNow, client: AsyncModernTreasury, database: Database
) -> None:
    about = {"normal_balance": "debit", "currency": "USD", "ledger_id": lender.ledger_id}
    created = await ask(
        client,
        "create",
        "ledger_account",
        [
            {"name": "A", "external_id": "a", **about},
            {"name": "B", "external_id": "a", **about},
            {"name": "C", **about},
        ],
    )
    await work(database)
    assert await outcome(client, created) == ("completed", 3, 2, 1)
    first, taken, third = await results_of(client, created)
    assert (await client.ledger_accounts.retrieve("a")).id == first.entity_id
    assert taken.entity_type == "bulk_error"

    updated = await ask(
        client, "update", "ledger_account", [{"id": first.entity_id, "name": "A2"}, {"id": MISSING, "name": "x"}]
    )
    deleted = await ask(
        client, "delete", "ledger_account", [{"id": third.entity_id}, {"id": third.entity_id}, {"id": first.entity_id}]
    )
    await lender.client.ledger_transactions.create(
        status="posted",
        ledger_entries=[
            {"amount": 1, "direction": "debit", "ledger_account_id": first.entity_id},
            {"amount": 1, "direction": "credit", "ledger_account_id": lender.ids["revenue"]},
        ],
    )
    await work(database)
    assert await outcome(client, updated) == ("completed", 2, 1, 1)
    assert await outcome(client, deleted) == ("completed", 3, 1, 2)
    assert (await client.ledger_accounts.retrieve(first.entity_id)).name == "A2"
    with pytest.raises(NotFoundError):
        await client.ledger_accounts.retrieve(third.entity_id)


async def test_a_request_that_was_broken_off_goes_on_where_it_was(
    lender: LendNow, client: AsyncModernTreasury, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await ask(client, "create", "ledger_transaction", [transfer(lender, 1) for _ in range(25)])
    monkeypatch.setattr(bulk_run, "TRANSACTIONS_AT_ONCE", 10)
    save, saved = bulk_store.save_outcomes, 0

    async def save_and_die(*told: Any) -> Any:
        nonlocal saved
        saved += 1
        done = await save(*told)
        if saved == 2:
            raise ConnectionResetError("after everything was written, before the commit")
        return done

    monkeypatch.setattr(bulk_store, "save_outcomes", save_and_die)
    async with asyncio.timeout(30):
        await work(database)
        assert await outcome(client, request) == ("processing", 25, 10, 0)
        assert (await lender.amounts("cash"))[0] == 10
        while await outcome(client, request) != ("completed", 25, 25, 0):
            await work(database)
    assert (await lender.amounts("cash"))[0] == 25
    assert len({result.entity_id for result in await results_of(client, request)}) == 25


async def forbid(database: Database, table: str, condition: str, code: str) -> None:
    """Have the database itself refuse a row, behind every check of the program."""
    async with database.transaction() as connection:
        await connection.execute(
            f"""
            create function forbid() returns trigger language plpgsql as $$
            begin
                raise exception 'forbidden by a test' using errcode = '{code}';
            end $$;
            create trigger forbid before insert on {table} for each row when ({condition}) execute function forbid()
            """
        )


@pytest.mark.parametrize("code", ["LW004", "23505", "22003"])
async def test_a_transaction_that_the_database_refuses_fails_alone(
    lender: LendNow, client: AsyncModernTreasury, database: Database, code: str
) -> None:
    await forbid(database, "ledger_transactions", "new.description = 'bad'", code)
    resources = [transfer(lender, 1, description="bad" if n in {3, 4, 11} else "good") for n in range(12)]
    request = await ask(client, "create", "ledger_transaction", resources)
    await work(database)
    assert await outcome(client, request) == ("completed", 12, 9, 3)
    assert (await lender.amounts("cash"))[0] == 9
    failed = [result for result in await results_of(client, request) if result.status == "failed"]
    for result in failed:
        error = bulk_error(result)
        assert (error.code, error.parameter) == ("parameter_invalid", "resources")
        assert "forbidden by a test" in (error.message or "")
    told = [event.event_name async for event in client.events.list(entity_id=request.id)]
    assert told == ["completed", "created"]


async def test_an_account_that_the_database_refuses_fails_alone(
    lender: LendNow, client: AsyncModernTreasury, database: Database
) -> None:
    await forbid(database, "ledger_accounts", "new.name = 'bad'", "LW005")
    about = {"normal_balance": "debit", "currency": "USD", "ledger_id": lender.ledger_id}
    request = await ask(
        client, "create", "ledger_account", [{"name": name, **about} for name in ("one", "bad", "three")]
    )
    await work(database)
    assert await outcome(client, request) == ("completed", 3, 2, 1)
    assert [result.status for result in await results_of(client, request)] == ["successful", "failed", "successful"]


async def test_a_resource_that_fails_for_reasons_of_ours_is_given_up_at_last(
    lender: LendNow, client: AsyncModernTreasury, database: Database
) -> None:
    await forbid(database, "ledger_transactions", "new.description = 'bad'", "40001")
    resources = [transfer(lender, 1, description=said) for said in ("good", "bad", "good")]
    request = await ask(client, "create", "ledger_transaction", resources)
    (sequence,) = await sequences(database)
    handler = BulkHandler(database, lambda: datetime.now(UTC))
    tried: list[str] = []
    for attempt in (1, bulk_run.TRIES - 1, bulk_run.TRIES, 1):
        job = Job(1, RUN_BULK_REQUEST, 0, sequence, attempt, datetime.now(UTC), datetime.now(UTC))
        try:
            (answered,) = await handler(Claim(1, (job,)))
        except SerializationError:
            tried.append("failed")
        else:
            tried.append(type(answered).__name__)
    assert tried == ["failed", "failed", "Snooze", "Done"]
    assert await outcome(client, request) == ("completed", 3, 2, 1)
    assert bulk_error((await results_of(client, request))[1]).code == "internal_error"


async def test_a_request_of_ten_thousand_resources_is_taken_and_one_more_is_not(lender: LendNow, raw: Raw) -> None:
    body = {
        "action_type": "create",
        "resource_type": "ledger_transaction",
        "resources": [transfer(lender, 1, description="d" * 800)] * MAX_RESOURCES,
    }
    assert len(json.dumps(body)) > MAX_BODY_BYTES
    status, shown, _ = await raw.call("POST", "/api/bulk_requests", json=body)
    assert (status, shown["total_resource_count"]) == (201, MAX_RESOURCES)
    body["resources"] = [{}] * (MAX_RESOURCES + 1)
    assert await raw.error("POST", "/api/bulk_requests", json=body) == (422, "parameter_invalid", "resources")


async def test_two_workers_on_one_request_try_every_resource_once(
    lender: LendNow, client: AsyncModernTreasury, database: Database
) -> None:
    request = await ask(client, "create", "ledger_transaction", [transfer(lender, 1) for _ in range(300)])
    handler = BulkHandler(database, lambda: datetime.now(UTC))
    (sequence,) = await sequences(database)
    await asyncio.gather(*(try_all(handler, sequence) for _ in range(3)))
    assert await outcome(client, request) == ("completed", 300, 300, 0)
    assert (await lender.amounts("cash"))[0] == 300


async def sequences(database: Database) -> list[int]:
    async with database.connection() as connection:
        return [row["sequence"] for row in await connection.fetch("select sequence from bulk_requests")]


async def try_all(handler: BulkHandler, sequence: int) -> None:
    while await handler.try_some(sequence, 100) is None:
        pass


async def test_lists_filter_requests_and_results(
    lender: LendNow, client: AsyncModernTreasury, database: Database
) -> None:
    first = await ask(client, "create", "ledger_transaction", [transfer(lender, 1)], metadata={"run": "1"})
    await work(database)
    second = await ask(client, "delete", "ledger_account", [{"id": lender.ids["cash"]}, {"id": MISSING}])

    async def requests(**filters: Any) -> list[str]:
        return [one.id async for one in client.bulk_requests.list(**filters)]

    async def results(**filters: Any) -> int:
        return len([one async for one in client.bulk_results.list(**filters)])

    assert await requests(per_page=1) == [second.id, first.id]
    assert await requests(status="completed") == [first.id]
    assert await requests(resource_type="ledger_account", action_type="delete") == [second.id]
    assert await requests(metadata={"run": "1"}) == [first.id]
    assert await requests(resource_type="payment_order") == []
    await work(database)
    assert await results(per_page=1) == 3
    assert await results(status="failed", request_type="bulk_request") == 2
    assert await results(entity_type="ledger_transaction", request_id=first.id) == 1
    assert await results(entity_type="expected_payment") == 0
    (result,) = await results_of(client, first)
    assert await results(entity_id=result.entity_id) == 1
    told = [event.event_name async for event in client.events.list(entity_id=first.id, resource="bulk_request")]
    assert told == ["completed", "created"]
    for one in (client.bulk_requests, client.bulk_results):
        with pytest.raises(NotFoundError):
            await one.retrieve(MISSING)


@pytest.mark.parametrize(
    ("body", "code", "parameter"),
    [
        ({"action_type": "create"}, "parameter_missing", "resource_type"),
        ({"action_type": "create", "resource_type": "payment_order"}, "parameter_invalid", "resource_type"),
        ({"action_type": "create", "resource_type": "ledger_account"}, "parameter_missing", "resources"),
        ({"action_type": "create", "resource_type": "ledger_account", "resources": [1]}, "parameter_invalid", None),
        ({"action_type": "delete", "resource_type": "ledger_transaction"}, "parameter_invalid", "action_type"),
    ],
)
async def test_a_request_nobody_could_run_is_refused(raw: Raw, body: object, code: str, parameter: str | None) -> None:
    status, found, blamed = await raw.error("POST", "/api/bulk_requests", json=body)
    assert (status, found, blamed) == (422, code, parameter or "resources[0]")
