"""Counting and timing what the stations do, from outside: they know nothing of metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Final

import aiohttp
from prometheus_client import Counter, Histogram

from worker.codat.operation import operation_name as codat_operation
from worker.inbox.routes import Observe, Reception
from worker.jobs.job import Claim, Done, Outcome, Registration, Settled
from worker.loans.events import EVENT_TYPES
from worker.metrics import Metrics
from worker.treasury.operation import operation_name as treasury_operation

OTHER: Final = "other"
"""Label of a webhook type that is not ours: labels take no foreign text."""

NO_ANSWER: Final = "none"
"""Status label of a request that got no answer."""


def observed_webhooks(metrics: Metrics) -> Observe:
    """Counts every delivery and times its answer."""

    def observe(reception: Reception) -> None:
        known = reception.type in EVENT_TYPES or reception.type == "unknown"
        kind = reception.type if known else OTHER
        metrics.webhooks_received.labels(reception.source.value, kind, reception.outcome).inc()
        metrics.webhook_ack.observe(reception.seconds)

    return observe


def observed_jobs(
    registration: Registration, metrics: Metrics, clock: Callable[[], datetime], lag: Histogram | None = None
) -> Registration:
    """The same registration, its handler counted and timed.

    ``lag`` measures the time from a job's creation to its successful end, if that means something for the kind.
    """

    async def handle(claim: Claim) -> Sequence[Outcome]:
        started = time.perf_counter()
        outcomes = await registration.handler(claim)
        metrics.job_duration.labels(registration.kind).observe(time.perf_counter() - started)
        now = clock()
        for job, outcome in zip(claim.jobs, outcomes, strict=True):
            metrics.job_attempts.labels(registration.kind, type(outcome).__name__.lower()).inc()
            if lag and isinstance(outcome, Done | Settled):
                lag.observe((now - job.created_at).total_seconds())
        return outcomes

    return replace(registration, handler=handle)


def observed_codat(metrics: Metrics) -> aiohttp.TraceConfig:
    """Counts and times the requests of an HTTP session to Codat."""
    return _observed(metrics.codat_requests, metrics.codat_request, codat_operation)


def observed_treasury(metrics: Metrics) -> aiohttp.TraceConfig:
    """Counts and times the requests of an HTTP session to Modern Treasury."""
    return _observed(metrics.treasury_requests, metrics.treasury_request, treasury_operation)


def _observed(requests: Counter, durations: Histogram, name: Callable[[str, str], str]) -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()

    async def begin(_: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestStartParams) -> None:
        context.started = time.perf_counter()

    async def end(_: aiohttp.ClientSession, context: SimpleNamespace, told: aiohttp.TraceRequestEndParams) -> None:
        operation = name(told.method, told.url.path)
        requests.labels(operation, str(told.response.status)).inc()
        durations.labels(operation).observe(time.perf_counter() - context.started)

    async def fail(_: aiohttp.ClientSession, __: SimpleNamespace, told: aiohttp.TraceRequestExceptionParams) -> None:
        requests.labels(name(told.method, told.url.path), NO_ANSWER).inc()

    trace.on_request_start.append(begin)
    trace.on_request_end.append(end)
    trace.on_request_exception.append(fail)
    return trace
