"""Who a saga waits for, what it says, and what sets it going again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.writeback.conftest import Open
from tests.writeback.station import LINES, TRANSFERS, Station, connection_webhook, push_webhook
from worker.errors import Rejected
from worker.jobs.job import Done, Park, Snooze
from worker.writeback import store
from worker.writeback.movement import Drawdown, Repayment, RepaymentReversal
from worker.writeback.operator import Operator
from worker.writeback.settlement import PUSH_WEBHOOK_RETENTION


def refusal(message: str, item_id: str = "From.Amount") -> dict[str, object]:
    return {"kind": "push_fails", "match": TRANSFERS, "itemId": item_id, "message": message}


async def waiting_for(station: Station, saga: int) -> tuple[str, str]:
    row = await station.row("sagas", saga)
    return row["waiting_for"], row["reason"]


async def test_without_a_mapping_a_saga_waits_and_goes_on_once_there_is_one(open_station: Open) -> None:
    station = await open_station()
    saga = await station.saga(Drawdown("D1", 100_000))

    assert isinstance(await station.drive(saga), Park)
    assert await waiting_for(station, saga) == ("mapping", "the connection has no mapping yet")

    await station.map()
    await station.finish(saga)
    assert await station.amounts() == ["-1000.00"]


async def test_switched_off_nothing_is_written_and_nothing_is_lost(station: Station) -> None:
    await station.map(enabled=False)
    saga = await station.saga(Drawdown("D1", 100_000))

    assert isinstance(await station.drive(saga), Park)
    assert await station.sent() == []

    await station.map()
    await station.finish(saga)
    assert await station.amounts() == ["-1000.00"]


async def test_a_saga_keeps_its_mapping_version_when_the_mapping_is_edited_on_its_way(station: Station) -> None:
    saga = await station.saga(Repayment("R1", 33_333, 6_667, 0))
    await station.turns(saga, "pending")

    await station.map(expenseAccountId=station.company["otherExpenseAccountId"])
    await station.finish(saga)

    assert {step["mapping_version"] for step in await station.steps(saga)} == {1}
    assert await station.balance("expenseAccountId") == "66.67"
    assert await station.balance("otherExpenseAccountId") == "0.00"


async def test_a_saga_that_has_begun_keeps_its_mapping_version_though_writeback_was_off_meanwhile(
    station: Station,
) -> None:
    saga = await station.saga(Repayment("R1", 33_333, 6_667, 0))
    await station.turns(saga, "pending")
    await station.map(enabled=False)
    assert isinstance(await station.drive(saga), Park)
    assert (await waiting_for(station, saga))[0] == "mapping"

    await station.map(expenseAccountId=station.company["otherExpenseAccountId"])
    await station.finish(saga)

    assert {step["mapping_version"] for step in await station.steps(saga)} == {1}
    assert await station.balance("expenseAccountId") == "66.67"


async def test_a_saga_that_has_sent_nothing_takes_the_mapping_that_is_switched_on(station: Station) -> None:
    saga = await station.saga(Repayment("R1", 33_333, 6_667, 0))
    await station.turns(saga, "planned")
    await station.map(enabled=False)
    assert isinstance(await station.drive(saga), Park)

    await station.map(expenseAccountId=station.company["otherExpenseAccountId"])
    await station.finish(saga)

    assert {step["mapping_version"] for step in await station.steps(saga)} == {3}
    assert await station.balance("otherExpenseAccountId") == "66.67"


async def test_a_saga_stopped_by_its_mapping_writes_the_rest_with_the_new_one(station: Station) -> None:
    saga = await station.saga(Repayment("R1", 33_333, 6_667, 0))
    await station.arrange(
        {
            "kind": "push_fails",
            "match": {"path": "*/push/directCosts"},
            "itemId": "AccountRef",
            "message": "The account is archived.",
        }
    )

    assert isinstance(await station.drive(saga), Park)
    assert (await waiting_for(station, saga))[0] == "mapping"

    await station.map(expenseAccountId=station.company["otherExpenseAccountId"])
    await station.finish(saga)
    assert [step["mapping_version"] for step in await station.steps(saga)] == [1, 2, 2, 2]
    assert await station.balance("otherExpenseAccountId") == "66.67"
    assert len(await station.records("transfers")) == 1


async def test_a_refused_write_waits_for_a_person_who_is_told_field_and_reason(station: Station) -> None:
    await station.arrange(refusal("The amount must be greater than zero."))
    saga = await station.saga(Drawdown("D1", 100_000))

    assert isinstance(await station.drive(saga), Park)

    assert await waiting_for(station, saga) == ("person", "From.Amount: The amount must be greater than zero.")
    assert await station.records("transfers") == []

    await Operator(station.desk.database, station.desk.clock).retry(saga)
    await station.finish(saga)
    step = (await station.steps(saga))[0]
    assert step["key_generation"] == 2
    assert await station.amounts() == ["-1000.00"]
    assert len({request["idempotencyKey"] for request in await station.sent()}) == 3


async def test_a_refusal_that_the_platform_calls_temporary_is_tried_again_by_itself(station: Station) -> None:
    await station.arrange(refusal("The service is temporarily unavailable."))
    saga = await station.saga(Drawdown("D1", 100_000))

    await station.finish(saga)

    assert (await station.steps(saga))[0]["key_generation"] == 2
    assert len(await station.records("transfers")) == 1


async def test_a_platform_that_stays_temporarily_unwilling_is_left_to_a_person(station: Station) -> None:
    await station.arrange({**refusal("Too many requests."), "times": 20})
    saga = await station.saga(Drawdown("D1", 100_000))

    assert isinstance(await station.drive(saga), Park)

    assert len(await station.sent()) == 5


async def test_a_retry_before_the_refusal_was_final_adopts_instead_of_sending(station: Station) -> None:
    await station.arrange({"kind": "webhook_contradicted"})
    await station.arrange(refusal("Refused."))
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.drive(saga)
    step = (await station.steps(saga))[0]

    await station.hear(push_webhook(step["push_operation_key"], "Success"))
    assert isinstance(await station.drive(saga), Park)

    assert len(await station.sent()) == 1


async def test_one_loan_that_waits_does_not_hold_up_another(station: Station) -> None:
    await station.arrange(refusal("Refused."))
    stuck = await station.saga(Drawdown("D1", 100_000), "LN-1")
    await station.drive(stuck)

    await station.finish(await station.saga(Drawdown("D1", 50_000), "LN-2"))

    assert await station.amounts() == ["-500.00"]


async def test_a_connection_lost_between_two_steps_stops_the_saga_until_it_is_back(station: Station) -> None:
    saga = await station.saga(Repayment("R1", 33_333, 6_667, 0))
    await station.turns(saga, "pending")
    await station.connection_becomes("Deauthorized")
    await station.hear(connection_webhook(station.connection_id, "Deauthorized"))

    assert isinstance(await station.drive(saga), Snooze)
    kind, reason = await waiting_for(station, saga)
    assert (kind, "Deauthorized" in reason) == ("connection", True)
    assert len(await station.sent()) == 1

    await station.connection_becomes("Linked")
    await station.hear(connection_webhook(station.connection_id, "Linked"))
    await station.finish(saga)
    assert await station.amounts() == ["400.00", "-66.67"]
    assert len(await station.sent()) == 4


async def test_a_connection_whose_loss_nobody_told_of_is_noticed_by_the_refusal(station: Station) -> None:
    saga = await station.saga(Repayment("R1", 33_333, 6_667, 0))
    await station.turns(saga, "pending")
    await station.connection_becomes("Deauthorized")

    await station.drive(saga)
    assert (await waiting_for(station, saga))[0] == "connection"

    await station.connection_becomes("Linked")
    await station.finish(saga)
    assert await station.amounts() == ["400.00", "-66.67"]


async def test_a_reconnection_nobody_told_of_is_noticed_within_a_quarter_of_an_hour(station: Station) -> None:
    await station.connection_becomes("Unlinked")
    saga = await station.saga(Drawdown("D1", 100_000))
    outcome = await station.drive(saga)
    assert outcome == Snooze(timedelta(minutes=15))

    await station.connection_becomes("Linked")
    await station.advance_clocks(timedelta(minutes=15))

    assert isinstance(await station.drive(saga), Done)


async def test_books_that_are_locked_on_the_day_are_asked_about_before_anything_is_sent(station: Station) -> None:
    await station.simulator("POST", f"/_simulator/companies/{station.company['id']}", {"ledgerLockDate": "2026-03-31"})
    saga = await station.saga(Drawdown("D1", 100_000))

    await station.drive(saga)

    kind, reason = await waiting_for(station, saga)
    assert kind == "person"
    assert "locked up to 2026-03-31" in reason
    assert await station.sent() == []

    await station.simulator("POST", f"/_simulator/companies/{station.company['id']}", {"ledgerLockDate": None})
    await Operator(station.desk.database, station.desk.clock).retry(saga)
    await station.finish(saga)
    assert await station.amounts() == ["-1000.00"]


async def test_codat_turning_the_key_away_stops_the_saga_visibly_and_it_tries_again(station: Station) -> None:
    await station.arrange({"kind": "status_before", "match": TRANSFERS, "status": 402})
    saga = await station.saga(Drawdown("D1", 100_000))

    assert isinstance(await station.drive(saga), Snooze)
    assert (await waiting_for(station, saga))[0] == "codat"

    await station.finish(saga)
    assert len(await station.records("transfers")) == 1


async def test_a_person_may_name_the_record_of_a_step_nobody_can_find(station: Station) -> None:
    await station.arrange({"kind": "push_times_out_but_written", "match": LINES})
    saga = await station.saga(Drawdown("D1", 100_000))
    assert isinstance(await station.drive(saga, until_waiting=False), Park)
    line = (await station.lines())[0]

    await Operator(station.desk.database, station.desk.clock).adopt(saga, line["id"])
    await station.finish(saga)

    assert await station.amounts() == ["-1000.00"]
    await station.finish(await station.saga(Drawdown("D2", 1_000)))
    assert [line["balance"] for line in await station.lines()] == ["-1000.00", "-1010.00"]


async def test_an_abandoned_repayment_is_undone_only_as_far_as_it_was_written(station: Station) -> None:
    await station.arrange(
        {"kind": "push_fails", "match": {"path": "*/push/directCosts"}, "itemId": "X", "message": "Refused."}
    )
    saga = await station.saga(Repayment("R1", 33_333, 6_667, 0))
    await station.drive(saga)

    await Operator(station.desk.database, station.desk.clock).abandon(saga, "the borrower books this one by hand")
    reversal = await station.saga(RepaymentReversal("R1", "returned"))
    await station.finish(reversal)

    assert [step["kind"] for step in await station.steps(reversal)] == ["transfer"]
    assert await station.balance("lenderAccountId") == "0.00"
    assert await station.amounts() == []


async def test_a_saga_whose_request_may_be_under_way_cannot_be_abandoned(station: Station) -> None:
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.turns(saga, "pending")

    with pytest.raises(Rejected) as refused:
        await Operator(station.desk.database, station.desk.clock).abandon(saga, "no longer wanted")

    assert refused.value.status == 409


async def test_a_new_mapping_and_the_retry_with_it_are_stored_together(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = {"path": "*/push/directCosts"}
    await station.arrange({"kind": "push_fails", "match": costs, "itemId": "AccountRef", "message": "Archived."})
    saga = await station.saga(Repayment("R1", 33_333, 6_667, 0))
    await station.drive(saga)
    await station.map(expenseAccountId=station.company["otherExpenseAccountId"])
    remap = store.remap_steps

    async def process_ends(*steps: Any) -> None:
        await remap(*steps)
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(store, "remap_steps", process_ends)
        with pytest.raises(SystemExit):
            await station.handler.advance(saga)

    await station.finish(saga)
    assert await station.balance("otherExpenseAccountId") == "66.67"


async def test_what_webhooks_said_of_unknown_push_operations_is_forgotten_in_the_end(station: Station) -> None:
    for hours in (0, 1):
        station.now += timedelta(hours=hours)
        await station.hear(push_webhook(uuid4(), "Success"))
    station.now += PUSH_WEBHOOK_RETENTION - timedelta(minutes=30)

    last = uuid4()
    await station.hear(push_webhook(last, "Success"))

    async with station.database.connection() as connection:
        kept = await connection.fetch("select push_operation_key from push_webhooks order by heard_at")
    assert len(kept) == 2
    assert kept[-1]["push_operation_key"] == last
