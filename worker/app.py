"""The composition root: the only place that builds the stations and connects them.

The process answers ``/livez`` from its first moment on, becomes ready once the database is reached and its schema is
current, and keeps going through any later absence of the database.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from typing import Final

import aiohttp
import structlog
from aiohttp import web

from worker.api.bulk import RUN_BULK_REQUEST
from worker.api.bulk_run import BulkHandler
from worker.api.deliveries import DELIVER_EVENT, DeliveryHandler, Dispatcher
from worker.api.effects import Effects
from worker.api.kept_answers import KeptAnswers, Reply, Ticket
from worker.api.retention import Retention
from worker.api.routes import add_routes as add_ledger_routes
from worker.api.routes import routes as ledger_routes
from worker.codat.client import CodatClient
from worker.codat.gate import Gate
from worker.config import Settings
from worker.database import Database
from worker.depths import read_depths
from worker.embedded import embedded
from worker.errors import DatabaseUnavailable, UsageError
from worker.health import Health
from worker.inbox.body import MAX_BODY_BYTES
from worker.inbox.messages import APPLY_EVENT, CODAT_WEBHOOK
from worker.inbox.receiver import Receiver
from worker.inbox.routes import WebhookSecrets
from worker.inbox.routes import add_routes as add_webhook_routes
from worker.jobs.hints import Hints
from worker.jobs.job import Registration
from worker.jobs.runner import Runner
from worker.ledger.group_poster import GroupPoster
from worker.lenders_ledger import choose_ledger, delivery
from worker.loans.apply import EventHandler, PostEvents
from worker.loans.postings import Postings
from worker.loans.rulebook_file import read_rulebook
from worker.metrics import Depths, Metrics
from worker.migrations import migrate
from worker.observed import observed_codat, observed_jobs, observed_treasury, observed_webhooks
from worker.openapi.routes import add_routes as add_document_routes
from worker.operations.control import Control
from worker.operations.reader import Reader
from worker.operations.routes import add_routes as add_operations_routes
from worker.problems import problem_middleware
from worker.writeback.configure.service import MappingService
from worker.writeback.desk import Desk
from worker.writeback.operator import Operator
from worker.writeback.routes import add_routes as add_writeback_routes
from worker.writeback.saga import SagaHandler
from worker.writeback.settlement import WebhookHandler
from worker.writeback.store import ADVANCE_SAGA, create_sagas
from worker.writeback.timings import Timings

DISTRIBUTION: Final = "loan-writeback-worker"
"""Whose version is shown."""

EVENTS_PER_BATCH: Final = 128
"""Loan events applied in one transaction: past this a larger batch gains nothing and only delays its first event."""

SAGAS_AT_ONCE: Final = 50
"""Sagas one process advances together: they mostly wait for Codat, whose own limits are the gate's business."""

SAGA_ATTEMPTS: Final = 10_000
"""Far more than the handler makes use of: it shows a failing saga to a person instead of letting its job be buried."""

CODAT_WEBHOOKS_AT_ONCE: Final = 10
"""Codat webhooks one process acts on together."""

WEBHOOKS_AT_ONCE: Final = 10
"""Events of the ledger one process delivers together: a slow receiver holds up few of them."""

RECONNECT_SECONDS: Final = 1.0
"""Pause between attempts to reach a database that is not there yet."""

HTTP_SHUTDOWN_SECONDS: Final = 10.0
"""How long requests under way may take after the last job: within the grace a container platform gives."""

MAX_LINE_BYTES: Final = 64 * 1024
"""Of a request's first line and of each header: so long that what is too long is refused by its reader, by name.

What is longer still is refused by the HTTP library, in its own words.
"""

log = structlog.get_logger(__name__)


