"""The service process itself, called by the official synchronous client as any lender's program would."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from modern_treasury import AuthenticationError, ModernTreasury

from tests.api.lendnow import SIDES
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


@pytest.mark.parametrize("role", ["all", "api"])
async def test_a_served_ledger_answers_the_official_client(database_url: str, tmp_path: Path, role: str) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "DATABASE_URL": database_url,
        "PORT": str(port),
        "CODAT_API_KEY": "test-only",
        "LEDGER_API_KEYS": "lender:key-1,lender:key-2",
    }
    async with running("service", ["serve", f"--role={role}"], environment, tmp_path) as process:
        async with aiohttp.ClientSession() as session:
            await process.answering(session, f"{url}/readyz")
        assert await asyncio.to_thread(tell_a_story, url) == (1_000_000, "posted")


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
