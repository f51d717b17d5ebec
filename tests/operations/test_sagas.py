"""Sagas under ``/v1/sagas``: where each is, what it waits for, and the history of its steps."""

from __future__ import annotations

from tests.loans.station import Station
from tests.operations.borrower import refuse_first_step, write_first_step
from tests.operations.conftest import Api, Story


async def test_sagas_are_listed_newest_first_in_a_bookkeepers_words(api: Api, story: Story) -> None:
    assert await api.listed("/v1/sagas", "summary") == [
        "repayment R1 of 400.00 GBP: principal 380.00, interest 20.00",
        "drawdown D1 of 1000.00 GBP, 25.00 kept back as a fee",
    ]


async def test_a_saga_is_shown_with_its_steps_their_amounts_and_their_history(
    api: Api, station: Station, story: Story
) -> None:
    drawdown = (await api.listed("/v1/sagas", "saga_id"))[1]
    await write_first_step(station.database, drawdown)

    saga = await api.get(f"/v1/sagas/{drawdown}")

    assert (saga["state"], saga["steps_succeeded"], saga["steps_total"]) == ("running", 1, 4)
    assert (saga["mapping_version"], saga["movement"]["amount"], saga["movement"]["fee"]) == (1, "1000.00", "25.00")
    shown = [(step["kind"], step["purpose"], step["amount"], step["state"]) for step in saga["steps"]]
    assert shown == [
        ("transfer", "drawdown", "-975.00", "succeeded"),
        ("direct_cost", "fee", "-25.00", "planned"),
        ("bank_transaction", "drawdown", "-975.00", "planned"),
        ("bank_transaction", "fee", "-25.00", "planned"),
    ]
    first = saga["steps"][0]
    assert (first["record_id"], first["reference"]) == ("record-1", f"LW-{drawdown}-1")
    assert first["push_operation_key"] == "0190a1b2-0000-7000-8000-0000000000e1"
    assert [one["outcome"] for one in first["attempts"]] == ["intended", "accepted", "Success"]
    assert [step["attempts"] for step in saga["steps"][1:]] == [[], [], []]


async def test_a_refused_step_says_who_must_act_and_its_saga_is_found_by_that(
    api: Api, station: Station, story: Story
) -> None:
    repayment, drawdown = await api.listed("/v1/sagas", "saga_id")
    await refuse_first_step(station.database, drawdown, "the period is locked")

    assert await api.listed("/v1/sagas?waiting_for=person", "saga_id") == [drawdown]
    assert await api.listed("/v1/sagas?waiting_for=mapping", "saga_id") == []
    assert await api.listed("/v1/sagas?state=queued", "saga_id") == [repayment]
    saga = await api.get(f"/v1/sagas/{drawdown}")
    assert (saga["state"], saga["waiting_for"], saga["reason"]) == ("waiting", "person", "the period is locked")
    refusal = {"responsible": "person", "words": "the period is locked", "field": "From.Amount"}
    assert saga["steps"][0]["refusal"] == refusal


async def test_sagas_come_in_pages_and_by_loan(api: Api, story: Story) -> None:
    newest = await api.get("/v1/sagas?limit=1&loan_id=L1")
    oldest = await api.get(f"/v1/sagas?limit=1&loan_id=L1&after={newest['next']}")

    assert [saga["movement"]["type"] for saga in newest["data"] + oldest["data"]] == ["repayment", "drawdown"]
    assert oldest["next"] is None
    assert await api.listed("/v1/sagas?loan_id=L2", "saga_id") == []
