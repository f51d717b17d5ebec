"""What is shown of a saga: why it gets nowhere once that has lasted, and nothing any more as soon as it goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.writeback.station import TRANSFERS, Station
from tests.writeback.test_decisions import reach
from tests.writeback.test_doubts import push_of_another_program
from tests.writeback.test_reading import freeze_readings, lost_transfer
from worker.codat.push_operation import PushOperation, PushStatus
from worker.codat.replies import Found, RateLimited, Unavailable
from worker.jobs.job import Park, Snooze
from worker.writeback.desk import Desk
from worker.writeback.movement import Drawdown, Repayment
from worker.writeback.operator import Operator
from worker.writeback.saga import SagaHandler

PARKED = 3
"""State of a job that runs only when it is woken."""


async def shown(station: Station, saga: int) -> tuple[str, str | None, str | None]:
    row = await station.row("sagas", saga)
    return row["state"], row["waiting_for"], row["reason"]


async def silent(*_: Any, **__: Any) -> Any:
    return Unavailable("HTTP 503: maintenance")


async def pending_for_good(station: Station) -> int:
    await station.arrange({"kind": "push_stays_pending", "match": TRANSFERS})
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.turns(saga, "pending")
    return saga


async def test_codat_answering_again_ends_what_is_shown_though_the_write_is_not_finished(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    saga = await pending_for_good(station)
    with monkeypatch.context() as failing:
        failing.setattr(station.codat, "get_push_operation", silent)
        await station.turns_within(saga, timedelta(minutes=10))
        assert (await shown(station, saga))[:2] == ("waiting", "codat")

    assert isinstance(await station.handler.advance(saga), Snooze)

    assert await shown(station, saga) == ("running", None, None)


async def test_a_saga_that_only_polls_is_not_written_to(station: Station) -> None:
    saga = await pending_for_good(station)
    await station.handler.advance(saga)

    async def version() -> Any:
        async with station.database.connection() as connection:
            return await connection.fetchval("select xmin::text from sagas where id = $1", saga)

    before = await version()
    await station.turns_within(saga, timedelta(minutes=15))

    assert await version() == before


async def test_a_push_operation_that_does_not_end_is_shown_and_asked_after_all_the_same(station: Station) -> None:
    saga = await pending_for_good(station)
    (step, *_) = await station.steps(saga)

    await station.turns_within(saga, timedelta(hours=1))
    reason = f"Codat has not finished push operation {step['push_operation_key']} yet"
    assert await shown(station, saga) == ("waiting", "codat", reason)

    assert isinstance(outcome := await station.handler.advance(saga), Snooze)
    assert outcome.delay <= timedelta(minutes=10)


async def test_failing_reads_are_remembered_by_another_process(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    saga = await pending_for_good(station)
    monkeypatch.setattr(station.codat, "get_push_operation", silent)
    await station.turns_within(saga, timedelta(minutes=1))
    assert (await shown(station, saga))[0] == "running"

    station.handler = SagaHandler(Desk(station.database, station.codat, lambda: station.now, station.timings))
    await station.turns_within(saga, timedelta(minutes=1, seconds=30))
    assert (await shown(station, saga))[:2] == ("waiting", "codat")

    station.handler = SagaHandler(Desk(station.database, station.codat, lambda: station.now, station.timings))
    assert isinstance(outcome := await station.handler.advance(saga), Snooze)
    assert outcome.delay > timedelta(minutes=2)
    assert (await shown(station, saga))[:2] == ("waiting", "codat")


async def test_a_limit_that_will_last_is_shown_at_once_and_gone_with_it(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    saga = await pending_for_good(station)

    async def limited(*_: Any) -> Any:
        return RateLimited(timedelta(hours=3))

    with monkeypatch.context() as used_up:
        used_up.setattr(station.codat, "get_push_operation", limited)
        assert await station.handler.advance(saga) == Snooze(timedelta(hours=3))
        assert await shown(station, saga) == ("waiting", "codat", "Codat limits how often it may be asked")

    await station.handler.advance(saga)
    assert await shown(station, saga) == ("running", None, None)


async def test_a_write_that_cannot_leave_is_shown_until_it_is_accepted(station: Station) -> None:
    await station.arrange({"kind": "cut_before", "match": TRANSFERS, "times": 12})
    saga = await station.saga(Drawdown("D1", 100_000))

    await station.drive(saga)
    state, waiting_for, reason = await shown(station, saga)
    assert (state, waiting_for) == ("waiting", "codat")
    assert reason is not None
    assert "does not answer this write" in reason

    await station.turns(saga, "pending")
    assert await shown(station, saga) == ("running", None, None)


async def test_a_reading_that_has_come_ends_the_wait_for_it(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    saga = await lost_transfer(station)
    with monkeypatch.context() as frozen:
        await freeze_readings(station, frozen)
        await station.turns_within(saga, timedelta(minutes=10))
        assert (await shown(station, saga))[:2] == ("waiting", "codat")

    await station.handler.advance(saga)

    assert (await station.steps(saga))[0]["syncs_seen"] == 1
    assert await shown(station, saga) == ("running", None, None)


async def test_a_connection_that_is_back_ends_the_wait_of_a_lost_step_while_the_books_are_read(
    station: Station,
) -> None:
    saga = await lost_transfer(station)
    await station.connection_becomes("Deauthorized")
    await station.advance_clocks(station.timings.connection_fresh)
    await station.drive(saga)
    assert (await shown(station, saga))[1] == "connection"

    await station.connection_becomes("Linked")
    await station.advance_clocks(station.timings.connection_recheck)
    await station.handler.advance(saga)

    assert (await station.steps(saga))[0]["sync_requested_at"] is not None
    assert await shown(station, saga) == ("running", None, None)


async def test_a_rival_is_named_while_it_is_not_certain_what_it_wrote(station: Station) -> None:
    lost, equal = await station.lost_and_equal_transfer()

    await station.drive(lost)
    state, waiting_for, reason = await shown(station, lost)
    assert (state, waiting_for) == ("waiting", "codat")
    assert reason is not None
    assert f"saga {equal}'s" in reason

    await station.finish(equal)
    await station.turns(lost, "planned")
    assert await shown(station, lost) == ("running", None, None)
    await station.finish(lost)
    assert len(await station.records("transfers")) == 2


async def test_another_programs_unfinished_push_is_named_while_it_may_be_the_lost_one(station: Station) -> None:
    saga = await lost_transfer(station)
    await station.arrange({"kind": "push_stays_pending", "match": TRANSFERS})
    body = json.loads((await station.steps(saga))[0]["body"])
    await push_of_another_program(station, "transfers", body, station.connection_id)

    await station.drive(saga)

    state, waiting_for, reason = await shown(station, saga)
    assert (state, waiting_for) == ("waiting", "codat")
    assert reason is not None
    assert "is not finished and may be the one whose answer was lost" in reason


async def test_a_saga_whose_turn_at_a_busy_statement_does_not_come_says_so(station: Station) -> None:
    first = await station.saga(Drawdown("D1", 100_000))
    await reach(station, first, "bank_transaction", "pending")
    holder = (await station.steps(first))[1]["id"]
    second = await station.saga(Drawdown("D2", 5_000), "LN-2")
    await reach(station, second, "bank_transaction", "planned")

    until = station.now + station.timings.shown_after
    while station.now <= until:
        assert (await shown(station, second))[0] == "running"
        async with station.database.connection() as connection:  # one young line after the other has the statement
            await connection.execute("update steps set first_sent_at = $2 where id = $1", holder, station.now)
        assert await station.handler.advance(second) == Snooze(station.timings.feed_busy)
        await station.advance_clocks(station.timings.feed_busy)
    words = "the lines of other sagas go to the same statement first"
    assert await shown(station, second) == ("waiting", "codat", words)

    await station.finish(first)
    await reach(station, second, "bank_transaction", "pending")
    assert await shown(station, second) == ("running", None, None)


async def test_a_write_that_may_come_late_is_shown_and_costs_little_of_the_daily_quota(station: Station) -> None:
    month = 60 * 60 * 24 * 30
    await station.arrange({"kind": "push_times_out_then_succeeds", "match": TRANSFERS, "seconds": month})
    saga = await station.saga(Repayment("R1", 33_333, 6_667, 0))
    await station.turns(saga, "unknown")
    before = len((await station.simulator("GET", "/_simulator/requests"))["requests"])

    await station.turns_within(saga, timedelta(hours=23))

    state, waiting_for, reason = await shown(station, saga)
    assert (state, waiting_for) == ("waiting", "codat")
    assert reason is not None
    assert "may still write it; it is looked for until 2026-03-03" in reason
    asked = len((await station.simulator("GET", "/_simulator/requests"))["requests"]) - before
    assert asked <= 150


async def test_a_statement_that_is_free_again_wakes_only_who_waits_for_it(station: Station) -> None:
    await station.arrange({"kind": "push_times_out_then_succeeds", "match": TRANSFERS, "seconds": 60 * 60 * 24})
    stuck = await station.saga(Drawdown("D1", 100_000))
    await station.turns(stuck, "unknown")
    await station.drive(stuck)
    assert (await shown(station, stuck))[1] == "codat"
    async with station.database.connection() as connection:
        await connection.execute(
            "update jobs set state = $2, worker = 1, run_at = 'infinity' where subject = $1", stuck, PARKED
        )

    await station.finish(await station.saga(Drawdown("D2", 5_000), "LN-2"))

    async with station.database.connection() as connection:
        assert await connection.fetchval("select state from jobs where subject = $1", stuck) == PARKED


async def test_a_refused_write_that_codat_now_calls_written_is_left_to_a_person(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    await station.arrange({"kind": "push_fails", "match": TRANSFERS, "itemId": "Id", "message": "Refused."})
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.drive(saga)
    read = station.codat.get_push_operation

    async def written_after_all(*key: Any) -> Any:
        reply = await read(*key)
        assert isinstance(reply, Found)
        return Found(replace(reply.value, status=PushStatus.SUCCESS, changes=()))

    monkeypatch.setattr(station.codat, "get_push_operation", written_after_all)
    assert isinstance(await station.handler.advance(saga), Park)
    state, waiting_for, reason = await shown(station, saga)
    assert (state, waiting_for) == ("waiting", "person")
    assert reason is not None
    assert "names no record" in reason

    await Operator(station.database, lambda: station.now).retry(saga)
    monkeypatch.setattr(station.codat, "get_push_operation", read)
    await station.finish(saga)
    assert len(await station.records("transfers")) == 1


async def test_a_refused_write_that_codat_now_calls_timed_out_is_looked_for_when_a_person_asks_for_a_retry(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    await station.arrange({"kind": "push_fails", "match": TRANSFERS, "itemId": "Id", "message": "Refused."})
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.drive(saga)
    refused = (await station.steps(saga))[0]["push_operation_key"]
    read, listed = station.codat.get_push_operation, station.codat.list_push_operations

    def doubted(operation: PushOperation) -> PushOperation:
        return replace(operation, status=PushStatus.TIMED_OUT) if operation.key == refused else operation

    async def reads(*key: Any) -> Any:
        reply = await read(*key)
        return Found(doubted(reply.value)) if isinstance(reply, Found) else reply

    async def lists(*since: Any) -> Any:
        reply = await listed(*since)
        return Found([doubted(one) for one in reply.value]) if isinstance(reply, Found) else reply

    monkeypatch.setattr(station.codat, "get_push_operation", reads)
    monkeypatch.setattr(station.codat, "list_push_operations", lists)
    assert isinstance(await station.handler.advance(saga), Snooze)

    await Operator(station.database, lambda: station.now).retry(saga)
    await station.finish(saga)

    assert len(await station.records("transfers")) == 1
    assert any("proven absent" in line for line in await station.story(saga))
