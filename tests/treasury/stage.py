"""A service that posts to a ledger elsewhere, and that ledger: this product's own API, in another process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from tests.flow.stack import Stack, eventually, open_stack
from worker.demo.processes import free_port, running

ORGANIZATION = "the-lender"
KEY = "test-only-treasury-key"
LEDGER = "Loans of the lender"

Event = tuple[str, Mapping[str, Any]]
"""A webhook id and a body."""


@dataclass(frozen=True)
class Remote:
    """A ledger's API on a database of its own."""

    url: str
    session: aiohttp.ClientSession
    database_url: str

    @property
    def authorization(self) -> str:
        """The header that lets a caller in."""
        return aiohttp.encode_basic_auth(ORGANIZATION, KEY)

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """The object that a call which must succeed answers."""
        headers = {"Authorization": self.authorization}
        async with self.session.request(method, f"{self.url}/api/{path}", json=body, headers=headers) as response:
            assert response.status < 300, await response.text()
            return json.loads(await response.text())

    async def list(self, path: str, **asked: str) -> list[dict[str, Any]]:
        """Every object of a list."""
        found: list[dict[str, Any]] = []
        query = {**asked, "per_page": "100"}
        while True:
            target = f"{self.url}/api/{path}"
            async with self.session.get(
                target, params=query, headers={"Authorization": self.authorization}
            ) as response:
                assert response.status == 200, await response.text()
                found += json.loads(await response.text())
                if not (after := response.headers.get("X-After-Cursor")):
                    return found
                query["after_cursor"] = after

    async def books(self, ledger_name: str) -> Books:
        """Everything in one ledger, as far as it does not depend on when and where it was written."""
        (ledger_id,) = [one["id"] for one in await self.list("ledgers") if one["name"] == ledger_name]
        accounts = await self.list("ledger_accounts", ledger_id=ledger_id)
        names = {account["id"]: account["external_id"] for account in accounts}
        categories = await self.list("ledger_account_categories", ledger_id=ledger_id)
        transactions = await self.list("ledger_transactions", ledger_id=ledger_id)
        return Books(
            {account["external_id"]: _described(account) for account in accounts},
            {category["external_id"]: _described(category) for category in categories},
            sorted((_told(one, names) for one in transactions), key=str),
        )


@dataclass(frozen=True)
class Books:
    """Accounts and categories with their balances by external id, and all transactions."""

    accounts: Mapping[str, Mapping[str, Any]]
    categories: Mapping[str, Mapping[str, Any]]
    transactions: Sequence[Mapping[str, Any]]

    def story(self, loan_id: str, investor_id: str) -> list[str]:
        """Every transaction of one loan's life, whichever loan and investor it is about."""
        told = [str(one) for one in self.transactions if loan_id in str(one)]
        return sorted(text.replace(loan_id, "{loan}").replace(investor_id, "{investor}") for text in told)


def _described(thing: Mapping[str, Any]) -> dict[str, Any]:
    balances = {
        name: {side: balance[side] for side in ("debits", "credits", "currency", "currency_exponent")}
        for name, balance in thing["balances"].items()
        if name.endswith("_balance")
    }
    return {**{name: thing[name] for name in ("name", "normal_balance", "metadata")}, **balances}


def _told(transaction: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    metadata = {name: text for name, text in transaction["metadata"].items() if name != "archivedReason"}
    entries = [(names[e["ledger_account_id"]], e["direction"], e["amount"]) for e in transaction["ledger_entries"]]
    told = {name: transaction[name] for name in ("external_id", "status", "effective_at", "description")}
    return {**told, "metadata": metadata, "entries": sorted(entries)}


@asynccontextmanager
async def open_remote(database_url: str, directory: Path) -> AsyncIterator[Remote]:
    """Serve the ledger's API until the block ends."""
    port = free_port()
    environment = {
        "DATABASE_URL": database_url,
        "PORT": str(port),
        "CODAT_API_KEY": "never-used",
        "LEDGER_API_KEYS": f"{ORGANIZATION}:{KEY}",
        "LOG_FORMAT": "json",
    }
    async with (
        aiohttp.ClientSession() as session,
        running("remote", ["serve", "--role", "api"], environment, directory) as process,
    ):
        await process.answering(session, f"http://127.0.0.1:{port}/readyz")
        yield Remote(f"http://127.0.0.1:{port}", session, database_url)


@asynccontextmanager
async def open_lender(database_url: str, directory: Path, remote: Remote) -> AsyncIterator[Stack]:
    """A stack whose services post to the remote ledger; none is started yet."""
    treasury = {
        "LEDGER_BACKEND": "modern-treasury",
        "MODERN_TREASURY_BASE_URL": remote.url,
        "MODERN_TREASURY_ORGANIZATION_ID": ORGANIZATION,
        "MODERN_TREASURY_API_KEY": KEY,
        "MODERN_TREASURY_LEDGER": LEDGER,
    }
    async with open_stack(database_url, directory, serve=False) as stack:
        yield replace(stack, environment={**stack.environment, **treasury})


async def tell(stack: Stack, events: Sequence[Event], *, url: str | None = None) -> None:
    """Send events one after the other."""
    for webhook_id, event in events:
        assert await stack.send(webhook_id, event, url=url) == 202


async def delivered(stack: Stack) -> None:
    """Return when every event took effect and nothing waits in the outbox."""

    async def empty() -> bool:
        rows = await stack.fetch(
            "select (select count(*) from jobs where kind in ('apply_event', 'deliver_posting'))"
            " + (select count(*) from treasury_postings where delivered_at is null) as waiting"
        )
        return bool(rows[0]["waiting"] == 0)

    await eventually(empty)
    assert await stack.fetch("select kind, reason from dead_letters") == []
    assert {row["state"] for row in await stack.fetch("select state from event_outcomes")} == {"applied"}
