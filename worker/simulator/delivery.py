"""Sends webhooks the way Codat does: signed, at least once, on its retry schedule, in no promised order."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import aiohttp
import structlog

from worker.errors import UsageError
from worker.simulator.faults import DELIVERY_FAULTS, Fault, FaultKind, Faults, Occasion
from worker.simulator.settings import HeaderStyle
from worker.simulator.webhooks import CLIENT_ID, LegacyMessage, Message
from worker.simulator.wire import Document, encode

RETRY_DELAYS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""Simulated waits after the first, second, ... failed attempt of the new service."""

LEGACY_RETRY_DELAYS: Final = (timedelta(seconds=20), timedelta(seconds=40), timedelta(seconds=60))
"""Simulated waits of the older service: three more tries within two minutes."""

LEGACY_RETRIED: Final = frozenset({408, 420, 429, 460, 502, 503, 504, 522, 524})
"""Answers on which the older service tries again; any other failure loses the alert."""

ACKNOWLEDGE_WITHIN: Final = timedelta(seconds=15)
"""Simulated time a receiver has to answer."""

SHORTEST_REAL_WAIT: Final = 2.0
"""Real seconds a receiver gets at least, however fast simulated time runs: HTTP itself is not compressed."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Consumer:
    """An endpoint of the new service; no event types means all of them, tags are alternatives."""

    id: str
    url: str
    disabled: bool = False
    event_types: list[str] = field(default_factory=list)
    company_tags: list[str] = field(default_factory=list)

    def wants(self, message: Message) -> bool:
        """Whether this consumer is to be told."""
        company_tags = {} if message.company is None else message.company.tags
        tags = {f"{name}:{value}" for name, value in company_tags.items()}
        return (
            not self.disabled
            and (not self.event_types or message.event_type in self.event_types)
            and (not self.company_tags or bool(tags & set(self.company_tags)))
        )

    def document(self) -> Document:
        """Codat's webhook consumer; the signing secret is never shown."""
        return {
            "id": self.id,
            "url": self.url,
            "disabled": self.disabled,
            "eventTypes": self.event_types,
            "companyTags": self.company_tags,
        }


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs as Standard Webhooks prescribes. ``secret`` is ``whsec_`` and base64."""

    secret: str | None
    style: HeaderStyle

    def __post_init__(self) -> None:
        if self.secret is not None and not self.secret.startswith("whsec_"):
            raise UsageError("the webhook secret has to start with 'whsec_'")

    def headers(self, message_id: str, moment: datetime, body: bytes) -> dict[str, str]:
        """The identity, time and signature headers; no signature without a secret."""
        timestamp = str(int(moment.timestamp()))
        headers = {f"{self.style}-id": message_id, f"{self.style}-timestamp": timestamp}
        if self.secret is not None:
            key = base64.b64decode(self.secret.removeprefix("whsec_"))
            digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
            headers[f"{self.style}-signature"] = f"v1,{base64.b64encode(digest).decode()}"
        return headers


@dataclass(frozen=True, slots=True)
class _Delivery:
    """One body on its way to one endpoint; ``sign`` is None for the older service."""

    url: str
    message_id: str
    body: bytes
    sign: Signer | None
    authorization: str | None = None

    @property
    def waits(self) -> tuple[timedelta, ...]:
        return LEGACY_RETRY_DELAYS if self.sign is None else RETRY_DELAYS


@dataclass(slots=True)
class Post:
    """The post office: consumers, faults on the way, and deliveries in flight.

    ``wall`` is the real time: signatures carry it, because a receiver holds them against its own clock.
    """

    now: Callable[[], datetime]
    wall: Callable[[], datetime]
    after: Callable[[timedelta, Callable[[], None]], None]
    real_seconds: Callable[[timedelta], float]
    faults: Faults
    signer: Signer
    legacy_url: str | None
    legacy_authorization: str | None
    consumers: dict[str, Consumer] = field(default_factory=dict)
    session: aiohttp.ClientSession | None = None
    _held_back: list[Callable[[], None]] = field(default_factory=list)
    _in_flight: set[asyncio.Task[None]] = field(default_factory=set)

    def send(self, message: Message, data_type: str = "") -> None:
        """Sends a message to every consumer that wants it, through whatever fault is arranged."""
        company_id = "" if message.company is None else message.company.id
        occasion = Occasion(data_type=data_type, company_id=company_id, event_type=message.event_type)
        body = encode(message.document(self.now()))
        self._dispatch(self.faults.take(DELIVERY_FAULTS, occasion), lambda: self._send_now(message, body))

    def send_legacy(self, message: LegacyMessage, data_type: str = "") -> None:
        """Sends an alert of the older service, when it has an endpoint."""
        if self.legacy_url is None:
            return
        occasion = Occasion(data_type=data_type, company_id=message.company.id, event_type=message.rule_type)
        delivery = _Delivery(
            self.legacy_url, message.alert_id, encode(message.document()), None, self.legacy_authorization
        )
        self._dispatch(self.faults.take(DELIVERY_FAULTS, occasion), lambda: self._attempt(delivery, 0))

    async def settle(self) -> None:
        """Waits until nothing is in flight."""
        while self._in_flight:
            await asyncio.wait(set(self._in_flight))

    async def close(self) -> None:
        """Drops what is in flight and the connections."""
        for task in self._in_flight:
            task.cancel()
        if self.session is not None:
            await self.session.close()

    def _dispatch(self, fault: Fault | None, send: Callable[[], None]) -> None:
        match fault:
            case None:
                send()
            case Fault(kind=FaultKind.WEBHOOK_LOST):
                return
            case Fault(kind=FaultKind.WEBHOOK_REORDERED):
                self._held_back.append(send)
                self.after(fault.wait, self._release_held_back)
                return
            case Fault(kind=FaultKind.WEBHOOK_LATE):
                self.after(fault.wait, send)
                return
            case _:
                for _ in range(fault.copies):
                    send()
        if self._held_back:
            self._spawn(self._release_when_landed())

    async def _release_when_landed(self) -> None:
        """Sends what was held back once everything sent before has been answered."""
        others = {task for task in self._in_flight if task is not asyncio.current_task()}
        if others:
            await asyncio.wait(others)
        self._release_held_back()

    def _release_held_back(self) -> None:
        held_back, self._held_back = self._held_back, []
        for send in held_back:
            send()

    def _send_now(self, message: Message, body: bytes) -> None:
        for consumer in self.consumers.values():
            if consumer.wants(message):
                self._attempt(_Delivery(consumer.url, message.id, body, self.signer), 0)

    def _attempt(self, delivery: _Delivery, attempt: int) -> None:
        self._spawn(self._deliver(delivery, attempt))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _deliver(self, delivery: _Delivery, attempt: int) -> None:
        status = await self._post(delivery)
        if status is not None and 200 <= status < 300:
            return
        gives_up = delivery.sign is None and status is not None and status not in LEGACY_RETRIED
        if gives_up or attempt >= len(delivery.waits):
            _log.info("webhook dropped", webhook_id=delivery.message_id, status=status, attempts=attempt + 1)
            return
        self.after(delivery.waits[attempt], lambda: self._attempt(delivery, attempt + 1))

    async def _post(self, delivery: _Delivery) -> int | None:
        """The status answered, or None when there was no answer."""
        headers = {"Content-Type": "application/json"}
        if delivery.sign is None:
            headers["X-Codat-ClientId"] = CLIENT_ID
        else:
            headers |= delivery.sign.headers(delivery.message_id, self.wall(), delivery.body)
        if delivery.authorization is not None:
            headers["Authorization"] = delivery.authorization
        seconds = max(self.real_seconds(ACKNOWLEDGE_WITHIN), SHORTEST_REAL_WAIT)
        if self.session is None:
            self.session = aiohttp.ClientSession()
        try:
            timeout = aiohttp.ClientTimeout(total=seconds)
            async with self.session.post(
                delivery.url, data=delivery.body, headers=headers, timeout=timeout
            ) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
