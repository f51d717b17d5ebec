"""What an orchestrator and a monitoring system ask: alive, ready, and how are things."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from aiohttp import web

from worker.database import Database
from worker.errors import DatabaseUnavailable
from worker.metrics import CONTENT_TYPE, Depths, Metrics
from worker.migrations import SchemaError, pending

RETRY_AFTER_SECONDS: Final = 5
"""When a caller told "not ready" should ask again: about as long as a database takes to restart."""

ReadDepths: TypeAlias = Callable[[Database], Awaitable[Depths]]
"""Reads the depths of every station; raises :class:`~worker.errors.DatabaseUnavailable`."""


@dataclass(frozen=True, slots=True)
class Health:
    """The answers, from the collaborators that know them. ``draining`` is set once the process is told to stop."""

    database: Database
    metrics: Metrics
    draining: asyncio.Event
    read_depths: ReadDepths

    def add_routes(self, app: web.Application) -> None:
        """Add ``/livez``, ``/readyz``, its alias ``/healthz``, and ``/metrics``."""
        app.router.add_get("/livez", self.get_livez)
        app.router.add_get("/readyz", self.get_readyz)
        app.router.add_get("/healthz", self.get_readyz)
        app.router.add_get("/metrics", self.get_metrics)

    async def get_livez(self, _: web.Request) -> web.Response:
        """The process answers. Nothing else is looked at: restarting it would not bring a database back."""
        return web.json_response({"status": "alive"})

    async def get_readyz(self, _: web.Request) -> web.Response:
        """200 when work can be taken; else 503 with every reason in words."""
        reasons = await self.reasons_not_ready()
        if reasons:
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            return web.json_response({"status": "unavailable", "reasons": reasons}, status=503, headers=headers)
        return web.json_response({"status": "ready", "reasons": []})

    async def get_metrics(self, _: web.Request) -> web.Response:
        """Prometheus text. Without the database the process' own numbers are still there."""
        self.metrics.pool_in_use.set(self.database.connections_in_use)
        try:
            self.metrics.show(await self.read_depths(self.database))
        except DatabaseUnavailable:
            self.metrics.show(None)
        return web.Response(body=self.metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    async def reasons_not_ready(self) -> list[str]:
        """Why this process should get no new work, in words; empty when it should."""
        reasons = ["draining: the process was told to stop"] if self.draining.is_set() else []
        try:
            async with self.database.connection() as connection:
                waiting = await pending(connection)
        except DatabaseUnavailable:
            return [*reasons, "database: cannot be reached"]
        except SchemaError as error:
            return [*reasons, f"schema: {error}"]
        if waiting:
            names = ", ".join(migration.file_name for migration in waiting)
            reasons.append(f"schema: run `writeback migrate` to apply {names}")
        return reasons
