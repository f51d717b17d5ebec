"""The tutorial as loan events: the books the worker keeps, here or elsewhere, are those its API calls make."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from modern_treasury import AsyncModernTreasury

from tests.api.lendnow import END, STORY
from tests.flow.stack import Stack
from tests.treasury.lendnow import read_categories, read_end, read_transactions, tutorial, whole_life
from tests.treasury.stage import KEY, LEDGER, ORGANIZATION, Remote, delivered, tell
from worker.loans.postings import LEDGER_NAME

HERE = {"LEDGER_BACKEND": "postgres", "LEDGER_API_KEYS": f"{ORGANIZATION}:{KEY}"}
"""What the worker's environment says when it keeps the ledger itself and shows it under ``/api``."""


@dataclass(frozen=True)
class Books:
    """A lender's service, and the official client of the ledger it posts to."""

    service: Stack
    client: AsyncModernTreasury
    ledger: str


@pytest.fixture(params=["here", "there"])
async def books(request: pytest.FixtureRequest, lender: Stack, remote: Remote) -> AsyncIterator[Books]:
    """A ledger of the worker's own, and one in another process that it posts to through the outbox."""
    elsewhere = request.param == "there"
    stack = lender if elsewhere else replace(lender, environment={**lender.environment, **HERE})
    async with stack.replica(stack.port), reading(remote.url if elsewhere else stack.service_url) as client:
        yield Books(stack, client, LEDGER if elsewhere else LEDGER_NAME)


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[AsyncModernTreasury]:
    """The official client, refusing whatever is not in its own schema."""
    async with AsyncModernTreasury(
        organization_id=ORGANIZATION, api_key=KEY, base_url=url, _strict_response_validation=True
    ) as client:
        yield client


async def test_the_tutorials_events_end_where_its_calls_end(books: Books) -> None:
    await tell(books.service, tutorial())
    await delivered(books.service)

    assert await read_transactions(books.client, books.ledger) == [
        (day, debits, credits) for day, _, debits, credits in STORY
    ]
    assert await read_end(books.client, books.ledger) == END
    assert await read_categories(books.client, books.ledger) == {
        "Cash": -920_000,
        "Principal Outstanding": 900_000,
        "Investor Interest": 2_500,
        "Investor Balance - MoneyNow": 2_500,
        "Individual Loan - Loan 1": 945_000,
        "Individual Loan - Loan 1 by month": 5_000,
        "Borrower - Borrower 1": 950_000,
        "Total Revenue": 27_500,
    }


async def test_ten_instalments_leave_the_lender_its_spread(books: Books) -> None:
    for recognition in ("at_disbursement", "accrual"):
        await tell(books.service, whole_life(f"Loan {recognition}", recognition))
    await delivered(books.service)

    end = await read_end(books.client, books.ledger)

    assert {word: amount for word, (_, _, amount) in end.items() if amount} == {"cash": 50_000, "revenue": 50_000}
    assert end["cash"] == (2 * 2_050_000, 2 * 2_025_000, 50_000)
    assert end["loan_principal"] == (2_000_000, 2_000_000, 0)
    assert end["loan_interest"] == (100_000, 100_000, 0)
    assert end["investor_interest"] == (50_000, 50_000, 0)
