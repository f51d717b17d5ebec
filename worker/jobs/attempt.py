"""One handler call: whatever the handler does, every job of the claim gets an outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeAlias

import structlog

from worker.errors import DatabaseUnavailable, unforeseen
from worker.jobs.job import (
    UNAVAILABLE_BACKOFF,
    Bury,
    Claim,
    Done,
    HandBack,
    Outcome,
    Park,
    Registration,
    Retry,
    Settled,
    Snooze,
)
from worker.telemetry import about

Result: TypeAlias = Outcome | HandBack
"""What became of one attempt."""

_log = structlog.get_logger(__name__)


async def attempt(registration: Registration, claim: Claim) -> Sequence[Result]:
    """Call the handler and return one result for each job of the claim.

    A raised exception, a call that takes too long and an answer that makes no sense are failures of all of its jobs.
    A database that is away is nobody's failure. Only being cancelled from outside goes through.
    """
    try:
        async with asyncio.timeout(registration.time_limit.total_seconds()) as limit:
            outcomes = await _handle(registration, claim)
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        return _failed(claim, "the handler cancelled itself")
    except DatabaseUnavailable:
        return [HandBack(UNAVAILABLE_BACKOFF)] * len(claim.jobs)
    except Exception as error:  # noqa: BLE001 - handlers are other people's code: nothing they raise may stop the queue
        if isinstance(error, TimeoutError) and limit.expired():
            return _failed(claim, f"gave no answer within {registration.time_limit.total_seconds():g} s")
        _log.exception("job_failed", kind=registration.kind, job_ids=_ids(claim))
        return _failed(claim, unforeseen(error, "job_failed"))
    return outcomes if _makes_sense(outcomes, claim) else _failed(claim, "the handler answered no outcome for each job")


async def _handle(registration: Registration, claim: Claim) -> Sequence[Outcome]:
    if len(claim.jobs) > 1:  # a batch speaks of each of its jobs itself
        return await registration.handler(claim)
    with about(job_id=claim.jobs[0].id):
        return await registration.handler(claim)


def _failed(claim: Claim, error: str) -> list[Result]:
    return [Retry(error)] * len(claim.jobs)


def _ids(claim: Claim) -> list[int]:
    return [job.id for job in claim.jobs]


def _makes_sense(outcomes: object, claim: Claim) -> bool:
    return (
        isinstance(outcomes, list | tuple)
        and len(outcomes) == len(claim.jobs)
        and all(isinstance(outcome, Done | Settled | Snooze | Park | Retry | Bury) for outcome in outcomes)
    )
