"""``/v1/events``, ``/v1/loans``, ``/v1/sagas``, ``/v1/jobs`` and ``/v1/dead-letters``: read, replay, bury."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

from aiohttp import web

from worker.bearer import require_bearer
from worker.console_api import store
from worker.console_api.documents import document
from worker.console_api.store import Page
from worker.database import Connection, Database
from worker.errors import Rejected
from worker.inbox.messages import APPLY_EVENT, CODAT_WEBHOOK
from worker.jobs import store as jobs_store
from worker.jobs.store import JobState
from worker.strict_json import decode_object

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
"""Rows of one page: what a person scrolls, and small enough to stay one quick query."""

MAX_REASON: Final = 500
"""Characters of a person's reason: a few sentences."""

MAX_ID_DIGITS: Final = 18
"""Digits of the largest row number PostgreSQL counts to, rounded down."""

PERSON: Final = "person"
"""Reason class of a job that a person buried."""

Read = Callable[[Connection, web.Request], Awaitable[object]]


def add_routes(app: web.Application, database: Database, tokens: Sequence[str], nudge: Callable[[], None]) -> None:
    """Adds the paths. ``nudge`` tells idle workers that there is something to do."""
    api = _Api(database, tokens, nudge)
    for path, read in (
        ("/v1/events", _events),
        ("/v1/events/{id}", _event),
        ("/v1/loans", _loans),
        ("/v1/loans/{loan_id}", _loan),
        ("/v1/sagas", _sagas),
        ("/v1/sagas/{id}", _saga),
        ("/v1/jobs", _jobs),
        ("/v1/jobs/{id}", _job),
        ("/v1/dead-letters", _dead_letters),
        ("/v1/dead-letters/{id}", _dead_letter),
    ):
        app.router.add_get(path, api.answering(read))
    for path, write in (
        ("/v1/events/{id}/replay", _replay_event),
        ("/v1/jobs/{id}/retry", _retry_job),
        ("/v1/jobs/{id}/bury", _bury_job),
        ("/v1/dead-letters/{id}/replay", _replay),
    ):
        app.router.add_post(path, api.answering(write))


