"""A receive station for tests: the product's own routes and receiver behind a real socket."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from worker.database import Database
from worker.inbox.receiver import Receiver
from worker.inbox.routes import Reception, WebhookSecrets, add_routes
from worker.inbox.signature import sign
from worker.problems import problem_middleware

LOANS_KEY = b"a loan system's signing key"
RETIRING_LOANS_KEY = b"the key that came before it"
CODAT_KEY = b"the signing key of Codat's side"
CODAT_AUTHORIZATION = "Basic bGVuZGVyOmNvcnJlY3QgaG9yc2U="

SECRETS = WebhookSecrets((LOANS_KEY, RETIRING_LOANS_KEY), (CODAT_KEY,), CODAT_AUTHORIZATION)

_ids = itertools.count(1)


@dataclass(frozen=True)
class Reply:
    """What came back over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The JSON in the body."""
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def fields(self) -> list[str]:
        """The fields a problem document blames."""
        return [error["field"] for error in self.document["errors"]]


@dataclass
class Station:
    """A running server, its receiver, and what it reported of its deliveries."""

    port: int
    receiver: Receiver
    nudges: list[None] = field(default_factory=list)
    receptions: list[Reception] = field(default_factory=list)

    async def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """One ordinary delivery."""
        url = f"http://127.0.0.1:{self.port}{path}"
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
            return Reply(response.status, response.headers, await response.read())

    async def loan_event(self, body: bytes, webhook_id: str | None = None) -> Reply:
        """A loan event as the loan system sends it."""
        return await self.post("/webhooks/loans", body, signed(body, webhook_id or fresh_id()))

    async def codat(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """A webhook as Codat sends it."""
        return await self.post("/webhooks/codat", body, headers)

    async def raw(self, request: bytes) -> Reply:
        """The bytes just as they are, over a socket of their own; the connection must close by itself."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        try:
            await writer.drain()
            answer = await asyncio.wait_for(reader.read(), 30)
        except ConnectionResetError:
            answer = b""
        finally:
            writer.close()
        return parse_reply(answer)


@asynccontextmanager
async def running_station(database: Database, secrets: WebhookSecrets = SECRETS) -> AsyncIterator[Station]:
    """Serve on a free port of the loopback interface."""
    nudges: list[None] = []
    receptions: list[Reception] = []
    receiver = Receiver(database, lambda: nudges.append(None))
    app = web.Application(middlewares=[problem_middleware])
    add_routes(app, receiver, secrets, receptions.append)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield Station(port, receiver, nudges, receptions)
    finally:
        await runner.cleanup()
        await receiver.close()


def fresh_id() -> str:
    """A webhook id not used before."""
    return f"msg_{next(_ids)}"


def signed(
    body: bytes, webhook_id: str, *, key: bytes = LOANS_KEY, spelling: str = "webhook", age: int = 0
) -> dict[str, str]:
    """The three headers, for a delivery made ``age`` seconds ago."""
    timestamp = int(time.time()) - age
    return {
        f"{spelling}-id": webhook_id,
        f"{spelling}-timestamp": str(timestamp),
        f"{spelling}-signature": sign(key, webhook_id, timestamp, body),
    }


def http_request(body: bytes, headers: Mapping[str, str], path: str = "/webhooks/loans") -> bytes:
    """A whole HTTP/1.1 request that asks for the connection to be closed."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def parse_reply(answer: bytes) -> Reply:
    """The reply in the bytes of a closed connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Reply(int(status.split(" ")[1]) if status else 0, headers, body)
