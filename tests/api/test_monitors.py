"""Balance monitors and events through the official client, and what the lender's webhook is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from modern_treasury import AsyncModernTreasury, NotFoundError, UnprocessableEntityError
from modern_treasury.types import LedgerAccountBalanceMonitor

from tests.api.conftest import MISSING, Raw
from tests.api.lendnow import LendNow
from worker.api.deliveries import DELIVER_EVENT, DeliveryHandler, Dispatcher
from worker.config import LedgerWebhook
from worker.database import Database
from worker.inbox.signature import SignedHeaders, Verified, verify
from worker.jobs.hints import Hints
from worker.jobs.job import Registration
from worker.jobs.runner import Runner

SECRETS = (b"a" * 32, b"b" * 32)
FIRST_SECRET_AS_TEXT = "whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="
PATIENCE_SECONDS = 30


async def watch(
    lender: LendNow, operator: str, value: int, field: str = "available_balance_amount", **said: Any
) -> LedgerAccountBalanceMonitor:
    return await lender.client.ledger_account_balance_monitors.create(
        ledger_account_id=lender.ids["cash"],
        alert_condition={"field": field, "operator": operator, "value": value},
        **said,
    )


async def turns(lender: LendNow, monitor: LedgerAccountBalanceMonitor) -> list[str]:
    """What became of a monitor, oldest first."""
    listed = lender.client.events.list(entity_id=monitor.id, resource="ledger_account_balance_monitor")
    return [event.event_name async for event in listed][::-1]


async def test_a_monitor_tells_of_every_turn_once(lender: LendNow) -> None:
    monitor = await watch(lender, "less_than", 100)
    assert monitor.current_ledger_account_balance_state.triggered
    await lender.post({"cash": 99}, {"revenue": 99})
    assert await turns(lender, monitor) == ["triggered"]
    await lender.post({"cash": 1}, {"revenue": 1})
    await lender.post({"cash": 1}, {"revenue": 1})
    assert await turns(lender, monitor) == ["triggered", "resolved"]
    reserved = await lender.post({"expenses": 2}, {"cash": 2}, status="pending")
    assert await turns(lender, monitor) == ["triggered", "resolved", "triggered"]
    await lender.client.ledger_transactions.update(reserved.id, status="archived")
    assert await turns(lender, monitor) == ["triggered", "resolved", "triggered", "resolved"]

    seen = await lender.client.ledger_account_balance_monitors.retrieve(monitor.id)
    state = seen.current_ledger_account_balance_state
    assert (state.triggered, state.ledger_account_lock_version) == (False, 5)
    assert state.balances.available_balance.amount == 101


@pytest.mark.parametrize(
    ("operator", "at_99", "at_100", "at_101"),
    [
        ("less_than", True, False, False),
        ("less_than_or_equals", True, True, False),
        ("equals", False, True, False),
        ("greater_than_or_equals", False, True, True),
        ("greater_than", False, False, True),
    ],
)
async def test_every_operator_compares_the_field_with_the_value(
    lender: LendNow, operator: str, at_99: bool, at_100: bool, at_101: bool
) -> None:
    monitor = await watch(lender, operator, 100, field="posted_balance_amount")
    found = []
    for amount in (99, 1, 1):
        await lender.post({"cash": amount}, {"revenue": amount})
        seen = await lender.client.ledger_account_balance_monitors.retrieve(monitor.id)
        found.append(seen.current_ledger_account_balance_state.triggered)
    assert found == [at_99, at_100, at_101]


@pytest.mark.parametrize("word", ["cash", "revenue"])
async def test_every_field_is_seen_from_the_accounts_normal_side(lender: LendNow, word: str) -> None:
    side, other = ("cash", "revenue") if word == "cash" else ("revenue", "cash")
    debits_first = word == "cash"

    async def grow(amount: int, **said: Any) -> None:
        sides = ({side: amount}, {other: amount}) if debits_first else ({other: amount}, {side: amount})
        await lender.post(*sides, **said)

    async def shrink(amount: int, **said: Any) -> None:
        sides = ({other: amount}, {side: amount}) if debits_first else ({side: amount}, {other: amount})
        await lender.post(*sides, **said)

    await grow(100)
    await grow(10, status="pending")
    await shrink(1, status="pending")
    for field_name, value in (
        ("posted_balance_amount", 100),
        ("pending_balance_amount", 109),
        ("available_balance_amount", 99),
        ("ledger_account_lock_version", 3),
    ):
        monitor = await lender.client.ledger_account_balance_monitors.create(
            ledger_account_id=lender.ids[word],
            alert_condition={"field": field_name, "operator": "equals", "value": value},
        )
        assert monitor.current_ledger_account_balance_state.triggered, field_name


async def test_monitors_are_changed_listed_and_discarded(lender: LendNow, client: AsyncModernTreasury) -> None:
    monitors = client.ledger_account_balance_monitors
    first = await watch(lender, "less_than", 10**36, description="d", metadata={"k": "v"})
    second = await watch(lender, "less_than", 5)
    assert (first.alert_condition.value, first.description, first.metadata) == (10**36, "d", {"k": "v"})
    assert [one.id async for one in monitors.list(per_page=1)] == [second.id, first.id]
    assert [one.id async for one in monitors.list(metadata={"k": "v"}, ledger_account_id=lender.ids["cash"])] == [
        first.id
    ]
    assert [one.id async for one in monitors.list(id=[second.id])] == [second.id]
    changed = await monitors.update(first.id, description="e", metadata={"k": "", "l": "w"})
    assert (changed.description, changed.metadata) == ("e", {"l": "w"})

    assert (await monitors.delete(first.id)).discarded_at is not None
    with pytest.raises(NotFoundError):
        await monitors.retrieve(first.id)
    with pytest.raises(NotFoundError):
        await monitors.delete(first.id)
    await lender.post({"cash": 10**36 - 1}, {"revenue": 10**36 - 1})
    await lender.post({"cash": 10}, {"revenue": 10})
    assert await turns(lender, first) == ["triggered"]
    assert await turns(lender, second) == ["triggered", "resolved"]
    with pytest.raises(UnprocessableEntityError, match="Ledger account not found"):
        await monitors.create(
            ledger_account_id=MISSING,
            alert_condition={"field": "posted_balance_amount", "operator": "equals", "value": 1},
        )


@pytest.mark.parametrize(
    ("alert", "code", "parameter"),
    [
        (None, "parameter_missing", "alert_condition"),
        ({}, "parameter_missing", "alert_condition.value"),
        ({"value": 1, "field": "balance", "operator": "equals"}, "parameter_invalid", "alert_condition.field"),
        ({"value": 1, "field": "posted_balance_amount"}, "parameter_missing", "alert_condition.operator"),
        ([], "parameter_invalid", "alert_condition"),
    ],
)
async def test_a_condition_that_says_nothing_is_refused(
    lender: LendNow, raw: Raw, alert: object, code: str, parameter: str
) -> None:
    sent = {"ledger_account_id": lender.ids["cash"], "alert_condition": alert}
    found = await raw.error("POST", "/api/ledger_account_balance_monitors", json=sent)
    assert found == (422, code, parameter)


async def test_no_turn_is_missed_while_many_post_and_monitors_come(lender: LendNow) -> None:
    async def pay(n: int) -> None:
        sides = ({"cash": 1}, {"revenue": 1}) if n % 2 else ({"revenue": 1}, {"cash": 1})
        await lender.post(*sides)

    results = await asyncio.gather(*(watch(lender, "greater_than", n % 3) for n in range(10)), *map(pay, range(60)))
    for monitor in (one for one in results if isinstance(one, LedgerAccountBalanceMonitor)):
        seen = await lender.client.ledger_account_balance_monitors.retrieve(monitor.id)
        told = await turns(lender, monitor)
        state = seen.current_ledger_account_balance_state
        assert state.triggered == (state.balances.available_balance.amount > monitor.alert_condition.value)
        assert told[-1] == ("triggered" if state.triggered else "resolved")
        assert all(one != following for one, following in pairwise(told))


async def test_events_are_listed_by_what_they_are_about(lender: LendNow, client: AsyncModernTreasury) -> None:
    monitor = await watch(lender, "less_than", 100)
    await lender.post({"cash": 100}, {"revenue": 100})
    settlement = await client.ledger_account_settlements.create(
        settled_ledger_account_id=lender.ids["revenue"], contra_ledger_account_id=lender.ids["cash"], status="posted"
    )
    newest, resolved, triggered = [
        event async for event in client.events.list(per_page=1) if event.entity_id in {monitor.id, settlement.id}
    ][-3:]
    assert (triggered.event_name, resolved.event_name, triggered.data) == (
        "triggered",
        "resolved",
        {**triggered.data, "id": monitor.id, "object": "ledger_account_balance_monitor"},
    )
    assert LedgerAccountBalanceMonitor.model_validate(triggered.data) == monitor
    assert await client.events.retrieve(resolved.id) == resolved

    async def found(**filters: Any) -> list[str]:
        return [event.id async for event in client.events.list(**filters)]

    assert newest.id in await found(event_time_start=newest.event_time)
    assert triggered.id in await found(event_time_end=triggered.event_time, resource="ledger_account_balance_monitor")
    assert await found(event_name="created", resource="ledger_account_settlement", entity_id=settlement.id) != []
    assert await found(event_time_end="2020-01-01") == []
    with pytest.raises(NotFoundError):
        await client.events.retrieve(MISSING)


@dataclass
class Receiver:
    """The lender's webhook: refuses the first deliveries, and keeps all."""

    refuses: int = 0
    url: str = ""
    heard: list[tuple[dict[str, str], str]] = field(default_factory=list)

    async def hear(self, request: web.Request) -> web.Response:
        self.heard.append((dict(request.headers), await request.text()))
        return web.Response(status=500 if len(self.heard) <= self.refuses else 204)


