"""Loan events under ``/v1/events``: what became of each, and replaying those that were given up."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.loans.events import LoanSystem
from tests.loans.station import Station
from tests.operations.conftest import Api, Story
from worker.jobs import store as jobs_store


async def test_every_event_is_listed_newest_first_with_what_became_of_it(api: Api, story: Story) -> None:
    listed = await api.get("/v1/events")

    assert [event["webhook_id"] for event in listed["data"]] == story.newest_first
    assert [event["state"] for event in listed["data"]] == ["queued", "refused", "held", *["applied"] * 4]


async def test_events_of_one_state_are_found(api: Api, story: Story) -> None:
    assert await api.listed("/v1/events?state=queued", "webhook_id") == [story.queued.webhook_id]
    assert await api.listed("/v1/events?state=held", "webhook_id") == [story.held.webhook_id]
    assert await api.listed("/v1/events?state=refused", "webhook_id") == [story.refused.webhook_id]
    assert await api.listed("/v1/events?state=dead_letter", "webhook_id") == []
    assert await api.listed("/v1/events?state=applied", "webhook_id") == story.newest_first[3:]


@pytest.mark.parametrize("state", [None, "queued", "held", "refused", "applied", "dead_letter"])
async def test_events_of_another_loan_are_left_out(api: Api, story: Story, state: str | None) -> None:
    of_state = f"&state={state}" if state else ""

    assert await api.listed(f"/v1/events?loan_id=L2{of_state}", "webhook_id") == []
    assert await api.listed(f"/v1/events?loan_id=L1{of_state}", "webhook_id") == await api.listed(
        f"/v1/events{'?' + of_state[1:] if state else ''}", "webhook_id"
    )


async def test_pages_follow_one_another_without_gap_or_overlap(api: Api, story: Story) -> None:
    seen, path = [], "/v1/events?limit=3"
    pages = 0
    while path:
        page = await api.get(path)
        seen += [event["webhook_id"] for event in page["data"]]
        pages += 1
        path = f"/v1/events?limit=3&after={page['next']}" if page["next"] else ""

    assert (seen, pages) == (story.newest_first, 3)


async def test_an_applied_event_names_its_ledger_transaction_its_saga_and_its_body(api: Api, story: Story) -> None:
    repayment = story.applied[3]

    event = await api.get(f"/v1/events/{repayment.webhook_id}")

    assert event["state"] == "applied"
    assert event["ledger_transaction_id"]
    assert event["decided_at"] >= event["received_at"]
    assert event["body"].encode() == repayment.body
    saga = await api.get(f"/v1/sagas/{event['saga_id']}")
    assert saga["event_id"] == repayment.webhook_id


async def test_a_held_event_says_why_and_since_when(api: Api, story: Story) -> None:
    event = await api.get(f"/v1/events/{story.held.webhook_id}")

    assert (event["state"], event["saga_id"]) == ("held", None)
    assert event["reason"]
    assert event["needs"]
    assert event["held_since"]


async def test_a_refused_event_names_the_field_and_is_replayed_once(api: Api, station: Station, story: Story) -> None:
    path = f"/v1/events/{story.refused.webhook_id}"
    refused = await api.get(path)
    assert refused["field"].startswith("data.")
    assert refused["reason"]
    assert refused["dead_letter_id"]

    status, replayed = await api.call("POST", f"{path}/replay")

    assert (status, replayed["state"], replayed["dead_letter_id"]) == (202, "queued", None)
    assert (replayed["reason"], len(api.nudges)) == (None, 1)
    assert (await api.call("POST", f"{path}/replay"))[0] == 409
    await (await station.worker()).drain()
    again = await api.get(path)
    assert (again["state"], again["dead_letter_id"] != refused["dead_letter_id"]) == ("refused", True)


async def test_only_what_was_given_up_can_be_replayed(api: Api, story: Story) -> None:
    status, problem = await api.call("POST", f"/v1/events/{story.applied[0].webhook_id}/replay")

    assert (status, problem["code"]) == (409, "conflict")
    assert "is applied" in problem["detail"]


async def test_a_held_event_that_waits_in_vain_is_given_up_and_can_be_replayed(
    api: Api, station: Station, story: Story
) -> None:
    path = f"/v1/events/{story.held.webhook_id}"

    status, buried = await api.call("POST", f"{path}/bury", {"reason": "sent by mistake"})

    assert (status, buried["state"], buried["reason"]) == (200, "dead_letter", "sent by mistake")
    assert await api.listed("/v1/events?state=held", "webhook_id") == []
    assert await api.listed("/v1/events?state=dead_letter", "webhook_id") == [story.held.webhook_id]
    assert (await api.call("POST", f"{path}/bury", {"reason": "again"}))[0] == 409

    await station.play(LoanSystem(sent=20).settle("R9", principal=1))
    assert (await api.get(path))["state"] == "dead_letter"
    assert (await api.call("POST", f"{path}/replay"))[0] == 202
    await (await station.worker()).drain()
    assert (await api.get(path))["state"] == "applied"


async def test_only_a_held_event_can_be_given_up(api: Api, story: Story) -> None:
    for event, state in ((story.applied[0], "applied"), (story.refused, "refused"), (story.queued, "queued")):
        status, problem = await api.call("POST", f"/v1/events/{event.webhook_id}/bury", {"reason": "enough"})
        assert (status, f"is {state}" in problem["detail"]) == (409, True)
    assert (await api.call("POST", "/v1/events/nobody/bury", {"reason": "enough"}))[0] == 404
    assert (await api.call("POST", f"/v1/events/{story.held.webhook_id}/bury", {}))[0] == 400


async def test_a_refused_event_is_corrected_and_the_correction_takes_effect(
    api: Api, station: Station, story: Story
) -> None:
    path = f"/v1/events/{story.refused.webhook_id}"
    letter = (await api.get(path))["dead_letter_id"]
    corrected = LoanSystem().settle("R3", principal=1)

    status, queued = await api.post_bytes(f"{path}/correct", corrected.body)

    identity = f"{story.refused.webhook_id}.correction-1"
    assert (status, queued["webhook_id"], queued["state"], len(api.nudges)) == (202, identity, "queued", 1)
    assert (queued["corrects"], queued["corrected_by"]) == (story.refused.webhook_id, None)
    await (await station.worker()).drain()
    event = await api.get(path)
    assert (event["state"], event["corrected_by"], event["dead_letter_id"]) == ("corrected", identity, None)
    assert event["field"].startswith("data.")
    assert event["body"].encode() == story.refused.body
    correction = await api.get(f"/v1/events/{identity}")
    assert (correction["state"], correction["body"].encode()) == ("applied", corrected.body)
    assert await api.listed("/v1/events?state=corrected", "webhook_id") == [story.refused.webhook_id]
    assert await api.listed("/v1/events?state=refused", "webhook_id") == []
    assert await api.listed("/v1/dead-letters", "dead_letter_id") == []
    assert (await api.get(f"/v1/dead-letters/{letter}"))["replayed_job_id"]


async def test_the_same_correction_twice_changes_nothing_and_another_is_refused(api: Api, story: Story) -> None:
    path = f"/v1/events/{story.refused.webhook_id}/correct"
    loan = LoanSystem()
    body = loan.settle("R3", principal=1).body
    first = await api.post_bytes(path, body)

    again = await api.post_bytes(path, body)
    other_status, problem = await api.post_bytes(path, loan.settle("R3", principal=2).body)

    assert (first[0], again) == (202, (200, first[1]))
    assert (other_status, problem["code"]) == (409, "conflict")
    assert problem["detail"].endswith(f"by {story.refused.webhook_id}.correction-1")
    assert len(api.nudges) == 1
    assert (await api.call("POST", f"/v1/events/{story.refused.webhook_id}/replay"))[0] == 409


async def test_two_people_who_send_one_correction_at_once_correct_once(api: Api, story: Story) -> None:
    path = f"/v1/events/{story.refused.webhook_id}/correct"
    body = LoanSystem().settle("R3", principal=1).body

    answers = await asyncio.gather(*(api.post_bytes(path, body) for _ in range(5)))

    assert sorted(status for status, _ in answers) == [200, 200, 200, 200, 202]


async def test_a_correction_that_is_wrong_too_is_corrected_itself(api: Api, station: Station, story: Story) -> None:
    identity = story.refused.webhook_id
    for n in (1, 2):
        status, _ = await api.post_bytes(f"/v1/events/{identity}/correct", story.refused.body)
        await (await station.worker()).drain()
        assert status == 202
        identity = f"{story.refused.webhook_id}.correction-{n}"

    event = await api.get(f"/v1/events/{identity}")

    assert (event["state"], event["corrects"]) == ("refused", f"{story.refused.webhook_id}.correction-1")


async def test_a_correction_is_read_as_a_webhook_is(api: Api, story: Story) -> None:
    path = f"/v1/events/{story.refused.webhook_id}/correct"
    elsewhere = LoanSystem(loan_id="L2").settle("R3", principal=1)
    capital = LoanSystem().tell("capital.contributed", investor_id="I1", amount=100)

    for body, status, field in (
        (b"{", 400, "body"),
        (story.refused.body.replace(b"0.01", b"0.001"), 422, "data.principal"),
        (elsewhere.body, 422, "data.loan_id"),
        (capital.body, 422, "data.loan_id"),
    ):
        answered, problem = await api.post_bytes(path, body)
        assert (answered, problem["errors"][0]["field"]) == (status, field)

    assert (await api.get(f"/v1/events/{story.refused.webhook_id}"))["state"] == "refused"


async def test_only_what_was_given_up_can_be_corrected(api: Api, story: Story) -> None:
    for event, state in ((story.applied[0], "applied"), (story.held, "held"), (story.queued, "queued")):
        status, problem = await api.post_bytes(f"/v1/events/{event.webhook_id}/correct", event.body)
        assert (status, f"is {state}" in problem["detail"]) == (409, True)
    assert (await api.post_bytes("/v1/events/nobody/correct", story.queued.body))[0] == 404
    assert (await api.call("POST", f"/v1/events/{story.refused.webhook_id}/correct", {}, token="wrong"))[0] == 401


async def test_an_event_whose_job_was_given_up_is_a_dead_letter(api: Api, station: Station) -> None:
    told = LoanSystem().create()
    await station.receive(told)
    (job_id,) = await api.listed("/v1/jobs", "job_id")
    async with station.database.transaction() as connection:
        await jobs_store.bury_job(connection, job_id, "exhausted", "the ledger could not be written")

    event = await api.get(f"/v1/events/{told.webhook_id}")

    assert (event["state"], event["reason"]) == ("dead_letter", "the ledger could not be written")
    assert await api.listed("/v1/events?state=dead_letter", "webhook_id") == [told.webhook_id]
    assert (await api.call("POST", f"/v1/events/{told.webhook_id}/replay"))[1]["state"] == "queued"


async def test_a_body_is_shown_to_the_byte(api: Api, station: Station) -> None:
    told = LoanSystem(loan_id="L-ü").create()
    spaced = type(told)(told.webhook_id, told.body.replace(b", ", b" ,\n ") + b"\n")
    await station.play(spaced)

    event = await api.get("/v1/events/msg_L-%C3%BC_1")

    assert event["body"].encode() == spaced.body
    assert json.loads(event["body"])["data"]["loan_id"] == "L-ü"
