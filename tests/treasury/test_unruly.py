"""A ledger elsewhere over a network that loses and repeats requests: each takes effect once, in each loan's order."""

from __future__ import annotations

from dataclasses import replace

from tests.flow.stack import Stack
from tests.treasury.stage import LEDGER, Remote, delivered, tell
from tests.treasury.story import life
from tests.treasury.test_ledger_elsewhere import others_delivered, parked
from tests.treasury.unruly import Fault, open_unruly

PARTIES = (("LN-1", "MoneyNow"), ("LN-2", "OtherMoney"))
TAKEN = "loan.disbursed:LN-1:D1"
LANES = 2 * len(PARTIES) + 1
"""Orders that have a request under way at once: loans, investors, and the expense that belongs to none."""


async def test_every_posting_arrives_once_and_in_its_loans_order(lender: Stack, remote: Remote) -> None:
    await remote.call("POST", "ledgers", {"name": LEDGER})  # a second one of the name would be nobody's fault but ours
    async with open_unruly(remote.url) as unruly:
        around = {**lender.environment, "MODERN_TREASURY_BASE_URL": unruly.url}
        disturbed = replace(lender, environment=around)
        async with disturbed.replica(disturbed.port):
            for party in PARTIES:
                await tell(disturbed, life(*party))
            await delivered(disturbed)
    assert set(unruly.seen) >= set(Fault)
    assert unruly.too_early <= unruly.seen[Fault.LIMITED] * LANES

    books = await remote.books(LEDGER)
    told = [books.story(*party) for party in PARTIES]
    assert told[0] == told[1]
    assert len(told[0]) == len(set(told[0])) == 14
    there = [one["external_id"] for one in reversed(await remote.list("ledger_transactions"))]
    for loan_id, _ in PARTIES:
        written = await lender.fetch(
            "select coalesce(body ->> 'external_id', target) as external_id from treasury_postings"
            " where loan_id = $1 and kind in ('create', 'reverse') order by id",
            loan_id,
        )
        assert [name for name in there if f":{loan_id}:" in name] == [row["external_id"] for row in written]


async def test_another_transaction_under_the_external_id_holds_up_its_loan_alone(lender: Stack, remote: Remote) -> None:
    taken = await another_transaction(remote, TAKEN)
    async with lender.replica(lender.port):
        for party in PARTIES:
            await tell(lender, life(*party))
        (waiting,) = await parked(lender)
        await others_delivered(lender)
        assert f"another transaction has the external id {TAKEN}: it is pending, not posted" in waiting["reason"]
        books = await remote.books(LEDGER)
        assert [one["external_id"] for one in books.transactions if ":LN-1:" in str(one["external_id"])] == [TAKEN]
        assert len(books.story(*PARTIES[1])) == 14

        await remote.call("PATCH", f"ledger_transactions/{taken}", {"status": "archived", "external_id": None})
        assert (await lender.call("POST", f"/v1/jobs/{waiting['job_id']}/retry"))[0] == 202
        await delivered(lender)
        books = await remote.books(LEDGER)
    told = [books.story(*party) for party in PARTIES]
    assert told[0] == told[1]


async def another_transaction(remote: Remote, external_id: str) -> str:
    """A pending transaction that somebody else wrote into the ledger, and its id."""
    ledger = await remote.call("POST", "ledgers", {"name": LEDGER})
    entries = []
    for side in ("debit", "credit"):
        words = {"name": side, "normal_balance": side, "currency": "USD", "ledger_id": ledger["id"]}
        account = await remote.call("POST", "ledger_accounts", {**words, "external_id": side})
        entries.append({"amount": 1, "direction": side, "ledger_account_id": account["id"]})
    body = {"status": "pending", "external_id": external_id, "ledger_entries": entries}
    created = await remote.call("POST", "ledger_transactions", body)
    return str(created["id"])