@asynccontextmanager
async def listening(refuses: int) -> AsyncIterator[Receiver]:
    receiver = Receiver(refuses)
    app = web.Application()
    app.router.add_post("/events", receiver.hear)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/events"))
        yield receiver


async def deliver(database: Database, webhook: LedgerWebhook | None, deliveries: int, receiver: Receiver) -> None:
    """Dispatch what there is and work until the receiver has heard so many times."""
    hints = Hints(database)
    await Dispatcher(database, webhook, hints.nudge).dispatch()
    async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE_SECONDS):
        handler = DeliveryHandler(database, session, webhook, lambda: datetime.now(UTC))
        runner = Runner(database, [Registration(DELIVER_EVENT, handler)], hints)
        while True:
            if not await runner.run_once() and len(receiver.heard) >= deliveries:
                return
            await asyncio.sleep(0.01)


async def test_the_webhook_hears_of_every_turn_in_order_signed_and_again_until_it_answers(
    lender: LendNow, database: Database, client: AsyncModernTreasury
) -> None:
    monitor = await watch(lender, "less_than", 100)
    await lender.post({"cash": 100}, {"revenue": 100})
    async with listening(refuses=1) as receiver:
        await deliver(database, LedgerWebhook(receiver.url, SECRETS), 3, receiver)
    bodies = [json.loads(body) for _, body in receiver.heard]
    assert [body["event"] for body in bodies] == ["triggered", "triggered", "resolved"]
    assert LedgerAccountBalanceMonitor.model_validate(bodies[0]["data"]) == monitor
    events = [event.id async for event in client.events.list(entity_id=monitor.id)]
    assert [headers["webhook-id"] for headers, _ in receiver.heard] == [events[1], events[1], events[0]]
    for headers, body in receiver.heard:
        signed = SignedHeaders(headers["webhook-id"], headers["webhook-timestamp"], headers["webhook-signature"])
        for secret in SECRETS:
            verdict = verify([secret], signed, body.encode(), int(headers["webhook-timestamp"]))
            assert verdict == Verified(headers["webhook-id"])
        assert headers["X-Topic"] == "ledger_account_balance_monitor"
        assert client.webhooks.validate_signature(body, headers, key=FIRST_SECRET_AS_TEXT)


async def test_without_a_webhook_events_are_only_listed(lender: LendNow, database: Database) -> None:
    monitor = await watch(lender, "less_than", 100)
    async with listening(refuses=0) as receiver:
        await deliver(database, None, 0, receiver)
        await deliver(database, LedgerWebhook(receiver.url, SECRETS), 0, receiver)
    assert receiver.heard == []
    assert await turns(lender, monitor) == ["triggered"]
