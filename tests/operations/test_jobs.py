"""Unfinished and given-up work under ``/v1/jobs`` and ``/v1/dead-letters``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.loans.events import LoanSystem
from tests.loans.station import Station
from tests.operations.conftest import Api, Story
from worker.inbox.body import MAX_BODY_BYTES


async def jobs_by_event(api: Api) -> dict[str, Any]:
    """Unfinished jobs of loan events."""
    return {job["event_id"]: job for job in (await api.get("/v1/jobs?kind=apply_event"))["data"]}


async def test_a_job_names_what_it_is_about_and_what_it_is_behind(api: Api, station: Station) -> None:
    loan = LoanSystem()
    first, second = loan.create(), loan.settle("R1", principal=100)
    await station.receive(first, second)

    jobs = await jobs_by_event(api)

    head, follower = jobs[first.webhook_id], jobs[second.webhook_id]
    assert (head["state"], head["loan_id"], head["blocked_by"]) == ("ready", "L1", None)
    assert (follower["state"], follower["blocked_by"]) == ("blocked", head["job_id"])
    assert await api.listed("/v1/jobs?state=blocked", "job_id") == [follower["job_id"]]


async def test_the_jobs_of_sagas_name_their_saga_and_event(api: Api, story: Story) -> None:
    newest, oldest = (await api.get("/v1/jobs?kind=advance_saga"))["data"]

    sagas = await api.listed("/v1/sagas", "saga_id")
    assert [newest["saga_id"], oldest["saga_id"]] == sagas
    assert (oldest["event_id"], oldest["loan_id"]) == (story.applied[1].webhook_id, "L1")


async def test_a_running_job_names_its_worker_and_can_be_neither_retried_nor_buried(api: Api, station: Station) -> None:
    await station.receive(LoanSystem().create())
    claim = await (await station.worker()).claim()
    job = await api.get(f"/v1/jobs/{claim.jobs[0].id}")
    assert (job["state"], job["worker"]) == ("running", "test")

    for action in ("retry", "bury"):
        status, problem = await api.call("POST", f"/v1/jobs/{job['job_id']}/{action}", {"reason": "enough"})
        assert (status, "is running" in problem["detail"]) == (409, True)
    assert api.nudges == []


async def test_a_waiting_job_is_made_to_run_now(api: Api, station: Station) -> None:
    await station.receive(LoanSystem().create())
    (job_id,) = await api.listed("/v1/jobs", "job_id")
    async with station.database.connection() as connection:
        await connection.execute("update jobs set state = 3, run_at = 'infinity', reason = 'parked by the test'")
    assert (await api.get(f"/v1/jobs/{job_id}"))["state"] == "parked"

    status, job = await api.call("POST", f"/v1/jobs/{job_id}/retry")

    assert (status, job["state"], len(api.nudges)) == (202, "ready", 1)
    await (await station.worker()).drain()
    assert (await api.call("GET", f"/v1/jobs/{job_id}"))[0] == 404


async def test_a_buried_job_is_a_dead_letter_with_its_reason_and_its_lane_goes_on(api: Api, station: Station) -> None:
    loan = LoanSystem()
    first, second = loan.create(), loan.create()
    await station.receive(first, second)
    job_id = (await jobs_by_event(api))[first.webhook_id]["job_id"]

    status, letter = await api.call("POST", f"/v1/jobs/{job_id}/bury", {"reason": " sent by mistake "})

    assert (status, letter["reason_class"], letter["reason"]) == (200, "buried_by_person", "sent by mistake")
    assert (letter["event_id"], letter["replayed_at"]) == (first.webhook_id, None)
    assert [attempt["outcome"] for attempt in letter["attempts"]] == ["buried"]
    assert (await jobs_by_event(api))[second.webhook_id]["state"] == "ready"


async def test_the_job_of_a_saga_is_not_buried_behind_the_sagas_back(api: Api, story: Story) -> None:
    (job, *_) = (await api.get("/v1/jobs?kind=advance_saga"))["data"]

    status, problem = await api.call("POST", f"/v1/jobs/{job['job_id']}/bury", {"reason": "enough"})

    assert (status, problem["detail"]) == (
        409,
        f"job {job['job_id']} drives saga {job['saga_id']}: bury the saga instead",
    )


@pytest.mark.parametrize("reason", [None, "", " ", "x" * 501, "two\nlines", 7])
async def test_a_burial_needs_a_short_reason(api: Api, station: Station, reason: object) -> None:
    status, problem = await api.call("POST", "/v1/jobs/1/bury", {"reason": reason})

    assert (status, problem["errors"][0]["field"]) == (400, "reason")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"no archive", {"Content_Encoding": "gzip"}, 415),
        (b'{"reason": "' + b"a" * MAX_BODY_BYTES + b'"}', {}, 413),
        (b"[" * 100_000, {}, 400),
        (b"\xff", {}, 400),
    ],
)
async def test_a_hostile_body_is_refused(api: Api, body: bytes, headers: dict[str, str], status: int) -> None:
    answered, problem = await api.post_bytes("/v1/jobs/1/bury", body, **headers)

    assert (answered, problem["status"]) == (status, status)


async def test_a_dead_letter_is_replayed_once_and_keeps_its_history(api: Api, station: Station, story: Story) -> None:
    (letter_id,) = await api.listed("/v1/dead-letters", "dead_letter_id")
    letter = await api.get(f"/v1/dead-letters/{letter_id}")
    assert (letter["event_id"], letter["reason_class"]) == (story.refused.webhook_id, "impossible_event")

    status, replayed = await api.call("POST", f"/v1/dead-letters/{letter_id}/replay")

    assert (status, replayed["replayed_at"] is not None) == (202, True)
    job = await api.get(f"/v1/jobs/{replayed['replayed_job_id']}")
    assert [attempt["job_id"] for attempt in job["attempts"]] == [letter["job_id"]]
    assert await api.listed("/v1/dead-letters", "dead_letter_id") == []
    assert (await api.call("POST", f"/v1/dead-letters/{letter_id}/replay"))[0] == 409


async def test_dead_letters_are_found_by_kind_and_loan(api: Api, story: Story) -> None:
    (letter_id,) = await api.listed("/v1/dead-letters?kind=apply_event&loan_id=L1", "dead_letter_id")

    assert await api.listed("/v1/dead-letters?kind=advance_saga", "dead_letter_id") == []
    assert await api.listed("/v1/dead-letters?loan_id=L2", "dead_letter_id") == []
    assert await api.listed(f"/v1/dead-letters?after={letter_id}", "dead_letter_id") == []
