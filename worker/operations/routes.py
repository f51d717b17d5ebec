"""``/v1`` of the operations: lists, details, and what a person decides. Every answer is a document of the reader's."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import TypeAlias

from aiohttp import web

from worker.bearer import require_bearer
from worker.errors import Rejected
from worker.inbox.body import read_body
from worker.operations.control import Control
from worker.operations.documents import Document
from worker.operations.reader import Reader
from worker.operations.request import PAGING, Parameters, read_id, read_name, read_text, require_period
from worker.operations.views import (
    DeadLetterFilter,
    EventFilter,
    EventState,
    JobCondition,
    JobFilter,
    Party,
    SagaFilter,
)
from worker.strict_json import decode_object
from worker.writeback.situation import SagaState, WaitingFor

Answer: TypeAlias = Callable[[web.Request], Awaitable[Document]]


def add_routes(app: web.Application, reader: Reader, control: Control, tokens: Sequence[str]) -> None:
    """Adds the paths; :func:`~worker.problems.problem_middleware` must be among the application's middlewares."""
    read, write = _Reads(reader), _Writes(control)
    for path, answer in (
        ("/v1/events", read.events),
        ("/v1/events/{webhook_id}", read.event),
        ("/v1/loans", read.loans),
        ("/v1/loans/{loan_id}", read.loan),
        ("/v1/sagas", read.sagas),
        ("/v1/sagas/{saga_id}", read.saga),
        ("/v1/jobs", read.jobs),
        ("/v1/jobs/{job_id}", read.job),
        ("/v1/dead-letters", read.dead_letters),
        ("/v1/dead-letters/{dead_letter_id}", read.dead_letter),
        ("/v1/ledger/trial-balance", read.trial_balance),
        ("/v1/ledger/accounts/{external_id}/statement", read.statement),
        ("/v1/ledger/loans/{loan_id}/statement", read.loan_statement),
        ("/v1/ledger/investors/{investor_id}/statement", read.investor_statement),
    ):
        app.router.add_get(path, _answering(answer, tokens, 200))
    for path, answer in (
        ("/v1/events/{webhook_id}/replay", write.replay_event),
        ("/v1/jobs/{job_id}/retry", write.retry_job),
        ("/v1/dead-letters/{dead_letter_id}/replay", write.replay_dead_letter),
    ):
        app.router.add_post(path, _answering(answer, tokens, 202))
    app.router.add_post("/v1/events/{webhook_id}/correct", _correcting(control, tokens))
    for path, answer in (
        ("/v1/events/{webhook_id}/bury", write.bury_event),
        ("/v1/jobs/{job_id}/bury", write.bury_job),
    ):
        app.router.add_post(path, _answering(answer, tokens, 200))


class _Reads:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def events(self, request: web.Request) -> Document:
        asked = Parameters(request.query.items(), "loan_id", "state", *PAGING)
        which = EventFilter(asked.text("loan_id"), asked.choice("state", EventState))
        return await self._reader.list_events(which, asked.page())

    async def event(self, request: web.Request) -> Document:
        return await self._reader.show_event(_webhook_id(request))

    async def loans(self, request: web.Request) -> Document:
        return await self._reader.list_loans(Parameters(request.query.items(), *PAGING).page_of_names())

    async def loan(self, request: web.Request) -> Document:
        return await self._reader.show_loan(read_name(request.match_info["loan_id"], "loan"))

    async def sagas(self, request: web.Request) -> Document:
        asked = Parameters(request.query.items(), "loan_id", "state", "waiting_for", *PAGING)
        state, waiting_for = asked.choice("state", SagaState), asked.choice("waiting_for", WaitingFor)
        return await self._reader.list_sagas(SagaFilter(asked.text("loan_id"), state, waiting_for), asked.page())

    async def saga(self, request: web.Request) -> Document:
        return await self._reader.show_saga(read_id(request.match_info["saga_id"], "saga"))

    async def jobs(self, request: web.Request) -> Document:
        asked = Parameters(request.query.items(), "kind", "state", *PAGING)
        which = JobFilter(asked.text("kind"), asked.choice("state", JobCondition))
        return await self._reader.list_jobs(which, asked.page())

    async def job(self, request: web.Request) -> Document:
        return await self._reader.show_job(_job_id(request))

    async def dead_letters(self, request: web.Request) -> Document:
        asked = Parameters(request.query.items(), "kind", "loan_id", *PAGING)
        which = DeadLetterFilter(asked.text("kind"), asked.text("loan_id"))
        return await self._reader.list_dead_letters(which, asked.page())

    async def dead_letter(self, request: web.Request) -> Document:
        return await self._reader.show_dead_letter(_dead_letter_id(request))

    async def trial_balance(self, request: web.Request) -> Document:
        asked = Parameters(request.query.items(), "as_of", "loan_id", "investor_id")
        loan_id, investor_id = asked.text("loan_id"), asked.text("investor_id")
        if loan_id and investor_id:
            raise Rejected(400, "excludes loan_id: ask about one of them", field="investor_id")
        party = Party.loan(loan_id) if loan_id else Party.investor(investor_id) if investor_id else None
        return await self._reader.trial_balance(asked.day("as_of"), party)

    async def statement(self, request: web.Request) -> Document:
        account = read_name(request.match_info["external_id"], "ledger account")
        return await self._reader.statement(account, *_period(request))

    async def loan_statement(self, request: web.Request) -> Document:
        party = Party.loan(read_name(request.match_info["loan_id"], "loan"))
        return await self._reader.party_statements(party, *_period(request))

    async def investor_statement(self, request: web.Request) -> Document:
        party = Party.investor(read_name(request.match_info["investor_id"], "investor"))
        return await self._reader.party_statements(party, *_period(request))


class _Writes:
    def __init__(self, control: Control) -> None:
        self._control = control

    async def replay_event(self, request: web.Request) -> Document:
        return await self._control.replay_event(_webhook_id(request))

    async def bury_event(self, request: web.Request) -> Document:
        return await self._control.bury_event(_webhook_id(request), await _reason(request))

    async def retry_job(self, request: web.Request) -> Document:
        return await self._control.retry_job(_job_id(request))

    async def bury_job(self, request: web.Request) -> Document:
        return await self._control.bury_job(_job_id(request), await _reason(request))

    async def replay_dead_letter(self, request: web.Request) -> Document:
        return await self._control.replay_dead_letter(_dead_letter_id(request))


def _answering(answer: Answer, tokens: Sequence[str], status: int) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        require_bearer(request.headers.get("Authorization"), tokens)
        return _json(await answer(request), status)

    return handle


def _correcting(control: Control, tokens: Sequence[str]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        require_bearer(request.headers.get("Authorization"), tokens)
        correction = await control.correct_event(_webhook_id(request), await read_body(request))
        return _json(correction.event, 200 if correction.repeated else 202)

    return handle


def _json(document: Document, status: int) -> web.Response:
    return web.Response(status=status, text=json.dumps(document), content_type="application/json")


def _period(request: web.Request) -> tuple[date, date]:
    asked = Parameters(request.query.items(), "from", "to")
    first, last = asked.required_day("from"), asked.required_day("to")
    require_period(first, last)
    return first, last


async def _reason(request: web.Request) -> str:
    return read_text(decode_object(await read_body(request)).get("reason"), "reason")


def _webhook_id(request: web.Request) -> str:
    return read_name(request.match_info["webhook_id"], "event")


def _job_id(request: web.Request) -> int:
    return read_id(request.match_info["job_id"], "unfinished job")


def _dead_letter_id(request: web.Request) -> int:
    return read_id(request.match_info["dead_letter_id"], "dead letter")
