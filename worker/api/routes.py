"""``/api`` in HTTP: credentials, limits and errors of every path, and which resource answers it."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Final, TypeAlias

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from worker.api.accounts import Accounts
from worker.api.bulk import MAX_BULK_BYTES, BulkRequests
from worker.api.call import MAX_KEY_CHARACTERS, PREFIX, Answer, Call, Handler, Route, answer
from worker.api.categories import Categories
from worker.api.credentials import Caller, authenticate
from worker.api.effects import Effects
from worker.api.entries import Entries
from worker.api.events import Events
from worker.api.ledgers import Ledgers
from worker.api.monitors import Monitors
from worker.api.refusals import Code, LastingConflict
from worker.api.settlements import Settlements
from worker.api.shapes import Ping
from worker.api.statements import Statements
from worker.api.transactions import Transactions
from worker.config import LedgerApiKey
from worker.database import Database
from worker.errors import Rejected, Unavailable
from worker.inbox.body import read_body
from worker.problems import RETRY_AFTER_SECONDS

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
"""Largest body of one object: a transaction of 1000 entries that all carry conditions and metadata has 1 MiB."""

LARGER_BODIES: Final = {"/bulk_requests": MAX_BULK_BYTES}
"""Paths whose bodies hold many objects, and their own limits in bytes."""

SHOULD_RETRY: Final = "x-should-retry"
"""Header by which the official client is told whether to send a call again."""

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")

Respond: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CALLER: Final = web.RequestKey("caller", Caller)

log = structlog.get_logger(__name__)


def add_routes(app: web.Application, database: Database, effects: Effects, keys: Sequence[LedgerApiKey]) -> None:
    """Adds everything under ``/api``, with error bodies of its own."""
    api = web.Application(middlewares=[_guarding(keys)])
    for method, path, handler in routes(database, effects):
        limit = LARGER_BODIES.get(path, MAX_BODY_BYTES)
        api.router.add_route(method, path, _answering(handler, effects, limit))
    app.add_subapp(PREFIX, api)


def routes(database: Database, effects: Effects) -> Iterable[Route]:
    """Every method and path below :data:`PREFIX`, and who answers."""
    yield from _routes_of_books(database, effects)
    yield from _routes_of_treasury_objects(database, effects)


def _routes_of_books(database: Database, effects: Effects) -> Iterable[Route]:
    ledgers = Ledgers(database, effects)
    accounts = Accounts(database, effects)
    categories = Categories(database, effects)
    transactions = Transactions(database, effects)
    entries = Entries(database)
    yield "GET", "/ping", ping
    yield "GET", "/ledgers", ledgers.list
    yield "POST", "/ledgers", ledgers.create
    yield "GET", "/ledgers/{id}", ledgers.retrieve
    yield "PATCH", "/ledgers/{id}", ledgers.update
    yield "DELETE", "/ledgers/{id}", ledgers.discard
    yield "GET", "/ledger_accounts", accounts.list
    yield "POST", "/ledger_accounts", accounts.create
    yield "GET", "/ledger_accounts/{id}", accounts.retrieve
    yield "PATCH", "/ledger_accounts/{id}", accounts.update
    yield "DELETE", "/ledger_accounts/{id}", accounts.discard
    yield "GET", "/ledger_account_categories", categories.list
    yield "POST", "/ledger_account_categories", categories.create
    yield "GET", "/ledger_account_categories/{id}", categories.retrieve
    yield "PATCH", "/ledger_account_categories/{id}", categories.update
    yield "DELETE", "/ledger_account_categories/{id}", categories.discard
    yield "PUT", "/ledger_account_categories/{id}/ledger_accounts/{ledger_account_id}", categories.add_account
    yield "DELETE", "/ledger_account_categories/{id}/ledger_accounts/{ledger_account_id}", categories.remove_account
    yield "PUT", "/ledger_account_categories/{id}/ledger_account_categories/{sub_category_id}", categories.add_category
    yield (
        "DELETE",
        "/ledger_account_categories/{id}/ledger_account_categories/{sub_category_id}",
        categories.remove_category,
    )
    yield "GET", "/ledger_transactions", transactions.list
    yield "POST", "/ledger_transactions", transactions.create
    yield "GET", "/ledger_transactions/{id}", transactions.retrieve
    yield "PATCH", "/ledger_transactions/{id}", transactions.update
    yield "POST", "/ledger_transactions/{id}/partial_post", transactions.create_partial_post
    yield "POST", "/ledger_transactions/{id}/reversal", transactions.create_reversal
    yield "GET", "/ledger_transactions/{id}/versions", transactions.list_own_versions
    yield "GET", "/ledger_transaction_versions", transactions.list_versions
    yield "GET", "/ledger_entries", entries.list
    yield "GET", "/ledger_entries/{id}", entries.retrieve
    yield "PATCH", "/ledger_entries/{id}", entries.update


def _routes_of_treasury_objects(database: Database, effects: Effects) -> Iterable[Route]:
    statements = Statements(database, effects)
    settlements = Settlements(database, effects)
    monitors = Monitors(database, effects)
    events = Events(database)
    bulk = BulkRequests(database, effects)
    yield "POST", "/ledger_account_statements", statements.create
    yield "GET", "/ledger_account_statements/{id}", statements.retrieve
    yield "GET", "/ledger_account_settlements", settlements.list
    yield "POST", "/ledger_account_settlements", settlements.create
    yield "GET", "/ledger_account_settlements/{id}", settlements.retrieve
    yield "PATCH", "/ledger_account_settlements/{id}", settlements.update
    yield "PATCH", "/ledger_account_settlements/{id}/ledger_entries", settlements.add_entries
    yield "DELETE", "/ledger_account_settlements/{id}/ledger_entries", settlements.remove_entries
    yield "GET", "/ledger_account_balance_monitors", monitors.list
    yield "POST", "/ledger_account_balance_monitors", monitors.create
    yield "GET", "/ledger_account_balance_monitors/{id}", monitors.retrieve
    yield "PATCH", "/ledger_account_balance_monitors/{id}", monitors.update
    yield "DELETE", "/ledger_account_balance_monitors/{id}", monitors.discard
    yield "GET", "/events", events.list
    yield "GET", "/events/{id}", events.retrieve
    yield "GET", "/bulk_requests", bulk.list
    yield "POST", "/bulk_requests", bulk.create
    yield "GET", "/bulk_requests/{id}", bulk.retrieve
    yield "GET", "/bulk_results", bulk.list_results
    yield "GET", "/bulk_results/{id}", bulk.retrieve_result


async def ping(call: Call) -> Answer[Ping]:
    """Whether the service answers, and knows the caller."""
    call.query.finish()
    return answer({"ping": "pong"})


def _guarding(keys: Sequence[LedgerApiKey]) -> Middleware:
    pairs = [(key.organization_id, key.api_key) for key in keys]

    @web.middleware
    async def guard(request: web.Request, handler: Respond) -> web.StreamResponse:
        try:
            request[_CALLER] = authenticate(request.headers.get(hdrs.AUTHORIZATION), pairs)
            return await handler(request)
        except Rejected as error:
            response = _refusal(error.status, error.code, error.detail, error.field)
            if isinstance(error, LastingConflict):
                response.headers[SHOULD_RETRY] = "false"
            return response
        except Unavailable as error:
            log.warning("request_unavailable", path=request.path, error=str(error))
            return _refusal(503, Code.UNAVAILABLE, "the service cannot do this just now: send the request again")
        except web.HTTPException as error:
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            response = _refusal(error.status, Code.NOT_FOUND, f"there is no {request.method} {request.path}")
            if hdrs.ALLOW in error.headers:
                response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
            return response
        except Exception:
            log.exception("request_failed", path=request.path)
            return _refusal(500, Code.INTERNAL_ERROR, "an unexpected error was recorded; nothing was changed")

    return guard


def _answering(handler: Handler, effects: Effects, limit: int) -> Respond:
    async def respond(request: web.Request) -> web.Response:
        call = await _call(request, limit)
        try:
            given = await handler(call)
        except Rejected:
            # A key that led to something stands for it whatever comes with it, even what would be refused by itself.
            if (kept := await effects.kept(call)) is None:
                raise
            given = kept
        content_type = "application/json" if given.content else None
        return web.Response(
            status=given.status, body=given.content or None, content_type=content_type, headers=given.headers
        )

    return respond


async def _call(request: web.Request, limit: int) -> Call:
    path, parameters = dict(request.match_info), tuple(request.query.items())
    if any(_UNSTORABLE.search(text) for text in [*path.values(), *(text for pair in parameters for text in pair)]):
        raise Rejected(422, "a URL may not hold NUL or half of a surrogate pair", code=Code.PARAMETER_INVALID)
    content = await _content(request, limit)
    key = request.headers.get("Idempotency-Key") if request.method == hdrs.METH_POST else None
    if key is not None and not (0 < len(key) <= MAX_KEY_CHARACTERS and key.isprintable()):
        raise Rejected(
            422,
            f"Idempotency-Key must be 1 to {MAX_KEY_CHARACTERS} printable characters",
            field="Idempotency-Key",
            code=Code.HEADER_INVALID,
        )
    return Call(request[_CALLER], path, parameters, content, key)


async def _content(request: web.Request, limit: int) -> bytes:
    try:
        return await read_body(request, limit)
    except Rejected as error:
        field = error.field or "body"
        detail = f"{error.field} {error.detail}" if error.field else error.detail
        raise Rejected(error.status, detail, field=field, code=Code.PARAMETER_INVALID) from None


def _refusal(status: int, code: str, message: str, parameter: str | None = None) -> web.Response:
    errors = {"code": code, "message": message} | ({} if parameter is None else {"parameter": parameter})
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="ledger"'
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers[hdrs.RETRY_AFTER] = str(RETRY_AFTER_SECONDS)
    # Escaped beyond ASCII, so that no echo of a caller's text can fail to encode.
    body = json.dumps({"errors": errors}).encode("ascii")
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)
