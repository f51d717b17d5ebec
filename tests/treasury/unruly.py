"""What stands between a lender and its ledger elsewhere and loses, repeats and refuses what goes through."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import cycle

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer


class Fault(Enum):
    """What happens to a request that changes something; nothing of a fault "before" reaches the ledger."""

    ERROR_BEFORE = auto()
    ERROR_AFTER = auto()
    """It takes effect, and the answer is HTTP 502."""
    CUT_BEFORE = auto()
    CUT_AFTER = auto()
    """It takes effect, and the connection is cut instead of an answer."""
    LOST_KEY = auto()
    """It takes effect without its Idempotency-Key and is cut, so that its repetition finds its external id taken."""
    LIMITED = auto()
    """HTTP 429, and nothing may come for :data:`QUIET_SECONDS`."""


QUIET_SECONDS = 2

ROUND = [
    *(befalls for fault in Fault if fault is not Fault.LIMITED for befalls in (fault, None)),
] * 4 + [Fault.LIMITED]
"""What befalls one request after the other, over and over; None goes through."""

_HOP = {"host", "content-length", "transfer-encoding", "connection", "content-encoding", "date", "server"}


@dataclass
class Unruly:
    """A proxy in front of a ledger's API."""

    target: str
    session: aiohttp.ClientSession
    url: str = ""
    seen: Counter[Fault | None] = field(default_factory=Counter)
    too_early: int = 0
    """Requests that came while quiet had been asked for."""
    _quiet_until: float = 0.0

    def __post_init__(self) -> None:
        self._faults = cycle(ROUND)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Forward one request, or have something happen to it."""
        if time.monotonic() < self._quiet_until:
            self.too_early += 1
        fault = None if request.method == "GET" else next(self._faults)
        self.seen[fault] += request.method != "GET"
        match fault:
            case None:
                return await self._forward(request)
            case Fault.ERROR_BEFORE:
                return web.Response(status=503)
            case Fault.LIMITED:
                self._quiet_until = time.monotonic() + QUIET_SECONDS
                return web.Response(status=429, headers={"Retry-After": str(QUIET_SECONDS)})
            case Fault.CUT_BEFORE:
                return _cut(request)
        await self._forward(request, without_key=fault is Fault.LOST_KEY)
        return web.Response(status=502) if fault is Fault.ERROR_AFTER else _cut(request)

    async def _forward(self, request: web.Request, *, without_key: bool = False) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        if without_key:
            headers.pop("Idempotency-Key", None)
        body = await request.read()
        async with self.session.request(
            request.method, f"{self.target}{request.rel_url}", data=body, headers=headers
        ) as answer:
            received = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            return web.Response(status=answer.status, body=await answer.read(), headers=received)


def _cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@asynccontextmanager
async def open_unruly(target: str) -> AsyncIterator[Unruly]:
    """A proxy on a port of its own."""
    async with aiohttp.ClientSession() as session:
        unruly = Unruly(target, session)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", unruly.handle)
        async with TestServer(app) as server:
            unruly.url = str(server.make_url("")).rstrip("/")
            yield unruly
