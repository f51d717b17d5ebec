"""The one door every Codat request comes through: authentication, limits, idempotency, faults, and the log."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Final
from uuid import UUID

from aiohttp import web

from worker.simulator.faults import REQUEST_FAULTS, Fault, FaultKind, Occasion
from worker.simulator.idempotency import HEADER, Answer, read_key
from worker.simulator.journal import Entry
from worker.simulator.limits import RateLimitedError
from worker.simulator.rules import DataType
from worker.simulator.simulator import Simulator
from worker.simulator.wire import CodatError, respond, stamp
from worker.simulator.world import ConnectionStatus

SIMULATOR: Final = web.AppKey("simulator", Simulator)
CONTROL_PREFIX: Final = "/_simulator/"
"""Paths of the controls, which are no part of Codat and are neither limited, logged nor disturbed."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

DATA_TYPE_PARTS: Final = {**{name.value: name.value for name in DataType}, "accounts": DataType.ACCOUNTS.value}
"""Path segments that name a data type; Codat's paths say ``accounts`` where its documents say ``chartOfAccounts``."""


class _CutError(Exception):
    """The connection is to be cut instead of answered."""


@web.middleware
async def codat_door(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Everything that happens around a Codat endpoint."""
    simulator = request.app[SIMULATOR]
    if request.path.startswith(CONTROL_PREFIX):
        return await _safely(simulator, request, handler)
    body = await request.read()
    entry = simulator.journal.open(
        Entry(
            at=stamp(simulator.clock.now()),
            method=request.method,
            path=request.path,
            query=request.query_string,
            idempotency_key=request.headers.get(HEADER),
            body=body.decode(errors="replace"),
        )
    )
    try:
        response = await _admitted(simulator, request, handler, entry)
    except _CutError:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
    entry.status = response.status
    response.headers.update(simulator.limits.headers())
    return response


async def _admitted(simulator: Simulator, request: web.Request, handler: Handler, entry: Entry) -> web.Response:
    try:
        _authenticate(simulator.options.api_key, request.headers.get("Authorization", ""))
        simulator.limits.admit(request.remote or "")
        with simulator.limits.flight(request.match_info.get("company_id", "")):
            return await _once(simulator, request, handler, entry)
    except CodatError as error:
        return _error_response(simulator, error)


async def _once(simulator: Simulator, request: web.Request, handler: Handler, entry: Entry) -> web.Response:
    """Carries a request out under its idempotency key, or replays what that key was answered."""
    key = read_key(request.method, request.headers.getall(HEADER, []))
    if key is None:
        response, is_cut = await _faulty(simulator, request, handler, entry)
    else:
        answer = simulator.idempotency.begin(
            key, f"{request.method} {request.path_qs}\n".encode() + await request.read()
        )
        if answer is not None:
            entry.replayed = True
            return web.Response(status=answer.status, body=answer.body, content_type="application/json")
        try:
            response, is_cut = await _faulty(simulator, request, handler, entry)
        except BaseException:
            simulator.idempotency.release(key)
            raise
        simulator.idempotency.finish(key, Answer(response.status, _bytes(response)))
    if is_cut:
        raise _CutError
    return response


async def _faulty(
    simulator: Simulator, request: web.Request, handler: Handler, entry: Entry
) -> tuple[web.Response, bool]:
    """The handler's answer, bent by whatever fault strikes; True when the connection is to be cut after it."""
    fault = simulator.faults.take(REQUEST_FAULTS, occasion_of(request))
    entry.fault = None if fault is None else fault.kind
    match fault:
        case Fault(kind=FaultKind.CUT_BEFORE):
            raise _CutError
        case Fault(kind=FaultKind.STATUS_BEFORE):
            return _error_response(simulator, CodatError(fault.status, "Simulated failure.")), False
        case Fault(kind=FaultKind.RATE_LIMIT):
            response = _error_response(simulator, CodatError(429, "Simulated rate limit."))
            if fault.retry_after is not None:
                response.headers["Retry-After"] = fault.retry_after
            return response, False
        case Fault(kind=FaultKind.DELAY):
            await asyncio.sleep(simulator.clock.real_seconds(fault.wait))
        case Fault(kind=FaultKind.DISCONNECT):
            _disconnect(simulator, request)
        case _:
            pass
    response = await _safely(simulator, request, handler)
    if fault is not None and fault.kind is FaultKind.STATUS_AFTER:
        response = _error_response(simulator, CodatError(fault.status, "Simulated failure."))
    return response, fault is not None and fault.kind is FaultKind.CUT_AFTER


def occasion_of(request: web.Request) -> Occasion:
    """The request as faults see it."""
    info = request.match_info
    return Occasion(
        method=request.method,
        path=request.path,
        data_type=info.get("data_type") or _data_type_of(request.path),
        company_id=info.get("company_id", ""),
    )


async def _safely(simulator: Simulator, request: web.Request, handler: Handler) -> web.Response:
    """The handler's answer, with every failure in Codat's error document."""
    try:
        response = await handler(request)
    except CodatError as error:
        return _error_response(simulator, error)
    except web.HTTPException as error:
        return _error_response(simulator, CodatError(error.status, error.reason))
    if not isinstance(response, web.Response):
        raise TypeError("simulator handlers answer with a whole response")
    return response


def _authenticate(api_key: str | None, header: str) -> None:
    scheme, _, encoded = header.partition(" ")
    try:
        key = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        key = ""
    if scheme.casefold() != "basic" or not key:
        raise CodatError(401, "Authorization has to be Basic followed by the base64 of an API key.")
    if api_key is not None and not hmac.compare_digest(key.encode(), api_key.encode()):
        raise CodatError(401, "The API key is not known.")


def _error_response(simulator: Simulator, error: CodatError) -> web.Response:
    response = respond(error.document(UUID(simulator.guid()).hex), error.status)
    if isinstance(error, RateLimitedError):
        response.headers["Retry-After"] = str(ceil(simulator.clock.real_seconds(error.retry_after)))
    return response


def _disconnect(simulator: Simulator, request: web.Request) -> None:
    company = simulator.companies.get(request.match_info.get("company_id", ""))
    if company is None:
        return
    connection = company.connections.get(request.match_info.get("connection_id", ""))
    if connection is not None:
        simulator.set_connection(company, connection, ConnectionStatus.DEAUTHORIZED)


def _data_type_of(path: str) -> str:
    names = [part for part in path.split("/") if part in DATA_TYPE_PARTS]
    return DATA_TYPE_PARTS[names[-1]] if names else ""


def _bytes(response: web.Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b""
