"""Events on their way to the lender's webhook: each by a job of the queue, in order for one object, signed anew.

An event is durable before anybody is charged with it, and a job is enqueued in the transaction that marks it so; what
posts never touches the queue. Delivery is at least once, under the event's id.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import aiohttp
import structlog

from worker.api import events_store
from worker.api.documents import event_data
from worker.api.objects import Event
from worker.config import LedgerWebhook
from worker.database import Database
from worker.errors import DatabaseUnavailable
from worker.exchange import BrokenError, NotConnectedError, OversizeError, exchange
from worker.inbox.signature import sign
from worker.jobs.job import Claim, Done, NewJob, Outcome, Retry, lane
from worker.jobs.store import enqueue_jobs

DELIVER_EVENT: Final = "deliver_event"
"""The kind of job that delivers one event; its subject is the event's sequence."""

DISPATCHED_AT_ONCE: Final = 500
"""Events charged to the queue by one transaction: a few milliseconds of work."""

DISPATCH_PERIOD: Final = timedelta(seconds=1)
"""How often undispatched events are looked for: what a webhook may lag behind, and one lookup in an empty index."""

ANSWER_SECONDS: Final = 5.0
"""Longest wait for the receiver: Modern Treasury's own limit, so that a receiver built for it is fast enough."""

SUCCESSES: Final = range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)

log = structlog.get_logger(__name__)


class Dispatcher:
    """Charges the queue with events as they come; without a webhook, it only ticks them off."""

    def __init__(self, database: Database, webhook: LedgerWebhook | None, nudge: Callable[[], None]) -> None:
        self._database = database
        self._webhook = webhook
        self._nudge = nudge

    async def run(self) -> None:
        """Dispatch until cancelled, through any absence of the database."""
        while True:
            try:
                while await self.dispatch() == DISPATCHED_AT_ONCE:
                    pass
            except DatabaseUnavailable as error:
                log.warning("dispatch_interrupted", error=str(error))
            except Exception:
                log.exception("dispatch_failed")  # nothing was taken: the next look finds the same events
            await asyncio.sleep(DISPATCH_PERIOD.total_seconds())

    async def dispatch(self) -> int:
        """Dispatch the oldest events; how many they were."""
        async with self._database.transaction() as connection:
            events = await events_store.take_events(connection, DISPATCHED_AT_ONCE)
            if self._webhook is not None:
                await enqueue_jobs(
                    connection,
                    [
                        NewJob(DELIVER_EVENT, lane("ledger event", str(entity_id)), sequence)
                        for sequence, entity_id in events
                    ],
                )
        if events:
            self._nudge()
        return len(events)


class DeliveryHandler:
    """Delivers events: the handler of :data:`DELIVER_EVENT`."""

    def __init__(
        self,
        database: Database,
        session: aiohttp.ClientSession,
        webhook: LedgerWebhook | None,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._session = session
        self._webhook = webhook
        self._now = now

    async def __call__(self, claim: Claim) -> Sequence[Outcome]:
        """Send each event once; whatever is not received is sent again later."""
        return [await self._deliver(job.subject) for job in claim.jobs]

    async def _deliver(self, sequence: int) -> Outcome:
        async with self._database.connection() as connection:
            event = await events_store.load_event(connection, sequence)
        if event is None or self._webhook is None:
            return Done()  # the webhook was taken out of the configuration
        body = _body(event)
        headers = _headers(event, body, self._webhook.secrets, self._now())
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reply = await exchange(self._session, "the webhook", "POST", self._webhook.url, headers, body)
        except TimeoutError:
            return Retry(f"the webhook did not answer within {ANSWER_SECONDS:g} s")
        except (NotConnectedError, BrokenError, OversizeError) as error:
            return Retry(str(error))
        return Done() if reply.status in SUCCESSES else Retry(f"the webhook answered {reply.status}")


def _body(event: Event) -> bytes:
    return json.dumps({"event": event.name, "data": event_data(event)}, ensure_ascii=False).encode()


def _headers(event: Event, body: bytes, secrets: Sequence[bytes], now: datetime) -> dict[str, str]:
    """Standard Webhooks' headers, signed with every secret, and Modern Treasury's, signed with the first."""
    webhook_id, timestamp = str(event.id), int(now.timestamp())
    key = b"whsec_" + b64encode(secrets[0])
    return {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, webhook_id, timestamp, body) for secret in secrets),
        "X-Topic": event.resource,
        "X-Event-Id": webhook_id,
        "X-Signature": hmac.new(key, body, hashlib.sha256).hexdigest(),
    }