class Role(StrEnum):
    """What a replica does: take webhooks and answer callers, do the work, or both."""

    ALL = "all"
    API = "api"
    WORKER = "worker"


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The configured database, or the embedded one, started for as long as it is used."""
    async with AsyncExitStack() as stack:
        url = settings.database_url
        if url is None:
            url = await stack.enter_async_context(embedded(settings.data_dir))
        yield await stack.enter_async_context(Database.open(url))


async def serve(settings: Settings, role: Role) -> None:
    """Run one replica until SIGTERM or SIGINT, then finish or hand back what is under way.

    Raises :class:`~worker.errors.UsageError` when the configuration, the server's version or the schema is wrong.
    """
    api_key = settings.require_codat_api_key()
    postings = Postings(read_rulebook(settings.posting_rules))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    metrics = Metrics(version(DISTRIBUTION))
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings))
        gate = await stack.enter_async_context(Gate.open(database))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[observed_codat(metrics)])
        )
        codat = CodatClient(session, settings.codat_base_url, api_key, gate)
        desk = Desk(database, codat, now, Timings().compressed(settings.time_scale))
        await Replica(settings, role, postings, desk, gate, metrics).run(stop)


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


class Replica:
    """One process's stations, connected."""

    def __init__(
        self, settings: Settings, role: Role, postings: Postings, desk: Desk, gate: Gate, metrics: Metrics
    ) -> None:
        self._settings = settings
        self._postings = postings
        self._role = role
        self._desk = desk
        self._database = desk.database
        self._gate = gate
        self._metrics = metrics
        self._hints = Hints(desk.database)
        self._receiver = Receiver(desk.database, self._hints.nudge)
        self._poster: GroupPoster[Ticket, Reply] = GroupPoster(desk.database, KeptAnswers())
        self._effects = Effects(desk.database, self._poster.submit)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until told to stop."""
        runner = web.AppRunner(
            self.application(stop),
            access_log=None,
            shutdown_timeout=HTTP_SHUTDOWN_SECONDS,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            auto_decompress=False,  # every reader wants the bytes as they were sent, and broken ones end a connection
        )
        await runner.setup()
        try:
            await self._listen(runner)
            log.info("listening", host=self._settings.host, port=self._settings.port, role=self._role.value)
            post_events = await self._prepare_schema(stop)
            if post_events is not None:
                await self._work(post_events, stop)
        finally:
            await runner.cleanup()
            await self._poster.close()
            await self._receiver.close()
        log.info("stopped")

    async def _listen(self, runner: web.AppRunner) -> None:
        host, port = self._settings.host, self._settings.port
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            # An event loop has words of its own for the system's; a host without an address comes with nothing else.
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise UsageError(f"HOST {host} and PORT {port} cannot be listened on: {reason}") from error

    def application(self, stop: asyncio.Event) -> web.Application:
        """What answers callers; ``stop`` is set once this replica drains."""
        app = web.Application(middlewares=[problem_middleware], client_max_size=MAX_BODY_BYTES)
        Health(self._database, self._metrics, stop, self._read_depths).add_routes(app)
        if self._role is not Role.WORKER:
            settings = self._settings
            secrets = WebhookSecrets(
                settings.loan_webhook_secrets,
                settings.codat_webhook_secrets,
                settings.codat_legacy_webhook_authorization,
            )
            add_webhook_routes(app, self._receiver, secrets, observed_webhooks(self._metrics))
            add_writeback_routes(app, MappingService(self._desk), Operator(self._database, now), settings.api_tokens)
            control = Control(self._database, self._hints.nudge)
            reader = Reader(self._database, settings.treasury.base_url if settings.treasury else None)
            add_operations_routes(app, reader, control, settings.api_tokens)
            add_ledger_routes(app, self._database, self._effects, settings.ledger_api_keys)
        add_document_routes(app, list(ledger_routes(self._database, self._effects)), version(DISTRIBUTION))
        return app

    async def _prepare_schema(self, stop: asyncio.Event) -> PostEvents | None:
        """Bring the schema up to date and choose the ledger, however long that takes; None when told to stop."""
        while not stop.is_set():
            try:
                async with self._database.connection() as connection:
                    for migration in await migrate(connection):
                        log.info("migrated", migration=migration.file_name)
                    return await choose_ledger(connection, self._settings.treasury)
            except DatabaseUnavailable as error:
                log.warning("database_awaited", error=str(error))
                await _either(stop.wait(), asyncio.sleep(RECONNECT_SECONDS))
        return None

    async def _work(self, post_events: PostEvents, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hints.run(stop))
            pruning = group.create_task(Retention(self._database).run())
            if self._role is Role.API:
                await stop.wait()
            else:
                await self._work_off(post_events, stop)
            pruning.cancel()

    async def _work_off(self, post_events: PostEvents, stop: asyncio.Event) -> None:
        dispatcher = Dispatcher(self._database, self._settings.ledger_webhook, self._hints.nudge)
        async with (
            delivery(self._database, self._settings.treasury, observed_treasury(self._metrics)) as deliveries,
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            asyncio.TaskGroup() as group,
        ):
            dispatching = group.create_task(dispatcher.run())
            webhooks = DeliveryHandler(self._database, session, self._settings.ledger_webhook, now)
            others = [
                *deliveries,
                Registration(DELIVER_EVENT, webhooks, concurrency=WEBHOOKS_AT_ONCE),
                Registration(RUN_BULK_REQUEST, BulkHandler(self._database, now)),
            ]
            registrations = [*self._registrations(post_events), *map(self._observed, others)]
            lost = self._metrics.lease_lost.inc
            await Runner(self._database, registrations, self._hints, on_lease_lost=lost).run(stop)
            dispatching.cancel()

    def _registrations(self, post_events: PostEvents) -> list[Registration]:
        events = EventHandler(self._database, post_events, self._postings, create_sagas, self._hints.nudge)
        metrics = self._metrics
        return [
            observed_jobs(
                Registration(APPLY_EVENT, events, batch_size=EVENTS_PER_BATCH), metrics, now, metrics.event_apply_lag
            ),
            observed_jobs(
                Registration(
                    ADVANCE_SAGA, SagaHandler(self._desk), concurrency=SAGAS_AT_ONCE, max_attempts=SAGA_ATTEMPTS
                ),
                metrics,
                now,
                metrics.event_to_books,
            ),
            observed_jobs(
                Registration(CODAT_WEBHOOK, WebhookHandler(self._desk), concurrency=CODAT_WEBHOOKS_AT_ONCE),
                metrics,
                now,
            ),
        ]

    def _observed(self, registration: Registration) -> Registration:
        return observed_jobs(registration, self._metrics, now)

    async def _read_depths(self, database: Database) -> Depths:
        self._metrics.listener_connected.set(self._hints.listening)
        if self._gate.quota and self._gate.quota.remaining is not None:
            self._metrics.codat_quota_remaining.set(self._gate.quota.remaining)
        return await read_depths(database)


async def _either(*awaitables: Coroutine[None, None, object]) -> None:
    """Wait for whichever comes first and cancel the rest."""
    tasks = [asyncio.ensure_future(one) for one in awaitables]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
