"""An outbox that is filled row by row and delivered by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import aiohttp
from aioresponses import aioresponses as mocked

from worker.config import TreasurySettings
from worker.database import Database
from worker.jobs.job import Claim, Job, Outcome
from worker.treasury import outbox_store as store
from worker.treasury.chart import Chart
from worker.treasury.client import TreasuryClient
from worker.treasury.deliver import DeliveryHandler
from worker.treasury.pace import Pace
from worker.treasury.posting import NewPosting, ObjectKind, PostingKind, Wanted
from worker.treasury.transport import Transport

URL = "https://treasury.test"
TRANSACTIONS = f"{URL}/api/ledger_transactions"
API_KEY = "a-secret-of-the-treasury"
LEDGER = UUID(int=1)
CASH, FEES = UUID(int=10), UUID(int=11)
TRANSACTION, REVERSAL = UUID(int=100), UUID(int=101)
DAY = "2026-03-02T00:00:00Z"
SETTINGS = TreasurySettings(URL, "the-lender", API_KEY, LEDGER)


def account(name: str, *within: Wanted) -> Wanted:
    """An account as the posting rules say."""
    body: dict[str, Any] = {"external_id": name, "name": name, "normal_balance": "debit", "currency": "GBP"}
    return Wanted(ObjectKind.ACCOUNT, name, {**body, "currency_exponent": 2, "metadata": {}}, within)


def category(name: str, *within: Wanted) -> Wanted:
    """A category as the posting rules say."""
    return Wanted(ObjectKind.CATEGORY, name, account(name).body, within)


def created(**changes: Any) -> dict[str, Any]:
    """The transaction of a creation, as Modern Treasury shows it."""
    return {
        "id": str(TRANSACTION),
        "external_id": "fee-1",
        "status": "posted",
        "effective_at": DAY,
        "ledger_entries": [
            {"ledger_account_id": str(CASH), "direction": "debit", "amount": 5, "amount_string": "5"},
            {"ledger_account_id": str(FEES), "direction": "credit", "amount": 5, "amount_string": "5"},
        ],
        **changes,
    }


def refusal(message: str, parameter: str | None = None) -> dict[str, Any]:
    """An error document."""
    return {"errors": {"code": "parameter_invalid", "message": message, "parameter": parameter}}


def calls(treasury: mocked, method: str | None = None) -> list[Any]:
    """Every request sent, in order as far as they went to the same place."""
    return [call for (verb, _), some in treasury.requests.items() if method in (None, verb) for call in some]


@dataclass
class Outbox:
    """The rows, and who sends them."""

    database: Database
    handler: DeliveryHandler
    messages: Iterator[int] = field(default_factory=lambda: count(1))

    async def put(self, kind: PostingKind, target: str | None, body: dict[str, Any], *accounts: Wanted) -> int:
        """Write one row and return its id."""
        number = next(self.messages)
        row = NewPosting(number, 0, f"msg-{number}", "L1", 7, kind, target, body, accounts)
        async with self.database.transaction() as connection:
            (job,) = await store.insert_postings(connection, [row])
        return job.subject

    async def put_creation(self) -> int:
        """Write the row that :func:`created` answers."""
        entries = [
            {"ledger_account": "cash", "direction": "debit", "amount": 5},
            {"ledger_account": "fees", "direction": "credit", "amount": 5},
        ]
        body = {"external_id": "fee-1", "status": "posted", "effective_at": DAY, "ledger_entries": entries}
        return await self.put(PostingKind.CREATE, "fee-1", body, account("cash"), account("fees"))

    async def deliver(self, posting_id: int, attempt: int = 1) -> Outcome:
        """One attempt."""
        now = datetime.now(UTC)
        job = Job(posting_id, store.DELIVER_POSTING, 7, posting_id, attempt, now, now)
        (outcome,) = await self.handler(Claim(1, (job,)))
        return outcome

    async def delivered_as(self, posting_id: int) -> UUID | None:
        """The transaction the row was recorded to have become; fails when it was not delivered."""
        async with self.database.connection() as connection:
            row = await connection.fetchrow("select * from treasury_postings where id = $1", posting_id)
        assert row is not None
        assert row["delivered_at"] is not None
        transaction_id: UUID | None = row["transaction_id"]
        return transaction_id

    async def waiting(self) -> int:
        """How many rows are not delivered."""
        async with self.database.connection() as connection:
            return (await store.count_waiting(connection)).number


async def open_outbox(
    database: Database, session: aiohttp.ClientSession, settings: TreasurySettings = SETTINGS
) -> Outbox:
    """An outbox to a ledger where two accounts are known to exist."""
    client = TreasuryClient(Transport(session, settings.base_url, settings.organization_id, settings.api_key, Pace()))
    async with database.connection() as connection:
        for name, account_id in (("cash", CASH), ("fees", FEES)):
            await store.keep_object(connection, LEDGER, account(name), account_id)
    return Outbox(database, DeliveryHandler(database, client, Chart(database, client, settings)))
