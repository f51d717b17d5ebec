"""``/v1`` of the writeback: a connection's mapping, and what a person decides about a saga."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from aiohttp import web

from worker.bearer import require_bearer
from worker.errors import Rejected
from worker.inbox.body import read_body
from worker.strict_json import decode_object
from worker.writeback.configure.request import read_mapping_request, request_document
from worker.writeback.configure.service import MappingService, Place
from worker.writeback.configure.store import StoredMapping
from worker.writeback.mapping import MappingState
from worker.writeback.operator import Operator
from worker.writeback.shapes import MappingObject, SagaAbandoned, SagaRuns

MAPPING_PATH: Final = "/v1/companies/{company_id}/connections/{connection_id}/mapping"

MAX_REASON: Final = 500
"""Characters of a person's reason: a few sentences."""


def add_routes(app: web.Application, mappings: MappingService, operator: Operator, tokens: Sequence[str]) -> None:
    """Adds the paths; :func:`~worker.problems.problem_middleware` must be among the application's middlewares."""
    api = _Api(mappings, operator, tokens)
    app.router.add_get(MAPPING_PATH, api.get_mapping)
    app.router.add_put(MAPPING_PATH, api.put_mapping)
    app.router.add_post("/v1/sagas/{saga_id}/retry", api.retry)
    app.router.add_post("/v1/sagas/{saga_id}/adopt", api.adopt)
    app.router.add_post("/v1/sagas/{saga_id}/bury", api.bury)


class _Api:
    def __init__(self, mappings: MappingService, operator: Operator, tokens: Sequence[str]) -> None:
        self._mappings = mappings
        self._operator = operator
        self._tokens = tokens

    async def get_mapping(self, request: web.Request) -> web.Response:
        require_bearer(request.headers.get("Authorization"), self._tokens)
        return _answer(200, mapping_document(await self._mappings.current(_place(request))))

    async def put_mapping(self, request: web.Request) -> web.Response:
        require_bearer(request.headers.get("Authorization"), self._tokens)
        place = _place(request)
        wanted = read_mapping_request(decode_object(await read_body(request)))
        mapping = await self._mappings.put(place, wanted)
        return _answer(200 if mapping.state is MappingState.READY else 202, mapping_document(mapping))

    async def retry(self, request: web.Request) -> web.Response:
        require_bearer(request.headers.get("Authorization"), self._tokens)
        await self._operator.retry(_saga_id(request))
        return _runs(_saga_id(request))

    async def adopt(self, request: web.Request) -> web.Response:
        require_bearer(request.headers.get("Authorization"), self._tokens)
        record_id = _text(decode_object(await read_body(request)), "record_id")
        await self._operator.adopt(_saga_id(request), record_id)
        return _runs(_saga_id(request))

    async def bury(self, request: web.Request) -> web.Response:
        require_bearer(request.headers.get("Authorization"), self._tokens)
        document = decode_object(await read_body(request))
        reason = _text(document, "reason")
        await self._operator.abandon(_saga_id(request), reason, absent=_flag(document, "absent"))
        abandoned: SagaAbandoned = {"saga_id": _saga_id(request), "state": "abandoned", "reason": reason}
        return _answer(200, abandoned)


def mapping_document(mapping: StoredMapping) -> MappingObject:
    """A mapping as ``/v1`` shows it: what was asked for, and the ids it has come to."""
    return {
        "company_id": str(mapping.company_id),
        "connection_id": str(mapping.connection_id),
        "version": mapping.version,
        "state": mapping.state,
        "reason": mapping.reason,
        "created_at": mapping.created_at.isoformat(),
        "requested": request_document(mapping.request),
        "lender_account_id": mapping.lender_account_id,
        "lender_feed_id": mapping.lender_feed_id,
        "feed_connection_id": str(mapping.feed_connection_id),
        "borrower_account_id": mapping.borrower_account_id,
        "expense_account_id": mapping.expense_account_id,
        "supplier_id": mapping.supplier_id,
    }


def _place(request: web.Request) -> Place:
    return Place(_uuid(request, "company_id"), _uuid(request, "connection_id"))


def _uuid(request: web.Request, name: str) -> UUID:
    try:
        return UUID(request.match_info[name])
    except ValueError:
        raise Rejected(404, f"{name} in the path is not a UUID", code="not_found") from None


def _saga_id(request: web.Request) -> int:
    text = request.match_info["saga_id"]
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Rejected(404, f"there is no saga {text}", code="not_found")
    return int(text)


def _text(document: dict[str, object], name: str) -> str:
    value = document.get(name)
    if type(value) is not str or not 1 <= len(value.strip()) <= MAX_REASON or not value.isprintable():
        raise Rejected(400, f"is required: a printable text of 1 to {MAX_REASON} characters", field=name)
    return value.strip()


def _flag(document: dict[str, object], name: str) -> bool:
    value = document.get(name, False)
    if not isinstance(value, bool):
        raise Rejected(400, "must be true or false", field=name)
    return value


def _runs(saga_id: int) -> web.Response:
    runs: SagaRuns = {"saga_id": saga_id, "state": "running"}
    return _answer(202, runs)


def _answer(status: int, document: MappingObject | SagaRuns | SagaAbandoned) -> web.Response:
    return web.Response(status=status, text=json.dumps(document), content_type="application/json")
