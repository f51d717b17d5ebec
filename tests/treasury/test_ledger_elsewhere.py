"""A ledger in another process holds exactly what one of our own would, whatever happens on the way there."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from tests.conftest import copied_database
from tests.faults.cradle import open_cradle, place
from tests.faults.story import deliver
from tests.flow.stack import Stack, eventually
from tests.treasury.stage import KEY, LEDGER, ORGANIZATION, Event, Remote, delivered, tell
from tests.treasury.story import life
from worker.demo.processes import free_port
from worker.loans.postings import LEDGER_NAME
from worker.treasury.posting import PostingKind

DELIVER = "worker/treasury/deliver.py"

PLACES = [
    *(place(DELIVER, "async with self._database.transaction()", kind) for kind in PostingKind),
    place(DELIVER, "await finish_jobs(", PostingKind.CREATE),
    place(DELIVER, '_log.info("posting_delivered"', PostingKind.CREATE),
]
"""Where a process dies: with the effect there and no record of it here, for every kind of posting; while the record is
written; and before the queue hears of it."""


async def test_the_books_there_are_those_a_ledger_of_our_own_would_hold(
    lender: Stack, remote: Remote, server_url: str, template: str, database_numbers: Iterator[int]
) -> None:
    events = [*life("LN-1"), *life("LN-2", "OtherMoney")]
    async with lender.replica(lender.port):
        await tell(lender, events)
        await delivered(lender)
        there = await remote.books(LEDGER)
        status, problem = await lender.call("GET", "/v1/ledger/trial-balance")
        assert (status, problem["code"]) == (409, "ledger_elsewhere")
        assert remote.url in problem["detail"]

    async with copied_database(server_url, template, next(database_numbers)) as url:
        port = free_port()
        own = {"DATABASE_URL": url, "LEDGER_BACKEND": "postgres", "LEDGER_API_KEYS": f"{ORGANIZATION}:{KEY}"}
        async with lender.replica(port, **own):
            here = Remote(f"http://127.0.0.1:{port}", lender.session, url)
            await tell(lender, events, url=here.url)
            await delivered(replace(lender, database_url=url))
            books = await here.books(LEDGER_NAME)

    assert there.accounts == books.accounts
    assert there.categories == books.categories
    assert there.transactions == books.transactions
    assert len(there.transactions) == 2 * 14


async def test_what_cannot_be_posted_waits_for_a_person_and_keeps_its_loans_order(
    lender: Stack, remote: Remote
) -> None:
    ledger = await remote.call("POST", "ledgers", {"name": LEDGER})
    wrong = {"external_id": "loan:LN-1:fees:USD", "name": "Fees", "currency": "USD", "normal_balance": "credit"}
    account = await remote.call("POST", "ledger_accounts", {**wrong, "ledger_id": ledger["id"]})
    _, created, disbursed, *_ = life("LN-1")
    async with lender.replica(lender.port):
        await tell(lender, [created, disbursed, *life("LN-2", "OtherMoney")])
        waiting = await parked(lender)
        assert [(job["loan_id"], job["event_id"]) for job in waiting] == [("LN-1", created[0])]
        assert "its normal balance is credit, not debit" in waiting[0]["reason"]
        await others_delivered(lender)
        _, after = await lender.call("GET", "/v1/jobs?kind=deliver_posting")
        assert {(job["event_id"], job["state"]) for job in after["data"]} == {
            (created[0], "parked"),
            (disbursed[0], "blocked"),
        }

        await remote.call("PATCH", f"ledger_accounts/{account['id']}", {"external_id": "a-mistake"})
        assert (await lender.call("POST", f"/v1/jobs/{waiting[0]['job_id']}/retry"))[0] == 202
        await delivered(lender)
        books = await remote.books(LEDGER)

    assert len(books.story("LN-1", "MoneyNow")) == 1
    assert len(books.story("LN-2", "OtherMoney")) == 14


async def test_an_account_and_a_category_discarded_there_are_made_anew(lender: Stack, remote: Remote) -> None:
    _, created, disbursed, *_ = life("LN-1")
    system = {"loan_id": "LN-1", "currency": "USD", "effective_date": "2026-04-04"}
    charged = {"fee_id": "F1", "amount": "25.00", "kind": "returned payment"}
    fee = {"type": "loan.fee_charged", "timestamp": "2026-04-04T09:00:00Z", "data": {**system, **charged}}
    async with lender.replica(lender.port):
        await tell(lender, [created, disbursed])
        await delivered(lender)
        for path, external_id in (
            ("ledger_accounts", "loan:LN-1:fees:USD"),
            ("ledger_account_categories", "loan:LN-1:USD"),
        ):
            (found,) = await remote.list(path, external_id=external_id)
            await remote.call("DELETE", f"{path}/{found['id']}")
        await tell(lender, [("fee-1", fee)])
        await delivered(lender)
        books = await remote.books(LEDGER)
        (fees,) = await remote.list("ledger_accounts", external_id="loan:LN-1:fees:USD")
        within = await remote.list("ledger_account_categories", ledger_account_id=fees["id"])

    assert books.accounts["loan:LN-1:fees:USD"]["posted_balance"]["debits"] == 2_500
    assert books.accounts["revenue:fees:USD"]["posted_balance"]["credits"] == 2_500 + 700
    assert {category["external_id"] for category in within} == {"loan:LN-1:USD", "borrower:BR-1:USD"}


@pytest.mark.parametrize("keys_are_remembered", [True, False])
async def test_a_process_killed_around_a_delivery_posts_each_transaction_once(
    lender: Stack, remote: Remote, keys_are_remembered: bool
) -> None:
    parties = [(f"LN-{number:02}", f"Investor-{number:02}") for number in range(len(PLACES) + 1)]
    async with asyncio.TaskGroup() as senders:
        async with open_cradle(lender) as cradle:
            for death, party in zip(PLACES, parties, strict=False):
                ended = await cradle.start(kill_at=death)
                senders.create_task(insist(lender, life(*party)))
                assert await ended == -signal.SIGKILL
        if not keys_are_remembered:  # as a day later
            await forget_keys(remote)
        async with lender.replica(lender.port):
            senders.create_task(insist(lender, life(*parties[-1])))
            await eventually_told(lender, len(parties))
            await delivered(lender)
            books = await remote.books(LEDGER)

    undisturbed = books.story(*parties[-1])
    assert len(undisturbed) == len(set(undisturbed)) == 14
    for party in parties:
        assert books.story(*party) == undisturbed
    for balance in ("posted_balance", "pending_balance"):
        sides = [(account[balance]["debits"], account[balance]["credits"]) for account in books.accounts.values()]
        assert sum(debits for debits, _ in sides) == sum(credits for _, credits in sides) > 0


async def parked(stack: Stack) -> list[Mapping[str, Any]]:
    """The postings that wait for a person, once there are any."""
    found: list[Mapping[str, Any]] = []

    async def any_waits() -> bool:
        _, page = await stack.call("GET", "/v1/jobs?kind=deliver_posting&state=parked")
        found[:] = page["data"]
        return bool(found)

    await eventually(any_waits)
    return found


async def others_delivered(stack: Stack) -> None:
    """Return when nothing is left but what is parked, and what is blocked by that."""

    async def quiet() -> bool:
        rows = await stack.fetch(
            "select count(*) as busy from jobs where kind in ('apply_event', 'deliver_posting') and state in (0, 1)"
        )
        applied = await stack.fetch("select count(*) as events from event_outcomes")
        told = await stack.fetch("select count(*) as events from inbox_messages")
        return rows[0]["busy"] == 0 and applied == told

    await eventually(quiet)


async def insist(stack: Stack, events: Sequence[Event]) -> None:
    """Send events one after the other, each until it is acknowledged."""
    for webhook_id, event in events:
        await deliver(stack, webhook_id, event)


async def eventually_told(stack: Stack, lives: int) -> None:
    """Return when every event of so many lives was stored."""

    async def told() -> bool:
        rows = await stack.fetch("select count(*) as messages from inbox_messages")
        return bool(rows[0]["messages"] == lives * len(life("any")))

    await eventually(told)


async def forget_keys(remote: Remote) -> None:
    """Make the ledger's API forget every Idempotency-Key."""
    connection = await asyncpg.connect(remote.database_url)
    await connection.execute("delete from api_idempotency_keys")
    await connection.close()
