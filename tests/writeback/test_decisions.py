"""What a person decides while a saga is at work, and what a saga does that cannot go on by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.writeback.station import LINES, TRANSFERS, Station
from worker.errors import Rejected
from worker.jobs.job import Claim, Done, Job, Outcome, Park, Retry, Snooze
from worker.writeback import store
from worker.writeback.movement import Drawdown, Repayment, RepaymentReversal
from worker.writeback.operator import Operator
from worker.writeback.saga import MOST_FAILURES


def operator(station: Station) -> Operator:
    return Operator(station.database, lambda: station.now)


async def attempt(station: Station, saga: int, number: int) -> Outcome:
    """Run the saga's job as the queue does, for the given time in a row."""
    job = Job(1, store.ADVANCE_SAGA, 1, saga, number, station.now, station.now)
    (outcome,) = await station.handler(Claim(1, (job,)))
    return outcome


async def jobs_of(station: Station, saga: int) -> list[int]:
    async with station.database.connection() as connection:
        rows = await connection.fetch("select id from jobs where kind = $1 and subject = $2", store.ADVANCE_SAGA, saga)
    return [row["id"] for row in rows]


async def reach(station: Station, saga: int, kind: str, state: str) -> None:
    """Take single turns until the saga's unfinished step is of this kind and in this state."""
    for _ in range(200):
        step = next((step for step in await station.steps(saga) if step["state"] != "succeeded"), None)
        if step is not None and (step["kind"], step["state"]) == (kind, state):
            return
        outcome = await station.handler.run_once(saga)
        if isinstance(outcome, Snooze):
            await station.advance_clocks(outcome.delay)
    raise AssertionError(f"no {kind} became {state}: {await station.story(saga)}")


