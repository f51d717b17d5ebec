"""Every way a delivery can end, and what is done about each."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from aioresponses import aioresponses as mocked
from structlog.testing import capture_logs

from tests.treasury.outbox import (
    API_KEY,
    CASH,
    DAY,
    FEES,
    LEDGER,
    REVERSAL,
    SETTINGS,
    TRANSACTION,
    TRANSACTIONS,
    URL,
    Outbox,
    account,
    calls,
    category,
    created,
    open_outbox,
    refusal,
)
from worker.database import Database
from worker.jobs.job import Done, Outcome, Park, Retry, Settled, Snooze
from worker.treasury.deliver import MOST_ATTEMPTS
from worker.treasury.payloads import object_key, posting_key
from worker.treasury.posting import PostingKind

TAKEN = refusal("Another ledger transaction within the same ledger exists using the external ID", "external_id")
FOUND_BY_EXTERNAL_ID = re.compile(rf"{TRANSACTIONS}\?.*external_id=.*")
NEW_FEES = UUID(int=12)
THE_TRANSACTION = f"{TRANSACTIONS}/{TRANSACTION}"
BROKEN = (TimeoutError(), aiohttp.ServerDisconnectedError(), aiohttp.ClientPayloadError("cut"), ConnectionResetError())


@pytest.fixture(autouse=True)
def the_ledger_is_there(treasury: mocked) -> None:
    treasury.get(f"{URL}/api/ledgers/{LEDGER}", payload={"id": str(LEDGER), "name": "Loans"}, repeat=True)


def keys(treasury: mocked) -> set[str]:
    """The Idempotency-Keys that were sent."""
    return {call.kwargs["headers"]["Idempotency-Key"] for call in calls(treasury, "POST")}


def shown_account(account_id: UUID, name: str, **changes: Any) -> dict[str, Any]:
    """An account as Modern Treasury shows it."""
    balances = {"posted_balance": {"currency": "GBP"}}
    return {"id": str(account_id), "external_id": name, "normal_balance": "debit", "balances": balances, **changes}


def reason(outcome: Outcome) -> str:
    """Why a posting waits for a person."""
    assert isinstance(outcome, Park), outcome
    return outcome.reason


async def test_a_creation_is_sent_with_its_key_and_recorded(outbox: Outbox, treasury: mocked) -> None:
    treasury.post(TRANSACTIONS, status=201, payload=created())
    posting_id = await outbox.put_creation()
    assert await outbox.deliver(posting_id) == Settled()
    assert await outbox.delivered_as(posting_id) == TRANSACTION
    (call,) = calls(treasury, "POST")
    assert json.loads(call.kwargs["data"])["ledger_entries"] == [
        {"ledger_account_id": str(CASH), "direction": "debit", "amount": 5},
        {"ledger_account_id": str(FEES), "direction": "credit", "amount": 5},
    ]
    assert keys(treasury) == {str(posting_key(LEDGER, "msg-1", 0))}
    assert await outbox.deliver(posting_id) == Done()
    assert len(calls(treasury, "POST")) == 1


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_request_that_was_cut_off_goes_again_under_the_same_key(
    outbox: Outbox, treasury: mocked, fault: Exception
) -> None:
    treasury.post(TRANSACTIONS, exception=fault)
    treasury.post(TRANSACTIONS, status=201, payload=created())
    assert await outbox.deliver(await outbox.put_creation()) == Settled()
    assert len(calls(treasury, "POST")) == 2
    assert len(keys(treasury)) == 1


@pytest.mark.parametrize("status", [408, 409, 500, 503])
async def test_what_passes_in_a_moment_is_tried_again_at_once(outbox: Outbox, treasury: mocked, status: int) -> None:
    treasury.post(TRANSACTIONS, status=status)
    treasury.post(TRANSACTIONS, status=201, payload=created())
    assert await outbox.deliver(await outbox.put_creation()) == Settled()
    assert len(keys(treasury)) == 1


async def test_an_outage_is_left_to_the_queue_and_ends_with_the_same_key(outbox: Outbox, treasury: mocked) -> None:
    posting_id = await outbox.put_creation()
    for _ in range(3):
        treasury.post(TRANSACTIONS, status=503, payload=refusal("down for maintenance"))
    assert await outbox.deliver(posting_id) == Retry("Modern Treasury answered HTTP 503: down for maintenance")
    assert await outbox.waiting() == 1
    treasury.post(TRANSACTIONS, status=201, payload=created())
    assert await outbox.deliver(posting_id, attempt=2) == Settled()
    assert len(keys(treasury)) == 1


async def test_a_limit_is_obeyed_by_everybody(outbox: Outbox, treasury: mocked) -> None:
    first, second = await outbox.put_creation(), await outbox.put(PostingKind.POST, "fee-2", {"status": "posted"})
    treasury.post(TRANSACTIONS, status=429, headers={"Retry-After": "7"})
    assert await outbox.deliver(first) == Snooze(timedelta(seconds=7))
    sent = len(calls(treasury))
    outcome = await outbox.deliver(second)
    assert isinstance(outcome, Snooze)
    assert timedelta(seconds=6) < outcome.delay <= timedelta(seconds=7)
    assert len(calls(treasury)) == sent


@pytest.mark.parametrize("status", [401, 403])
async def test_wrong_credentials_are_shown_and_tried_again(outbox: Outbox, treasury: mocked, status: int) -> None:
    treasury.post(TRANSACTIONS, status=status, payload=refusal("invalid API key"))
    posting_id = await outbox.put_creation()
    with capture_logs() as logs:
        outcome = await outbox.deliver(posting_id)
    assert outcome == Retry(
        f"Modern Treasury refuses access (HTTP {status}: invalid API key): check MODERN_TREASURY_API_KEY"
    )
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["posting_denied"]
    assert API_KEY not in str(logs)
    assert len(calls(treasury, "POST")) == 1


async def test_a_redirect_never_sees_the_key(outbox: Outbox, treasury: mocked) -> None:
    treasury.post(TRANSACTIONS, status=302, headers={"Location": "http://169.254.169.254/"})
    outcome = await outbox.deliver(await outbox.put_creation())
    assert outcome == Retry("Modern Treasury answered with a redirect: check MODERN_TREASURY_BASE_URL")


@pytest.mark.parametrize("archived_before", [False, True])
async def test_an_external_id_that_was_taken_by_the_very_same_is_success(
    outbox: Outbox, treasury: mocked, archived_before: bool
) -> None:
    former = [created(id=str(REVERSAL), status="archived")] if archived_before else []
    treasury.post(TRANSACTIONS, status=422, payload=TAKEN)
    treasury.get(FOUND_BY_EXTERNAL_ID, payload=[*former, created()])
    posting_id = await outbox.put_creation()
    assert await outbox.deliver(posting_id) == Settled()
    assert await outbox.delivered_as(posting_id) == TRANSACTION


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "pending"}, "it is pending, not posted; correct or archive it there, then retry this job"),
        ({"effective_at": "2026-03-03T00:00:00Z"}, "it is effective at 2026-03-03"),
        (
            {"ledger_entries": []},
            f"it lacks a debit of 5 on account {CASH}; it lacks a credit of 5 on account {FEES}; "
            "it is posted, which is final: enter by hand there what it lacks, then bury this job",
        ),
    ],
)
async def test_an_external_id_that_was_taken_by_another_waits_for_a_person(
    outbox: Outbox, treasury: mocked, changes: dict[str, Any], words: str
) -> None:
    treasury.post(TRANSACTIONS, status=422, payload=TAKEN)
    treasury.get(FOUND_BY_EXTERNAL_ID, payload=[created(**changes)])
    outcome = await outbox.deliver(await outbox.put_creation())
    assert f"another transaction has the external id fee-1: {words}" in reason(outcome)
    assert await outbox.waiting() == 1


async def test_an_answer_that_belongs_to_another_request_is_not_taken_for_ours(
    outbox: Outbox, treasury: mocked
) -> None:
    treasury.post(TRANSACTIONS, status=201, payload=created(external_id="somebody-elses"))
    assert "its external id is somebody-elses, not fee-1" in reason(await outbox.deliver(await outbox.put_creation()))


async def test_what_has_the_external_id_may_take_a_while_to_be_listed(outbox: Outbox, treasury: mocked) -> None:
    treasury.post(TRANSACTIONS, status=422, payload=TAKEN, repeat=True)
    treasury.get(FOUND_BY_EXTERNAL_ID, payload=[])
    treasury.get(FOUND_BY_EXTERNAL_ID, payload=[created()])
    posting_id = await outbox.put_creation()
    assert isinstance(await outbox.deliver(posting_id), Retry)
    assert await outbox.deliver(posting_id, attempt=2) == Settled()


async def test_a_refusal_waits_for_a_person_in_modern_treasurys_words(outbox: Outbox, treasury: mocked) -> None:
    for account_id, name in ((CASH, "cash"), (FEES, "fees")):
        treasury.get(f"{URL}/api/ledger_accounts/{account_id}", payload=shown_account(account_id, name))
    treasury.post(TRANSACTIONS, status=422, payload=refusal("Ledger entries must have nonnegative amounts"))
    treasury.get(FOUND_BY_EXTERNAL_ID, payload=[])
    outcome = await outbox.deliver(await outbox.put_creation())
    assert reason(outcome) == (
        "create of transaction fee-1 is refused: HTTP 422: Ledger entries must have nonnegative amounts"
    )


async def test_a_failure_without_end_is_left_to_a_person_before_the_queue_gives_up(
    outbox: Outbox, treasury: mocked
) -> None:
    treasury.post(TRANSACTIONS, status=500, repeat=True)
    outcome = await outbox.deliver(await outbox.put_creation(), attempt=MOST_ATTEMPTS)
    assert "HTTP 500" in reason(outcome)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"id": "x"}'])
async def test_an_answer_nobody_understands_is_asked_for_again(outbox: Outbox, treasury: mocked, body: bytes) -> None:
    treasury.post(TRANSACTIONS, status=201, body=body)
    outcome = await outbox.deliver(await outbox.put_creation())
    assert isinstance(outcome, Retry)
    assert "cannot be understood" in outcome.error


async def test_a_change_goes_to_the_transaction_created_last(outbox: Outbox, treasury: mocked) -> None:
    treasury.post(TRANSACTIONS, status=201, payload=created())
    assert await outbox.deliver(await outbox.put_creation()) == Settled()
    treasury.patch(THE_TRANSACTION, payload=created(status="posted"))
    change = {"status": "posted", "effective_at": DAY}
    posting_id = await outbox.put(PostingKind.POST, "fee-1", change)
    assert await outbox.deliver(posting_id) == Settled()
    assert await outbox.delivered_as(posting_id) == TRANSACTION
    (call,) = calls(treasury, "PATCH")
    assert json.loads(call.kwargs["data"]) == change
    assert "Idempotency-Key" not in call.kwargs["headers"]


@pytest.mark.parametrize("kind", [PostingKind.POST, PostingKind.ARCHIVE])
async def test_a_change_that_was_made_before_is_success(outbox: Outbox, treasury: mocked, kind: PostingKind) -> None:
    status = "posted" if kind is PostingKind.POST else "archived"
    treasury.get(FOUND_BY_EXTERNAL_ID, payload=[created(status=status)])
    treasury.patch(THE_TRANSACTION, status=422, payload=refusal("may not be updated once it is posted"))
    treasury.get(THE_TRANSACTION, payload=created(status=status))
    assert await outbox.deliver(await outbox.put(kind, "fee-1", {"status": status})) == Settled()


async def test_a_change_that_came_too_late_waits_for_a_person(outbox: Outbox, treasury: mocked) -> None:
    treasury.get(FOUND_BY_EXTERNAL_ID, payload=[created()])
    treasury.patch(THE_TRANSACTION, status=422, payload=refusal("may not be updated once it is posted"))
    treasury.get(THE_TRANSACTION, payload=created())
    outcome = await outbox.deliver(await outbox.put(PostingKind.ARCHIVE, "fee-1", {"status": "archived"}))
    assert "may not be updated once it is posted; transaction fee-1" in reason(outcome)
    assert "it is posted, not archived" in reason(outcome)


@pytest.mark.parametrize("kind", [PostingKind.POST, PostingKind.REVERSE])
async def test_what_is_not_there_cannot_be_changed(outbox: Outbox, treasury: mocked, kind: PostingKind) -> None:
    treasury.get(FOUND_BY_EXTERNAL_ID, payload=[created(status="archived")])
    outcome = await outbox.deliver(await outbox.put(kind, "fee-1", {"status": "posted", "external_id": "undo"}))
    assert reason(outcome) == f"there is no transaction fee-1 to {kind}"


@pytest.mark.parametrize("reverses", [TRANSACTION, REVERSAL])
async def test_a_reversal_that_exists_counts_if_it_is_of_the_same(
    outbox: Outbox, treasury: mocked, reverses: Any
) -> None:
    there = created(id=str(REVERSAL), external_id="undo", reverses_ledger_transaction_id=str(reverses))
    treasury.get(re.compile(rf"{TRANSACTIONS}\?.*external_id=fee-1.*"), payload=[created()])
    treasury.post(f"{THE_TRANSACTION}/reversal", status=422, payload=TAKEN)
    treasury.get(re.compile(rf"{TRANSACTIONS}\?.*external_id=undo.*"), payload=[there])
    body = {"external_id": "undo", "status": "posted", "effective_at": DAY}
    posting_id = await outbox.put(PostingKind.REVERSE, "fee-1", body)
    outcome = await outbox.deliver(posting_id)
    if reverses == TRANSACTION:
        assert outcome == Settled()
        assert await outbox.delivered_as(posting_id) == REVERSAL
    else:
        assert f"it reverses {REVERSAL}, not {TRANSACTION}" in reason(outcome)


async def test_an_account_that_is_already_there_is_put_into_its_categories(outbox: Outbox, treasury: mocked) -> None:
    category_id, account_id = TRANSACTION, REVERSAL
    balances = {"posted_balance": {"currency": "GBP"}}
    there = {"id": str(account_id), "external_id": "fees-2", "normal_balance": "debit", "balances": balances}
    treasury.get(re.compile(rf"{URL}/api/ledger_account_categories\?.*"), payload=[])
    treasury.post(f"{URL}/api/ledger_account_categories", status=201, payload={**there, "id": str(category_id)})
    treasury.get(re.compile(rf"{URL}/api/ledger_accounts\?.*external_id=fees-2.*"), payload=[there])
    joining = f"{URL}/api/ledger_account_categories/{category_id}/ledger_accounts/{account_id}"
    treasury.put(joining, status=422, payload=refusal("it is in the category already"))
    treasury.get(re.compile(rf"{URL}/api/ledger_accounts\?.*ledger_account_category_id.*"), payload=[there])
    wanted = account("fees-2", category("all"))
    assert await outbox.deliver(await outbox.put(PostingKind.OPEN, None, {}, wanted)) == Settled()
    sent = len(calls(treasury))
    assert await outbox.deliver(await outbox.put(PostingKind.OPEN, None, {}, wanted)) == Settled()
    assert len(calls(treasury)) == sent, "what is known is not asked for again"


@pytest.mark.parametrize("shown", [False, True], ids=["not found", "shown as discarded"])
async def test_an_account_that_was_discarded_is_looked_for_and_made_anew(
    outbox: Outbox, treasury: mocked, shown: bool
) -> None:
    gone = shown_account(FEES, "fees", discarded_at=DAY)
    treasury.post(TRANSACTIONS, status=422, payload=refusal("Ledger account not found", "ledger_entries"))
    treasury.get(FOUND_BY_EXTERNAL_ID, payload=[])
    treasury.get(f"{URL}/api/ledger_accounts/{CASH}", payload=shown_account(CASH, "cash"))
    treasury.get(f"{URL}/api/ledger_accounts/{FEES}", status=200 if shown else 404, payload=gone)
    treasury.get(re.compile(rf"{URL}/api/ledger_accounts\?.*external_id=fees.*"), payload=[gone] if shown else [])
    treasury.post(f"{URL}/api/ledger_accounts", status=201, payload=shown_account(NEW_FEES, "fees"))
    entries = [{**entry, "ledger_account_id": str(NEW_FEES)} for entry in created()["ledger_entries"][1:]]
    treasury.post(TRANSACTIONS, status=201, payload=created(ledger_entries=[created()["ledger_entries"][0], *entries]))

    assert await outbox.deliver(await outbox.put_creation()) == Settled()

    keys_used = [call.kwargs["headers"]["Idempotency-Key"] for call in calls(treasury, "POST")]
    assert keys_used.count(str(posting_key(LEDGER, "msg-1", 0))) == 2
    assert str(object_key(LEDGER, account("fees"), FEES)) in keys_used
    assert str(object_key(LEDGER, account("fees"))) not in keys_used


@pytest.mark.parametrize(
    ("normal_balance", "currency", "words"),
    [("credit", "GBP", "its normal balance is credit, not debit"), ("debit", "USD", "its currency is USD, not GBP")],
)
async def test_an_account_that_is_something_else_waits_for_a_person(
    outbox: Outbox, treasury: mocked, normal_balance: str, currency: str, words: str
) -> None:
    balances = {"posted_balance": {"currency": currency}}
    there = {"id": str(REVERSAL), "external_id": "new", "normal_balance": normal_balance, "balances": balances}
    treasury.get(re.compile(rf"{URL}/api/ledger_accounts\?.*"), payload=[there])
    outcome = await outbox.deliver(await outbox.put(PostingKind.OPEN, None, {}, account("new")))
    assert reason(outcome) == f"the ledger account new is not what the posting rules say: {words}"


async def test_a_ledger_that_cannot_be_told_from_another_waits_for_a_person(
    database: Database, treasury: mocked
) -> None:
    namesakes = [{"id": str(number), "name": "Loans"} for number in (LEDGER, TRANSACTION)]
    treasury.get(re.compile(rf"{URL}/api/ledgers\?.*"), payload=namesakes)
    async with aiohttp.ClientSession() as session:
        outbox = await open_outbox(database, session, replace(SETTINGS, ledger="Loans"))
        outcome = await outbox.deliver(await outbox.put_creation())
    assert reason(outcome) == "2 ledgers are named Loans: set MODERN_TREASURY_LEDGER to the id of one"


async def test_a_ledger_found_on_a_later_page_is_chosen_once_and_for_all(database: Database, treasury: mocked) -> None:
    others = [{"id": str(TRANSACTION), "name": "Payroll"}]
    treasury.get(f"{URL}/api/ledgers?per_page=100", payload=others, headers={"X-After-Cursor": "c1"})
    found = [{"id": str(LEDGER), "name": "Loans"}]
    treasury.get(f"{URL}/api/ledgers?after_cursor=c1&per_page=100", payload=found)
    treasury.post(TRANSACTIONS, status=201, payload=created(), repeat=True)
    messages = count(1)
    async with aiohttp.ClientSession() as session:
        for _ in range(2):  # two processes, one after the other
            outbox = await open_outbox(database, session, replace(SETTINGS, ledger="Loans"))
            outbox.messages = messages
            assert await outbox.deliver(await outbox.put_creation()) == Settled()
    assert len(calls(treasury, "GET")) == 2


async def test_a_ledger_that_is_not_there_waits_for_a_person(database: Database, treasury: mocked) -> None:
    treasury.get(f"{URL}/api/ledgers/{TRANSACTION}", status=404, payload=refusal("Ledger not found"))
    async with aiohttp.ClientSession() as session:
        outbox = await open_outbox(database, session, replace(SETTINGS, ledger=TRANSACTION))
        outcome = await outbox.deliver(await outbox.put_creation())
    assert "MODERN_TREASURY_LEDGER names the ledger" in reason(outcome)
    assert "Ledger not found" in reason(outcome)
