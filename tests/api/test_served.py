"""The service process itself, called by the official synchronous client as any lender's program would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from modern_treasury import AuthenticationError, ModernTreasury

from tests.api.conftest import Raw
from tests.api.lendnow import SIDES
from worker.config import LedgerApiKey
from worker.demo.processes import free_port, running


def tell_a_story(url: str) -> tuple[int, str]:
    """Open books, post once, post the same key again; the balance, and the status of what was repeated."""
    with ModernTreasury(
        organization_id="lender", api_key="key-2", base_url=url, _strict_response_validation=True
    ) as client:
        ledger = client.ledgers.create(name="LendNow")
        cash, due = (
            client.ledger_accounts.create(name=name, normal_balance=side, currency="USD", ledger_id=ledger.id)
            for name, side in zip(("Cash", "Principal Due"), SIDES, strict=True)
        )
        for _ in range(2):
            transaction = client.ledger_transactions.create(
                ledger_entries=[
                    {"amount": 1_000_000, "direction": "debit", "ledger_account_id": cash.id},
                    {"amount": 1_000_000, "direction": "credit", "ledger_account_id": due.id},
                ],
                status="posted",
                effective_at="2020-08-27",
                idempotency_key="capital-call-1",
            )
        return client.ledger_accounts.retrieve(cash.id).balances.posted_balance.amount, transaction.status


@pytest.fixture(params=["all", "api"])
async def served(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """Where a service that is ready answers, in each role that does."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "DATABASE_URL": database_url,
        "PORT": str(port),
        "CODAT_API_KEY": "test-only",
        "LEDGER_API_KEYS": "lender:key-1,lender:key-2",
    }
    async with running("service", ["serve", f"--role={request.param}"], environment, tmp_path) as process:
        async with aiohttp.ClientSession() as session:
            await process.answering(session, f"{url}/readyz")
        yield url


async def test_a_served_ledger_answers_the_official_client(served: str) -> None:
    assert await asyncio.to_thread(tell_a_story, served) == (1_000_000, "posted")


LONG = "x" * 60_000
"""Of a URL or a header: over what HTTP servers usually take."""


async def test_what_is_very_long_is_answered_like_anything_else(served: str) -> None:
    async with aiohttp.ClientSession() as session:
        raw, key = Raw(session, served), LedgerApiKey("lender", "key-1")
        assert (await raw.call("GET", f"/api/ledgers?metadata[k]={LONG}", key))[:2] == (200, [])
        assert (await raw.error("GET", f"/api/{LONG}", key=key))[0] == 404
        refused = await raw.error(
            "POST", "/api/ledgers", key=key, json={"name": "A"}, headers={"Idempotency-Key": LONG}
        )
        assert refused[0] == 422
        assert refused[2] == "Idempotency-Key"


DOORS = {
    "/api/ledgers": "Basic bGVuZGVyOmtleS0x",
    "/api/nowhere": "Basic bGVuZGVyOmtleS0x",
    "/api/bulk_requests": "Basic bm9ib2R5",
    "/webhooks/loans": "",
    "/webhooks/codat": "",
    "/v1/jobs/1/bury": "Bearer nobody",
}
"""Paths that take a body, and what callers say of themselves there, some of it wrong."""


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
async def test_what_is_wrongly_compressed_is_refused_and_leaves_the_connection_usable(
    served: str, tmp_path: Path, encoding: str
) -> None:
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector) as session:
        for path, authorization in DOORS.items():
            headers = {"Authorization": authorization, "Content-Encoding": encoding}
            async with session.post(served + path, data=b"not compressed at all", headers=headers) as response:
                assert response.status in (401, 404, 415), path
                assert "error" in await response.text()
                assert response.headers.get("Connection") != "close"
            async with session.get(f"{served}/livez") as response:
                assert response.status == 200
    assert "Traceback" not in (tmp_path / "service.log").read_text()


async def test_without_keys_the_door_is_closed(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    environment = {"DATABASE_URL": database_url, "PORT": str(port), "CODAT_API_KEY": "test-only", "LEDGER_API_KEYS": ""}
    async with running("service", ["serve"], environment, tmp_path) as process:
        async with aiohttp.ClientSession() as session:
            await process.answering(session, f"http://127.0.0.1:{port}/livez")
        client = ModernTreasury(organization_id="", api_key="", base_url=f"http://127.0.0.1:{port}", max_retries=0)
        with pytest.raises(AuthenticationError):
            await asyncio.to_thread(client.ping)
        client.close()