async def test_a_saga_given_up_just_before_its_line_leaves_sends_nothing_and_holds_nothing(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    saga = await station.saga(Drawdown("D1", 100_000))
    await reach(station, saga, "bank_transaction", "planned")
    await station.advance_clocks(timedelta(minutes=6))  # the connection is asked for again, which gives a person time
    asked = station.codat.get_connection

    async def given_up_meanwhile(*where: Any) -> Any:
        monkeypatch.setattr(station.codat, "get_connection", asked)
        await operator(station).abandon(saga, "the borrower enters it by hand")
        return await asked(*where)

    monkeypatch.setattr(station.codat, "get_connection", given_up_meanwhile)
    await station.drive(saga)

    assert (await station.row("sagas", saga))["state"] == "abandoned"
    assert [step["state"] for step in await station.steps(saga)] == ["succeeded", "planned"]
    await station.finish(await station.saga(Drawdown("D2", 5_000), "LN-2"))
    assert await station.amounts() == ["-50.00"]


async def test_a_repayment_is_not_undone_before_it_is_finished(station: Station) -> None:
    repayment = await station.saga(Repayment("R1", 33_333, 6_667, 0))
    await reach(station, repayment, "bank_transaction", "planned")
    reversal = await station.saga(RepaymentReversal("R1", "returned"))

    await station.drive(reversal)
    row = await station.row("sagas", reversal)
    assert (row["waiting_for"], row["reason"]) == (
        "person",
        f"what saga {repayment} of repayment R1 has written is not certain yet",
    )

    await station.finish(repayment, reversal)
    assert await station.balance("lenderAccountId") == "0.00"
    assert await station.amounts() == ["400.00", "-66.67", "-400.00", "66.67"]


async def test_a_write_that_may_be_in_the_books_is_not_given_up_unless_a_person_has_looked(station: Station) -> None:
    await station.arrange({"kind": "status_before", "match": TRANSFERS, "status": 503})
    saga = await station.saga(Repayment("R1", 33_333, 6_667, 0))
    await station.turns(saga, "unknown")

    with pytest.raises(Rejected) as refused:
        await operator(station).abandon(saga, "entered by hand")
    assert (refused.value.status, "adopt" in refused.value.detail) == (409, True)

    await operator(station).abandon(saga, "entered by hand", absent=True)
    reversal = await station.saga(RepaymentReversal("R1", "returned"))
    await station.finish(reversal)
    assert (await station.row("sagas", reversal))["reason"] == "nothing of repayment R1 was written"
    assert await station.records("transfers") == []


async def test_a_push_operation_codat_does_not_finish_is_given_up_by_a_person_who_has_looked(station: Station) -> None:
    await station.arrange({"kind": "push_stays_pending", "match": LINES})
    saga = await station.saga(Drawdown("D1", 100_000))
    await reach(station, saga, "bank_transaction", "pending")

    with pytest.raises(Rejected, match="wait until Codat has answered"):
        await operator(station).abandon(saga, "entered by hand", absent=True)
    await station.turns_within(saga, timedelta(hours=1))
    with pytest.raises(Rejected, match="absent"):
        await operator(station).abandon(saga, "entered by hand")
    await operator(station).abandon(saga, "entered by hand", absent=True)

    assert (await station.row("sagas", saga))["state"] == "abandoned"
    assert [step["state"] for step in await station.steps(saga)] == ["succeeded", "planned"]
    await station.finish(await station.saga(Drawdown("D2", 5_000), "LN-2"))
    assert await station.amounts() == ["-50.00"]


async def test_a_record_a_person_has_found_ends_the_wait_for_its_push_operation(station: Station) -> None:
    await station.arrange({"kind": "push_stays_pending", "match": TRANSFERS})
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.turns(saga, "pending")

    await operator(station).adopt(saga, "found-by-hand")
    await station.finish(saga)

    assert next(step["record_id"] for step in await station.steps(saga)) == "found-by-hand"
    assert await station.amounts() == ["-1000.00"]


async def test_a_record_of_another_step_is_not_adopted(station: Station) -> None:
    await station.finish(await station.saga(Drawdown("D1", 100_000), "LN-1"))
    (transfer,) = await station.records("transfers")
    await station.arrange({"kind": "status_before", "match": TRANSFERS, "status": 503})
    saga = await station.saga(Drawdown("D1", 100_000), "LN-2")
    await station.turns(saga, "unknown")

    with pytest.raises(Rejected, match="belongs to another step"):
        await operator(station).adopt(saga, transfer["id"])

    await station.finish(saga)
    assert len(await station.records("transfers")) == 2


async def test_a_write_a_person_has_found_is_undone_after_its_saga_is_given_up(station: Station) -> None:
    await station.arrange({"kind": "status_after", "match": TRANSFERS, "status": 503})
    saga = await station.saga(Repayment("R1", 33_333, 6_667, 0))
    await station.turns(saga, "unknown")
    await station.advance_clocks(timedelta(seconds=1))
    (transfer,) = await station.records("transfers")

    await operator(station).adopt(saga, transfer["id"])
    await operator(station).abandon(saga, "the rest is entered by hand")
    await station.finish(await station.saga(RepaymentReversal("R1", "returned")))

    assert await station.balance("lenderAccountId") == "0.00"


async def test_a_saga_that_fails_by_surprise_every_time_is_shown_to_a_person_and_keeps_its_lane(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    saga = await station.saga(Drawdown("D1", 100_000))

    async def broken(*_: Any) -> Any:
        raise ArithmeticError("the answer\x00 makes no sense")

    with monkeypatch.context() as patched:
        patched.setattr(station.codat, "get_connection", broken)
        outcomes = [await attempt(station, saga, number) for number in range(1, MOST_FAILURES + 1)]

    assert [type(outcome) for outcome in outcomes] == [Retry] * (MOST_FAILURES - 1) + [Park]
    row = await station.row("sagas", saga)
    assert (row["state"], row["waiting_for"]) == ("waiting", "person")
    assert "error, see saga_failed in the log: the answer\ufffd makes no sense" in row["reason"]

    await operator(station).retry(saga)
    await station.finish(saga)
    assert await station.amounts() == ["-1000.00"]


async def test_a_saga_whose_process_ends_every_time_is_shown_to_a_person(station: Station) -> None:
    saga = await station.saga(Drawdown("D1", 100_000))

    assert isinstance(await attempt(station, saga, MOST_FAILURES + 1), Park)

    row = await station.row("sagas", saga)
    assert (row["waiting_for"], f"{MOST_FAILURES} attempts ended without an answer" in row["reason"]) == (
        "person",
        True,
    )
    assert await station.sent() == []


async def test_a_finished_saga_whose_process_ended_every_time_lets_its_lane_go(station: Station) -> None:
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.finish(saga)

    assert isinstance(await attempt(station, saga, MOST_FAILURES + 1), Done)


async def test_a_retry_finds_a_job_for_a_saga_whose_job_was_buried(station: Station) -> None:
    saga = await station.saga(Drawdown("D1", 100_000))
    (buried,) = await jobs_of(station, saga)
    async with station.database.connection() as connection:
        await connection.execute("select bury_jobs(array[$1::bigint], array['exhausted'], array['x'])", buried)

    await operator(station).retry(saga)
    await operator(station).retry(saga)

    (job,) = await jobs_of(station, saga)
    async with station.database.connection() as connection:
        replayed = await connection.fetchval("select replayed_job_id from dead_letters where subject = $1", saga)
    assert replayed == job != buried


async def test_a_retry_leaves_a_saga_that_waits_its_turn_in_its_lane(station: Station) -> None:
    first, second = await station.saga(Drawdown("D1", 100_000)), await station.saga(Drawdown("D2", 5_000))

    await operator(station).retry(second)

    assert (len(await jobs_of(station, first)), len(await jobs_of(station, second))) == (1, 1)
