"""The demo's stage: PostgreSQL, a simulated Codat and the service, and how to speak to them."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from worker.commands.send import signed_headers
from worker.demo.processes import alone, free_port, running
from worker.demo.story import StoryEvent
from worker.embedded import embedded
from worker.errors import WritebackError

SECRET: Final = b"demo-only-webhook-signing-key-00"
"""Signs every webhook of the demo; it is a secret of nobody."""

SPEED: Final = 10
"""How much faster than real simulated time and the service's waits run: a minute is all a viewer should spend."""

BEARER: Final = "demo"
"""Opens the demo's API to whoever is at this machine."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything runs."""

    database_url: str
    service_url: str
    simulator_url: str
    session: aiohttp.ClientSession

    async def get(self, path: str) -> Any:
        """Read the service's own API."""
        return await self._ask("GET", f"{self.service_url}{path}", None)

    async def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Change something through the service's own API."""
        return await self._ask("PUT", f"{self.service_url}{path}", body)

    async def look(self, path: str) -> Any:
        """Read the simulator's own controls."""
        return await self._ask("GET", f"{self.simulator_url}/_simulator/{path}", None)

    async def _ask(self, method: str, url: str, body: Mapping[str, Any] | None) -> Any:
        headers = {"Authorization": f"Bearer {BEARER}"}
        async with self.session.request(method, url, json=body, headers=headers) as response:
            text = await response.text()
            if not response.ok:
                raise WritebackError(f"{method} {url} answered {response.status}: {text}")
            return json.loads(text)

    async def send(self, event: StoryEvent) -> None:
        """Post one signed webhook, as the lender's loan system would."""
        body = json.dumps(event.body).encode()
        headers = signed_headers(SECRET, event.webhook_id, body, int(time.time()))
        async with self.session.post(f"{self.service_url}/webhooks/loans", data=body, headers=headers) as response:
            if response.status != 202:
                raise WritebackError(f"{event.webhook_id} was answered {response.status}: {await response.text()}")


@asynccontextmanager
async def open_stage(directory: Path, seed: int) -> AsyncIterator[Stage]:
    """Fresh PostgreSQL, simulator and service, each a process of its own.

    Raises :class:`~worker.errors.UsageError` when another demo is running there or the directory cannot be used.
    """
    secret = f"whsec_{base64.b64encode(SECRET).decode('ascii')}"
    service_port, simulator_port = free_port(), free_port()
    service_url, simulator_url = (f"http://127.0.0.1:{port}" for port in (service_port, simulator_port))
    async with AsyncExitStack() as exits:
        exits.enter_context(alone(directory))
        await asyncio.to_thread(_clear, directory)
        session = await exits.enter_async_context(aiohttp.ClientSession())
        database_url = await exits.enter_async_context(embedded(directory))
        arguments = [
            "simulator",
            f"--port={simulator_port}",
            f"--seed={seed}",
            f"--webhook-url={service_url}/webhooks/codat",
            f"--webhook-secret={secret}",
            f"--speed={SPEED}",
        ]
        environment = {
            "DATABASE_URL": database_url,
            "HOST": "127.0.0.1",
            "PORT": str(service_port),
            "CODAT_BASE_URL": simulator_url,
            "CODAT_API_KEY": "demo",
            "LOAN_WEBHOOK_SECRETS": secret,
            "CODAT_WEBHOOK_SECRETS": secret,
            "WRITEBACK_API_TOKENS": BEARER,
            "LOG_FORMAT": "json",
            "WRITEBACK_TIME_SCALE": str(SPEED),
        }
        simulator = await exits.enter_async_context(running("simulator", arguments, {}, directory))
        service = await exits.enter_async_context(running("service", ["serve"], environment, directory))
        await simulator.answering(session, f"{simulator_url}/_simulator/world")
        await service.answering(session, f"{service_url}/readyz")
        yield Stage(database_url, service_url, simulator_url, session)


def _clear(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
