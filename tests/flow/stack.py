"""The product as it is deployed: a service process and a Codat process, talking HTTP, on a real database."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from worker.commands.send import signed_headers
from worker.config import load_settings
from worker.demo.processes import Process, free_port, running

LOAN_SECRET = "whsec_dGVzdC1vbmx5LWxvYW4td2ViaG9vay1zZWNyZXQtMQ=="
CODAT_SECRET = "whsec_dGVzdC1vbmx5LWNvZGF0LXdlYmhvb2stc2VjcmV0"
CODAT_API_KEY = "test-only-codat-api-key"
API_TOKEN = "test-only-operator-token"
TIME_SCALE = 20
"""Simulated time and the service's own waits run this much faster than the clock on the wall."""
REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=60)
"""A request nobody answers fails its test instead of holding it up."""
PATIENCE_SECONDS = 240.0
"""How long a test waits for something that should come; only a failure takes that long."""

_seeds = count(1000)
_starts = count(1)


@dataclass
class Stack:
    """Running processes and how to reach them."""

    database_url: str
    directory: Path
    service_url: str
    simulator_url: str
    session: aiohttp.ClientSession
    environment: Mapping[str, str]
    simulator: Process
    service: Process | None = None
    replicas: list[Process] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where the service listens, or would: Codat's webhooks are sent there."""
        return int(self.service_url.rpartition(":")[2])

    @asynccontextmanager
    async def replica(self, port: int, *arguments: str, **environment: str) -> AsyncIterator[Process]:
        """One more service process on a port of its own, ready to work; every start has a log of its own."""
        own = {**self.environment, "PORT": str(port), **environment}
        async with running(f"service-{next(_starts)}", ["serve", *arguments], own, self.directory) as process:
            await process.answering(self.session, f"http://127.0.0.1:{port}/readyz")
            yield process

    async def reset(self) -> int:
        """Give the simulator new companies with ids nobody has seen, and return their seed."""
        seed = next(_seeds)
        await self.control("reset", {"seed": seed})
        return seed

    async def admit(self) -> list[dict[str, Any]]:
        """Add companies with ids nobody has seen to the simulator's, and return them."""
        answer = await self.control("companies", {"seed": next(_seeds)})
        companies: list[dict[str, Any]] = answer["companies"]
        return companies

    async def control(self, name: str, body: Any) -> Any:
        """Use one of the simulator's controls."""
        async with self.session.post(f"{self.simulator_url}/_simulator/{name}", json=body) as response:
            text = await response.text()
            assert response.status < 300, text
            return json.loads(text) if text else None

    async def look(self, name: str) -> Any:
        """Read one of the simulator's controls."""
        async with self.session.get(f"{self.simulator_url}/_simulator/{name}") as response:
            assert response.status == 200, await response.text()
            return json.loads(await response.text())

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Call the service's own API."""
        headers = {"Authorization": f"Bearer {API_TOKEN}"}
        async with self.session.request(method, f"{self.service_url}{path}", json=body, headers=headers) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None

    async def send(self, webhook_id: str, event: Mapping[str, Any], *, url: str | None = None) -> int:
        """Send a signed loan event and return the status of its answer."""
        status, _ = await self.answer(webhook_id, event, url=url)
        return status

    async def answer(
        self, webhook_id: str, event: Mapping[str, Any], *, url: str | None = None
    ) -> tuple[int, Mapping[str, str]]:
        """Send a signed loan event and return the status and the headers of its answer."""
        secret = load_settings(self.environment, at_terminal=False).loan_webhook_secrets[0]
        body = json.dumps(event).encode()
        headers = signed_headers(secret, webhook_id, body, int(time.time()))
        target = f"{url or self.service_url}/webhooks/loans"
        async with self.session.post(target, data=body, headers=headers) as response:
            await response.read()
            return response.status, response.headers

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Look into the database."""
        async with self.connection() as connection:
            return await connection.fetch(sql, *arguments)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """A connection of the test's own."""
        connection = await asyncpg.connect(self.database_url)
        try:
            yield connection
        finally:
            await connection.close()

    async def settled(self) -> None:
        """Return when no job is under way or has just failed, and no saga is on its way or waits for Codat."""

        async def quiet() -> bool:
            rows = await self.fetch(
                "select (select count(*) from jobs where state <> 3 or attempt > 0)"
                " + (select count(*) from sagas where state in ('queued', 'running') or waiting_for = 'codat') as busy"
            )
            return bool(rows[0]["busy"] == 0)

        await eventually(quiet)


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Poll until the condition holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def open_stack(
    database_url: str,
    directory: Path,
    *,
    speed: int = TIME_SCALE,
    serve: bool = True,
    simulator_options: Sequence[str] = (),
) -> AsyncIterator[Stack]:
    """Start a simulator and, with ``serve``, one service on the database."""
    service_port, simulator_port = free_port(), free_port()
    environment = {
        "DATABASE_URL": database_url,
        "PORT": str(service_port),
        "CODAT_BASE_URL": f"http://127.0.0.1:{simulator_port}",
        "CODAT_API_KEY": CODAT_API_KEY,
        "LOAN_WEBHOOK_SECRETS": LOAN_SECRET,
        "CODAT_WEBHOOK_SECRETS": CODAT_SECRET,
        "WRITEBACK_API_TOKENS": API_TOKEN,
        "WRITEBACK_TIME_SCALE": str(speed),
        "LOG_FORMAT": "json",
    }
    simulator_arguments = [
        "simulator",
        f"--port={simulator_port}",
        f"--speed={speed}",
        f"--webhook-url=http://127.0.0.1:{service_port}/webhooks/codat",
        f"--webhook-secret={CODAT_SECRET}",
        *simulator_options,
    ]
    async with AsyncExitStack() as exits:
        session = await exits.enter_async_context(aiohttp.ClientSession(timeout=REQUEST_TIMEOUT))
        simulator = await exits.enter_async_context(running("simulator", simulator_arguments, {}, directory))
        stack = Stack(
            database_url,
            directory,
            f"http://127.0.0.1:{service_port}",
            f"http://127.0.0.1:{simulator_port}",
            session,
            environment,
            simulator,
        )
        await simulator.answering(session, f"{stack.simulator_url}/_simulator/world")
        if serve:
            stack.service = await exits.enter_async_context(stack.replica(service_port))
        yield stack
