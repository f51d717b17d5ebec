"""``/api/bulk_requests`` and ``/api/bulk_results``.

A request is durable when it is answered; a job of the queue then tries its resources in their order. A resource that
fails disturbs no other. Results appear as they come, so that none is ever seen pending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from worker.api import bulk_store as store
from worker.api import events_store
from worker.api.bulk_objects import (
    Action,
    ListedEntityType,
    ListedResourceType,
    RequestStatus,
    RequestType,
    ResourceType,
    ResultStatus,
    encode,
)
from worker.api.bulk_store import NewBulkRequest, RequestFilter, ResultFilter
from worker.api.call import Answer, Call, answer, list_answer
from worker.api.documents import render_bulk_request, render_bulk_result
from worker.api.effects import Effects
from worker.api.reading_store import Listed, require_cursor, snapshot
from worker.api.refusals import invalid, missing, not_found
from worker.api.shapes import BulkRequestObject, BulkResultObject
from worker.database import Connection, Database
from worker.jobs.job import NewJob, lane
from worker.jobs.store import enqueue_jobs

RUN_BULK_REQUEST: Final = "run_bulk_request"
"""The kind of job that tries the resources of a bulk request; its subject is the request's sequence."""

MAX_RESOURCES: Final = 10_000
"""Resources of one request: some seconds of work."""

MAX_BULK_BYTES: Final = 25 * 1024 * 1024
"""Largest bulk request: Modern Treasury's limit of any body. So many transactions of four entries with metadata have
7 MiB; about ten times that is held in memory while they are read."""

READ_AT_ONCE_BYTES: Final = 64 * 1024
"""Bulk requests that are read where they arrive: about a millisecond, no more than a thread would cost."""

REQUEST: Final = "bulk_request"


class BulkRequests:
    """Bulk requests and their results."""

    def __init__(self, database: Database, effects: Effects) -> None:
        self._database = database
        self._effects = effects

    async def list(self, call: Call) -> Answer[Sequence[BulkRequestObject]]:
        """A page of bulk requests."""
        asked = call.query
        which = RequestFilter(
            asked.choice("status", RequestStatus),
            asked.choice("resource_type", ListedResourceType),
            asked.choice("action_type", Action),
            asked.metadata(),
        )
        page = asked.page()
        asked.finish()
        async with snapshot(self._database) as connection:
            requests = await store.list_requests(connection, which, page)
            if not requests:
                await require_cursor(connection, Listed.BULK_REQUESTS, page)
        return list_answer([render_bulk_request(request) for request in requests], page)

    async def create(self, call: Call) -> Answer[BulkRequestObject]:
        """A new bulk request, and the job that is charged with it."""
        # A large one takes a second or two at worst, in which others are answered.
        is_large = len(call.content) > READ_AT_ONCE_BYTES
        new = await asyncio.to_thread(_read_new, call) if is_large else _read_new(call)

        async def effect(connection: Connection) -> Answer[BulkRequestObject]:
            request = await store.insert_request(connection, new)
            document = render_bulk_request(request)
            await events_store.insert_event(connection, REQUEST, "created", request.id, document)
            job = NewJob(RUN_BULK_REQUEST, lane("bulk request", str(request.id)), request.sequence)
            await enqueue_jobs(connection, [job])
            return answer(document, 201)

        return await self._effects.once(call, effect)

    async def retrieve(self, call: Call) -> Answer[BulkRequestObject]:
        """One bulk request."""
        request_id = call.id("Bulk request")
        call.query.finish()
        async with self._database.connection() as connection:
            request = await store.find_request(connection, request_id)
        if request is None:
            raise not_found("Bulk request")
        return answer(render_bulk_request(request))

    async def list_results(self, call: Call) -> Answer[Sequence[BulkResultObject]]:
        """A page of results."""
        asked = call.query
        asked.choice("request_type", RequestType)  # there is only one, so that it tells nothing apart
        which = ResultFilter(
            asked.choice("status", ResultStatus),
            asked.uuid("request_id"),
            asked.choice("entity_type", ListedEntityType),
            asked.uuid("entity_id"),
        )
        page = asked.page()
        asked.finish()
        async with snapshot(self._database) as connection:
            results = await store.list_results(connection, which, page)
            if not results:
                await require_cursor(connection, Listed.BULK_RESULTS, page)
        return list_answer([render_bulk_result(result) for result in results], page)

    async def retrieve_result(self, call: Call) -> Answer[BulkResultObject]:
        """One result."""
        result_id = call.id("Bulk result")
        call.query.finish()
        async with self._database.connection() as connection:
            result = await store.find_result(connection, result_id)
        if result is None:
            raise not_found("Bulk result")
        return answer(render_bulk_result(result))


def _read_new(call: Call) -> NewBulkRequest:
    body = call.body
    action, resource_type = (
        body.required_choice("action_type", Action),
        body.required_choice("resource_type", ResourceType),
    )
    if action is Action.DELETE and resource_type is ResourceType.LEDGER_TRANSACTION:
        raise invalid("action_type", "Ledger transactions are never deleted: archive or reverse them")
    resources = body.required_objects("resources", MAX_RESOURCES)
    if not resources:
        raise missing("resources")
    new = NewBulkRequest(
        action, resource_type, body.metadata(), [encode(resource.take_all()) for resource in resources]
    )
    body.finish()
    return new
