"""The service process itself: it runs bulk requests and sends events to the lender's webhook."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from modern_treasury import AsyncModernTreasury

from tests.api.lendnow import LendNow
from worker.demo.processes import free_port, running
from worker.inbox.signature import SignedHeaders, Verified, verify

PATIENCE_SECONDS = 30
SECRET = bytes(range(32))


async def test_a_served_ledger_runs_bulk_requests_and_tells_the_webhook(database_url: str, tmp_path: Path) -> None:
    heard: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()

    async def hear(request: web.Request) -> web.Response:
        await heard.put((dict(request.headers), await request.read()))
        return web.Response(status=204)

    async def next_event() -> dict[str, Any]:
        headers, body = await heard.get()
        signed = SignedHeaders(headers["webhook-id"], headers["webhook-timestamp"], headers["webhook-signature"])
        assert verify([SECRET], signed, body, int(headers["webhook-timestamp"])) == Verified(headers["webhook-id"])
        return {"topic": headers["X-Topic"], **json.loads(body)}

    app = web.Application()
    app.router.add_post("/events", hear)
    port = free_port()
    async with TestServer(app) as receiver:
        environment = {
            "DATABASE_URL": database_url,
            "PORT": str(port),
            "CODAT_API_KEY": "test-only",
            "LEDGER_API_KEYS": "lender:key",
            "LEDGER_WEBHOOK_URL": str(receiver.make_url("/events")),
            "LEDGER_WEBHOOK_SECRETS": "whsec_" + b64encode(SECRET).decode(),
        }
        async with running("service", ["serve"], environment, tmp_path) as process, asyncio.timeout(PATIENCE_SECONDS):
            url = f"http://127.0.0.1:{port}"
            async with aiohttp.ClientSession() as session:
                await process.answering(session, f"{url}/readyz")
            async with AsyncModernTreasury(organization_id="lender", api_key="key", base_url=url) as client:
                lender = await LendNow.open(client)
                monitor = await client.ledger_account_balance_monitors.create(
                    ledger_account_id=lender.ids["cash"],
                    alert_condition={"field": "posted_balance_amount", "operator": "less_than", "value": 3},
                )
                first = await next_event()
                assert (first["topic"], first["event"]) == ("ledger_account_balance_monitor", "triggered")
                assert first["data"]["id"] == monitor.id
                entries: Any = lender.entries({"cash": 3}, {"revenue": 3})
                request = await client.bulk_requests.create(
                    action_type="create",
                    resource_type="ledger_transaction",
                    resources=[{"status": "posted", "ledger_entries": entries}],
                )
                told = [await next_event() for _ in range(3)]
                assert {(one["topic"], one["event"]) for one in told} == {
                    ("bulk_request", "created"),
                    ("bulk_request", "completed"),
                    ("ledger_account_balance_monitor", "resolved"),
                }
                assert (await client.bulk_requests.retrieve(request.id)).success_result_count == 1