class _Api:
    def __init__(self, database: Database, tokens: Sequence[str], nudge: Callable[[], None]) -> None:
        self._database = database
        self._tokens = tokens
        self._nudge = nudge

    def answering(self, respond: Read) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A handler: the token first, then one transaction, then the hint."""

        async def handle(request: web.Request) -> web.Response:
            require_bearer(request.headers.get("Authorization"), self._tokens)
            await request.read()  # before the transaction: a slow sender must not hold a connection
            async with self._database.transaction() as connection:
                answer = await respond(connection, request)
            if request.method == "POST":
                self._nudge()
            return web.Response(text=json.dumps(answer), content_type="application/json")

        return handle


async def _events(connection: Connection, request: web.Request) -> object:
    found = await store.list_events(
        connection,
        _page(request),
        loan_id=request.query.get("loan_id"),
        event_type=request.query.get("type"),
        state=request.query.get("state"),
    )
    return _listed(found, "id")


async def _event(connection: Connection, request: web.Request) -> object:
    return _found(await store.get_event(connection, _id(request)), "event")


async def _loans(connection: Connection, request: web.Request) -> object:
    return _listed(await store.list_loans(connection, _page(request, numbered=False)), "loan_id")


async def _loan(connection: Connection, request: web.Request) -> object:
    return _found(await store.get_loan(connection, request.match_info["loan_id"]), "loan")


async def _sagas(connection: Connection, request: web.Request) -> object:
    found = await store.list_sagas(
        connection,
        _page(request),
        loan_id=request.query.get("loan_id"),
        state=request.query.get("state"),
        waiting_for=request.query.get("waiting_for"),
    )
    return _listed(found, "id")


async def _saga(connection: Connection, request: web.Request) -> object:
    return _found(await store.get_saga(connection, _id(request)), "saga")


async def _jobs(connection: Connection, request: web.Request) -> object:
    page = _page(request)
    jobs = await jobs_store.list_jobs(
        connection, kind=request.query.get("kind"), after=page.before_id or 0, limit=page.limit
    )
    return _listed([_job_document(job) for job in jobs], "id")


async def _job(connection: Connection, request: web.Request) -> object:
    job = await jobs_store.get_job(connection, _id(request))
    if job is None:
        raise _missing("job")
    attempts = await jobs_store.list_attempts(connection, job.id)
    return _job_document(job) | {"attempts": [document(asdict(attempt)) for attempt in attempts]}


async def _dead_letters(connection: Connection, request: web.Request) -> object:
    page = _page(request)
    letters = await jobs_store.list_dead_letters(
        connection,
        reason_class=request.query.get("reason_class"),
        after=page.before_id or 0,
        limit=page.limit,
    )
    return _listed([document(asdict(letter)) for letter in letters], "id")


async def _dead_letter(connection: Connection, request: web.Request) -> object:
    letter = await jobs_store.get_dead_letter(connection, _id(request))
    if letter is None:
        raise _missing("dead letter")
    attempts = await jobs_store.list_attempts(connection, letter.job_id)
    return document(asdict(letter)) | {"attempts": [document(asdict(attempt)) for attempt in attempts]}


async def _replay_event(connection: Connection, request: web.Request) -> object:
    letters = await store.dead_letters_of(connection, (APPLY_EVENT, CODAT_WEBHOOK), _id(request))
    if not letters:
        raise Rejected(409, "this event is no dead letter: there is nothing to replay", code="conflict")
    return {"job_ids": [await jobs_store.replay_dead_letter(connection, letter) for letter in letters]}


async def _replay(connection: Connection, request: web.Request) -> object:
    job_id = await jobs_store.replay_dead_letter(connection, _id(request))
    if job_id is None:
        raise _missing("dead letter")
    return {"job_id": job_id}


async def _retry_job(connection: Connection, request: web.Request) -> object:
    if not await jobs_store.retry_job(connection, _id(request)):
        raise Rejected(409, "the job is not waiting: it runs, is done or never was", code="conflict")
    return {"job_id": _id(request), "state": "ready"}


async def _bury_job(connection: Connection, request: web.Request) -> object:
    reason = decode_object(await request.read()).get("reason")
    if type(reason) is not str or not 1 <= len(reason.strip()) <= MAX_REASON:
        raise Rejected(400, f"is required: a text of 1 to {MAX_REASON} characters", field="reason")
    if not await jobs_store.bury_job(connection, _id(request), PERSON, reason.strip()):
        raise Rejected(409, "the job is running, done or never was", code="conflict")
    return {"job_id": _id(request), "state": "buried", "reason": reason.strip()}


def _job_document(job: jobs_store.StoredJob) -> dict[str, Any]:
    return document(asdict(job)) | {"state": JobState(job.state).name.lower()}


def _listed(items: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """A page, and the ``cursor`` that continues it."""
    return {"items": items, "next": str(items[-1][key]) if items else None}


def _found(item: dict[str, Any] | None, noun: str) -> dict[str, Any]:
    if item is None:
        raise _missing(noun)
    return item


def _missing(noun: str) -> Rejected:
    return Rejected(404, f"there is no such {noun}", code="not_found")


def _page(request: web.Request, *, numbered: bool = True) -> Page:
    limit = _number(request.query.get("limit", str(DEFAULT_LIMIT)), "limit")
    if not 1 <= limit <= MAX_LIMIT:
        raise Rejected(400, f"must be from 1 to {MAX_LIMIT}", field="limit")
    cursor = request.query.get("cursor")
    if cursor is not None and numbered:
        _number(cursor, "cursor")
    return Page(cursor, limit)


def _id(request: web.Request) -> int:
    text = request.match_info["id"]
    if not text.isascii() or not text.isdigit() or len(text) > MAX_ID_DIGITS:
        raise Rejected(404, f"there is nothing numbered {text}", code="not_found")
    return int(text)


def _number(text: str, field: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > MAX_ID_DIGITS:
        raise Rejected(400, "must be a whole number", field=field)
    return int(text)
