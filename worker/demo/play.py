"""The demo from start to end: processes, mapping, webhooks, both books, verdict."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from worker.codat.profiles import Profile
from worker.database import Database
from worker.demo import report
from worker.demo.agreement import BorrowerBooks, LoanInLedger, compare
from worker.demo.processes import POLL_SECONDS
from worker.demo.stage import BEARER, Stage, open_stage
from worker.demo.story import LOAN_ID, StoryEvent, story
from worker.errors import Unavailable, WritebackError
from worker.ledger.reading import AccountBalance
from worker.ledger.store import ensure_ledger, trial_balance
from worker.loans.postings import LEDGER_NAME
from worker.loans.rulebook_file import default_rulebook
from worker.money import parse_minor

CURRENCY: Final = "GBP"
BORROWER_ID: Final = "BR-42"

SHOWN_REPAYMENT: Final = "demo_loan_repayment_settled_R2"
"""The webhook whose way is printed in full."""

WAIT_SECONDS: Final = 120.0
"""Longest wait for one thing the demo shows; it usually takes a second or two."""


async def play(directory: Path, profile: Profile, seed: int, *, keep: bool) -> bool:
    """Play the demo and print what happens; True when both sets of books agree to the penny."""
    started = time.monotonic()
    _say("starting PostgreSQL, a simulated Codat and the service")
    async with open_stage(directory, seed) as stage:
        company = await _choose_company(stage, profile)
        print(f"Borrower: {company['name']}, on {company['connections'][0]['platform']}. Profile: {profile}.")
        mapping = await _map(stage, company, profile)
        before = await stage.look(f"books/{company['id']}")
        await _tell(stage, story(UUID(company["id"]), UUID(company["connectionId"]), datetime.now(UTC).date()))
        agreed = await _judge(stage, profile, mapping, before, started)
        if keep:
            await _keep(stage)
    return agreed


async def _choose_company(stage: Stage, profile: Profile) -> Any:
    # The 2023 guide creates a bank account in the borrower's books, which Xero does not let anybody do.
    platform = "Sandbox" if profile is Profile.CODAT_2023 else "Xero"
    companies = (await stage.look("world"))["companies"]
    return next(one for one in companies if one["connections"][0]["platform"] == platform)


async def _map(stage: Stage, company: Mapping[str, Any], profile: Profile) -> Any:
    """Map the borrower's accounts; the lender's, the cost account and the supplier are created through Codat."""
    kind = "bank_account" if profile is Profile.CODAT_2023 else "source_account"
    path = f"/v1/companies/{company['id']}/connections/{company['connectionId']}/mapping"
    _say("mapping: creating the lender's account, a cost account and a supplier in the borrower's books")
    wanted = {
        "profile": profile,
        "currency": CURRENCY,
        "lender_account": {"create": {"kind": kind, "name": "Bank of Dave loan", "sort_code": "040004"}},
        "borrower_account": {"id": company["borrowerAccountId"]},
        "expense_account": {"create": {"name": "Loan interest and fees", "nominal_code": "4290"}},
        "supplier": {"create": {"name": "Bank of Dave"}},
    }
    mapping = await stage.put(path, wanted)
    async with asyncio.timeout(WAIT_SECONDS):
        while mapping["state"] == "creating":
            await asyncio.sleep(POLL_SECONDS)
            mapping = await stage.get(path)
    if mapping["state"] != "ready":
        raise WritebackError(f"the mapping could not be created: {mapping['reason']}")
    return mapping


async def _tell(stage: Stage, events: list[StoryEvent]) -> None:
    """Send every webhook of the story and show what becomes of each."""
    for event in events:
        await stage.send(event)
        _say(f"{event.body['type']}: {event.caption}")
        told = await _until_settled(stage, f"/v1/events/{event.webhook_id}")
        if told["state"] != "applied":
            raise WritebackError(f"{event.webhook_id} is {told['state']}: {told['reason']}")
        if told["saga_id"] is not None:
            saga = await _until_settled(stage, f"/v1/sagas/{told['saga_id']}")
            for step in saga["steps"]:
                _say(f"    {step['kind'].replace('_', ' ')} {step['amount']}: record {step['record_id']}")


async def _until_settled(stage: Stage, path: str) -> Any:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                document = await stage.get(path)
                if document["state"] not in ("queued", "running"):
                    return document
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise Unavailable(f"{path} has not come to an end") from None


async def _judge(
    stage: Stage, profile: Profile, mapping: Mapping[str, Any], before: Mapping[str, Any], started: float
) -> bool:
    """Print both books and say whether they agree."""
    async with Database.open(stage.database_url) as database, database.connection() as connection:
        ledger = await trial_balance(connection, await ensure_ledger(connection, LEDGER_NAME))
    after = await stage.look(f"books/{mapping['company_id']}")
    was, now = _balances(before), _balances(after)
    names = {
        mapping["lender_account_id"]: "Lender's account (L)",
        mapping["borrower_account_id"]: "Borrower's bank account (B)",
        mapping["expense_account_id"]: "Loan interest and fees (E)",
    }
    lines = [
        line for one in after["statements"] if one["accountId"] == mapping["lender_feed_id"] for line in one["lines"]
    ]
    lender, bank, expense = (now[account_id] - was.get(account_id, 0) for account_id in names)
    found = BorrowerBooks(lender, bank, expense, sum(parse_minor(line["amount"], CURRENCY) for line in lines))
    checks = compare(_loan_in(ledger), profile, found)
    print()
    print(report.both_books(report.lenders_ledger(ledger), report.borrowers_books(was, now, names, CURRENCY)))
    print()
    print(report.lenders_statement(lines))
    print()
    print(report.timeline(await _moments(stage)))
    print()
    wrong = report.disagreements(checks, CURRENCY)
    if wrong:
        print(wrong)
        return False
    seconds = time.monotonic() - started
    print(f"Both sets of books agree to the penny: {len(checks)} figures compared, none differs ({seconds:.0f} s).")
    return True


def _balances(books: Mapping[str, Any]) -> dict[str, int]:
    return {one["id"]: parse_minor(one["balance"], one["currency"]) for one in books["accounts"]}


def _loan_in(ledger: list[AccountBalance]) -> LoanInLedger:
    sums = {account.external_id: account.sums for account in ledger}
    names = {"currency": CURRENCY, "loan_id": LOAN_ID, "borrower_id": BORROWER_ID}
    chart = default_rulebook()
    principal, *costs = (sums[chart.account(key, names).external_id] for key in ("principal", "interest", "fees"))
    return LoanInLedger(principal.posted_debits, principal.posted_credits, sum(cost.posted_credits for cost in costs))


async def _moments(stage: Stage) -> list[tuple[datetime, str]]:
    """When what happened to one repayment."""
    event = await stage.get(f"/v1/events/{SHOWN_REPAYMENT}")
    saga = await stage.get(f"/v1/sagas/{event['saga_id']}")
    posted = f"applied; ledger transaction {event['ledger_transaction_id']} posted in the same commit"
    moments = [
        (datetime.fromisoformat(event["received_at"]), f"webhook {SHOWN_REPAYMENT} stored, answered 202"),
        (datetime.fromisoformat(event["decided_at"]), posted),
    ]
    for step in saga["steps"]:
        name = f"{step['kind'].replace('_', ' ')} {step['amount']}"
        for attempt in step["attempts"]:
            detail = f" ({attempt['detail']})" if attempt["detail"] else ""
            moments.append((datetime.fromisoformat(attempt["at"]), f"{name}: {attempt['outcome']}{detail}"))
    return moments


async def _keep(stage: Stage) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print()
    print(f"Service    {stage.service_url} (bearer token: {BEARER})")
    print(f"Simulator  {stage.simulator_url}")
    print(f"Database   {stage.database_url}")
    print("Everything keeps running until Ctrl-C.")
    await stop.wait()


def _say(text: str) -> None:
    print(f"  {text}", flush=True)
