"""Which ledger the worker posts to: never both, and never an empty one in place of the other."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from tests.loans.events import LoanSystem
from tests.loans.station import Station
from tests.treasury.outbox import SETTINGS, URL, Outbox
from worker.cli import main
from worker.database import Database
from worker.depths import read_depths
from worker.errors import Rejected, UsageError
from worker.jobs.job import NewJob
from worker.jobs.store import bury_job, enqueue_jobs, list_dead_letters, replay_dead_letter
from worker.lenders_ledger import choose_ledger
from worker.metrics import Metrics
from worker.operations.reader import Reader
from worker.treasury.operation import operation_name
from worker.treasury.outbox_store import DELIVER_POSTING, write_out
from worker.treasury.pace import LISTS_PER_SECOND, REQUESTS_PER_SECOND, Pace
from worker.treasury.replies import TreasuryUnavailableError


async def test_loans_with_transactions_here_are_not_continued_there(database: Database) -> None:
    station = await Station.open(database)
    await station.play(LoanSystem().tell("capital.contributed", investor_id="MoneyNow", amount=100))
    async with database.connection() as connection:
        assert callable(await choose_ledger(connection, None))
        with pytest.raises(UsageError, match="LEDGER_BACKEND must stay postgres"):
            await choose_ledger(connection, SETTINGS)


async def test_loans_with_transactions_there_are_not_continued_here(outbox: Outbox) -> None:
    await outbox.put_creation()
    async with outbox.database.connection() as connection:
        assert await choose_ledger(connection, SETTINGS) is write_out
        with pytest.raises(UsageError, match="LEDGER_BACKEND must stay modern-treasury"):
            await choose_ledger(connection, None)


async def test_a_reader_says_where_the_ledger_is(database: Database) -> None:
    with pytest.raises(Rejected, match=f"at Modern Treasury, {URL}: read it there") as refused:
        await Reader(database, URL).trial_balance(None)
    assert (refused.value.status, refused.value.code) == (409, "ledger_elsewhere")


@pytest.mark.parametrize(
    "arguments", [["verify"], ["trial-balance"], ["export", "--format", "hledger"]], ids=lambda arguments: arguments[0]
)
def test_a_command_says_where_the_ledger_is(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEDGER_BACKEND", "modern-treasury")
    monkeypatch.setenv("MODERN_TREASURY_ORGANIZATION_ID", "the-lender")
    monkeypatch.setenv("MODERN_TREASURY_API_KEY", "a-secret")
    assert main(["ledger", *arguments]) == 1
    shown = capsys.readouterr()
    assert "the lender's ledger is at Modern Treasury, https://app.moderntreasury.com: read it there" in shown.err
    assert shown.out == ""


async def test_what_is_not_delivered_shows_in_the_metrics(outbox: Outbox) -> None:
    await outbox.put_creation()
    depths = await read_depths(outbox.database)
    assert depths.ledger_outbox == 1
    assert depths.ledger_outbox_oldest_age > 0
    metrics = Metrics("test")
    metrics.show(depths)
    assert b"writeback_ledger_outbox 1.0" in metrics.render()
    assert b"writeback_ledger_outbox_oldest_age_seconds 0." in metrics.render()


async def test_what_a_person_gave_up_is_counted_as_a_dead_letter_and_no_more(outbox: Outbox) -> None:
    posting_id = await outbox.put_creation()
    async with outbox.database.transaction() as connection:
        (job_id,) = await enqueue_jobs(connection, [NewJob(DELIVER_POSTING, 7, posting_id)])
        await bury_job(connection, job_id, "given_up", "entered by hand")
    buried = await read_depths(outbox.database)
    assert (buried.ledger_outbox, buried.ledger_outbox_oldest_age, buried.dead_letters) == (0, 0, {"given_up": 1})
    async with outbox.database.transaction() as connection:
        (letter,) = await list_dead_letters(connection)
        await replay_dead_letter(connection, letter.id)
    assert (await read_depths(outbox.database)).ledger_outbox == 1


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", f"/api/ledgers/{UUID(int=1)}", "GET ledgers"),
        ("POST", "/mirror/api/ledger_transactions", "POST ledger_transactions"),
        ("POST", f"/api/ledger_transactions/{UUID(int=1)}/reversal", "POST ledger_transactions/reversal"),
        (
            "PUT",
            f"/api/ledger_account_categories/{UUID(int=1)}/ledger_accounts/{UUID(int=2)}",
            "PUT ledger_account_categories/ledger_accounts",
        ),
    ],
)
def test_a_requests_name_in_the_metrics_holds_no_id(method: str, path: str, name: str) -> None:
    assert operation_name(method, path) == name


async def test_requests_leave_no_faster_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", wait)
    pace = Pace()
    for _ in range(LISTS_PER_SECOND + 1):
        await pace.await_turn(is_list=True)
    assert max(waits) == pytest.approx(1, abs=0.1)
    waits.clear()
    for _ in range(REQUESTS_PER_SECOND):
        await pace.await_turn(is_list=False)
    assert max(waits) == pytest.approx(1 + 0.2, abs=0.15)


async def test_nothing_leaves_while_quiet_was_asked_for() -> None:
    pace = Pace()
    pace.be_quiet(timedelta(minutes=5))
    pace.be_quiet(timedelta(seconds=1))
    with pytest.raises(TreasuryUnavailableError) as refused:
        await pace.await_turn(is_list=False)
    assert refused.value.wait is not None
    assert timedelta(minutes=4) < refused.value.wait <= timedelta(minutes=5)
