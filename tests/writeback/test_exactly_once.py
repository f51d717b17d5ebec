"""Whatever goes wrong on the way, every step ends as exactly one record in the borrower's books."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.writeback.conftest import Open
from tests.writeback.station import COSTS, LINES, TRANSFERS, Station, push_webhook
from worker.codat.replies import Accepted
from worker.jobs.job import Done, Park, Snooze
from worker.writeback.movement import Drawdown, Repayment
from worker.writeback.saga import SagaHandler

EACH_KIND = pytest.mark.parametrize("where", [TRANSFERS, COSTS, LINES], ids=["transfer", "direct cost", "line"])


async def assert_written_once(station: Station) -> None:
    """A repayment of £400, of which £66.67 is cost, is in the books once."""
    assert len(await station.records("transfers")) == 1
    assert len(await station.records("directCosts")) == 1
    assert await station.amounts() == ["400.00", "-66.67"]
    assert await station.balance("lenderAccountId") == "333.33"


def repayment() -> Repayment:
    return Repayment("R1", 33_333, 6_667, 0)


@EACH_KIND
@pytest.mark.parametrize("platform", ["Xero", "QuickBooks Online", "Sage", "FreeAgent"])
@pytest.mark.parametrize("kind", ["status_before", "status_after", "cut_before", "cut_after"])
async def test_a_request_that_ends_badly_leaves_one_record(
    open_station: Open, platform: str, kind: str, where: dict[str, str]
) -> None:
    station = await open_station(platform)
    await station.map()
    await station.arrange({"kind": kind, "match": where, "status": 503})

    await station.finish(await station.saga(repayment()))

    await assert_written_once(station)


@EACH_KIND
@pytest.mark.parametrize("kind", ["push_times_out_then_succeeds", "push_times_out_but_written"])
async def test_a_push_that_timed_out_and_was_written_is_adopted(
    open_station: Open, kind: str, where: dict[str, str]
) -> None:
    station = await open_station("Sage")
    await station.map()
    await station.arrange({"kind": kind, "match": where, "seconds": 3600})

    await station.finish(await station.saga(repayment()))

    await assert_written_once(station)
    assert len(await station.sent()) == 4


@EACH_KIND
async def test_rate_limits_delay_and_double_nothing(station: Station, where: dict[str, str]) -> None:
    await station.arrange({"kind": "rate_limit", "match": where, "retryAfter": "0", "times": 3})

    await station.finish(await station.saga(repayment()))

    await assert_written_once(station)
    keys = {request["idempotencyKey"] for request in await station.sent()}
    assert len(keys) == 4


async def test_the_same_request_is_sent_again_while_its_key_is_remembered(station: Station) -> None:
    await station.arrange({"kind": "cut_before", "match": TRANSFERS, "times": 3})
    saga = await station.saga(repayment())
    await station.turns(saga, "pending")
    body = (await station.steps(saga))[0]["body"]

    await station.finish(saga)

    step = (await station.steps(saga))[0]
    assert (step["key_generation"], step["body"]) == (1, body)
    await assert_written_once(station)


async def test_after_eighty_minutes_without_an_answer_the_worker_looks_instead_of_sending(station: Station) -> None:
    saga = await station.saga(repayment())
    await station.arrange({"kind": "cut_after", "match": TRANSFERS})
    await station.turns(saga, "sending")
    await station.advance_clocks(timedelta(minutes=95))

    await station.finish(saga)

    await assert_written_once(station)
    assert any("too old to send again" in line for line in await station.story(saga))


@pytest.mark.parametrize("state", ["planned", "sending", "pending", "unknown"])
@EACH_KIND
async def test_another_process_goes_on_from_every_state(station: Station, state: str, where: dict[str, str]) -> None:
    saga = await station.saga(repayment())
    if state == "unknown":
        await station.arrange({"kind": "status_after", "match": where, "status": 500})
    if state == "sending":
        await station.arrange({"kind": "cut_after", "match": where})
    await station.turns(saga, state)

    station.handler = SagaHandler(station.desk)
    await station.finish(saga)

    await assert_written_once(station)


@EACH_KIND
@pytest.mark.parametrize("is_sent", [False, True], ids=["before it is sent", "before the answer is stored"])
async def test_a_crash_around_sending_loses_and_doubles_nothing(
    station: Station, is_sent: bool, where: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        """The process is gone."""

    saga = await station.saga(repayment())
    push = station.codat.push
    wanted = where["path"].rsplit("/", 1)[1]

    async def die(*arguments: Any, **conditions: Any) -> Any:
        is_wanted = wanted in arguments[2]
        reply = await push(*arguments, **conditions) if is_sent or not is_wanted else None
        if is_wanted:
            raise Died
        return reply

    with monkeypatch.context() as dying:
        dying.setattr(station.codat, "push", die)
        with pytest.raises(Died):
            await station.drive(saga)

    await station.finish(saga)

    await assert_written_once(station)


async def test_a_record_that_may_be_another_steps_is_not_taken_for_ones_own(station: Station) -> None:
    """On Xero a transfer carries no text of ours: two equal ones are told apart only by who has which."""
    lost, equal = await station.lost_and_equal_transfer()

    for _ in range(10):
        await station.handler.advance(lost)
        await station.advance_clocks(timedelta(minutes=1))
    assert (await station.steps(lost))[0]["state"] == "unknown"

    await station.finish(equal, lost)
    assert len(await station.records("transfers")) == 2
    assert (await station.steps(lost))[0]["record_id"] != (await station.steps(equal))[0]["record_id"]


async def test_two_replicas_at_the_same_saga_write_every_record_once(station: Station) -> None:
    saga = await station.saga(repayment())
    other = SagaHandler(station.desk)

    for _ in range(30):
        outcomes = await asyncio.gather(station.handler.advance(saga), other.advance(saga))
        if all(isinstance(outcome, Done) for outcome in outcomes):
            break
        await station.advance_clocks(timedelta(seconds=5))

    await station.finish(saga)
    await assert_written_once(station)
    async with station.database.connection() as connection:
        assert await connection.fetchval("select count(*) from bank_feeds where held_by_step is not null") == 0


async def test_a_webhook_that_overtakes_the_answer_is_matched_when_the_key_is_known(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    saga = await station.saga(repayment())
    push = station.codat.push

    async def hear_before_recording(*arguments: Any, **conditions: Any) -> Any:
        reply = await push(*arguments, **conditions)
        assert isinstance(reply, Accepted)
        await station.advance_clocks(timedelta(seconds=1))
        await station.hear(push_webhook(reply.operation.key, "Success"))
        return reply

    monkeypatch.setattr(station.codat, "push", hear_before_recording)
    assert isinstance(await station.handler.advance(saga), Done)

    await assert_written_once(station)


async def test_contradictory_webhooks_change_nothing_because_the_operation_is_read(station: Station) -> None:
    saga = await station.saga(repayment())
    await station.turns(saga, "pending")
    key = (await station.steps(saga))[0]["push_operation_key"]
    await station.hear(push_webhook(key, "Failed"))
    await station.hear(push_webhook(key, "Success"))
    await station.hear(push_webhook(key, "Failed"))

    await station.finish(saga)

    await assert_written_once(station)


async def test_a_push_that_stays_pending_is_asked_after_ever_more_rarely(station: Station) -> None:
    await station.arrange({"kind": "push_stays_pending", "match": TRANSFERS})
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.turns(saga, "pending")
    waits = []
    for _ in range(12):
        outcome = await station.handler.advance(saga)
        assert isinstance(outcome, Snooze)
        waits.append(outcome.delay)
        await station.advance_clocks(waits[-1])

    assert waits == sorted(waits)
    assert waits[-1] == station.timings.poll_longest


async def test_a_timed_out_line_on_a_statement_nobody_can_read_is_never_sent_again_by_itself(station: Station) -> None:
    await station.arrange({"kind": "push_times_out_but_written", "match": LINES})
    saga = await station.saga(repayment())

    assert isinstance(await station.drive(saga, until_waiting=False), Park)

    assert "cannot be found" in (await station.row("sagas", saga))["reason"]
    assert await station.amounts() == ["400.00"]


async def test_a_timed_out_push_that_never_shows_up_waits_for_a_person_after_a_day(station: Station) -> None:
    await station.arrange({"kind": "push_times_out_then_succeeds", "match": TRANSFERS, "seconds": 60 * 60 * 24 * 30})
    saga = await station.saga(repayment())
    started = station.now

    assert isinstance(await station.drive(saga, until_waiting=False), Park)

    row = await station.row("sagas", saga)
    assert row["waiting_for"] == "person"
    assert station.now - started >= timedelta(hours=24)
    assert len(await station.sent()) == 1
