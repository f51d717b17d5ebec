"""``POST /webhooks/loans`` and ``POST /webhooks/codat``: authenticate the bytes, read them, store them, answer.

Any content type is accepted: the signature covers the bytes, and what they are is seen by reading them.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

import msgspec
import structlog
from aiohttp import hdrs, web

from worker.errors import Rejected, Unavailable
from worker.inbox.body import read_body
from worker.inbox.codat_webhooks import read_envelope
from worker.inbox.messages import NewMessage, Source, codat_message, loan_message
from worker.inbox.receiver import Receiver
from worker.inbox.signature import SignedHeaders, Unverified, verify
from worker.inbox.store import Conflict, Duplicate, Recorded, Verdict
from worker.problems import SIGNATURE_CODE, problem

LOANS_PATH: Final = "/webhooks/loans"
CODAT_PATH: Final = "/webhooks/codat"

STANDARD: Final = "webhook"
SVIX: Final = "svix"
"""The two spellings of the signature's headers; Codat's new service may send either."""


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """What authenticates senders. An empty or missing one closes its door."""

    loans: tuple[bytes, ...]
    codat: tuple[bytes, ...]
    codat_authorization: str | None


@dataclass(frozen=True, slots=True)
class Reception:
    """What became of one delivery, for the metrics. ``type`` is ``"unknown"`` until the body could be read."""

    source: Source
    type: str
    outcome: str
    seconds: float


Observe: TypeAlias = Callable[[Reception], None]
"""Told of every delivery once it is answered."""

ReadMessage: TypeAlias = Callable[[web.Request, bytes], NewMessage]

log = structlog.get_logger(__name__)


def add_routes(app: web.Application, receiver: Receiver, secrets: WebhookSecrets, observe: Observe) -> None:
    """Adds both endpoints; :func:`~worker.problems.problem_middleware` must be among the application's middlewares."""
    webhooks = _Webhooks(receiver, secrets, observe)
    app.router.add_post(LOANS_PATH, webhooks.loans)
    app.router.add_post(CODAT_PATH, webhooks.codat)


class _Webhooks:
    def __init__(self, receiver: Receiver, secrets: WebhookSecrets, observe: Observe) -> None:
        self._receiver = receiver
        self._secrets = secrets
        self._observe = observe

    async def loans(self, request: web.Request) -> web.Response:
        return await self._receive(request, Source.LOANS, self._read_loan_event)

    async def codat(self, request: web.Request) -> web.Response:
        return await self._receive(request, Source.CODAT, self._read_codat_webhook)

    async def _receive(self, request: web.Request, source: Source, read: ReadMessage) -> web.Response:
        started = time.perf_counter()
        kind, outcome = "unknown", "failed"
        try:
            body = await read_body(request)
            message = read(request, body)
            kind = message.type
            verdict = await self._receiver.accept(message)
            outcome = type(verdict).__name__.lower()
            return _answer(verdict, message)
        except Rejected as error:
            outcome = "unauthenticated" if error.code == SIGNATURE_CODE else "rejected"
            log.info("webhook_refused", source=source.value, code=error.code, field=error.field)
            raise
        except Unavailable:
            outcome = "unavailable"
            raise
        finally:
            self._observe(Reception(source, kind, outcome, time.perf_counter() - started))

    def _read_loan_event(self, request: web.Request, body: bytes) -> NewMessage:
        return loan_message(_verified(self._secrets.loans, _signed_headers(request, STANDARD), body), body)

    def _read_codat_webhook(self, request: web.Request, body: bytes) -> NewMessage:
        webhook_id = self._authenticate_codat(request, body)
        return codat_message(webhook_id, read_envelope(body), body)

    def _authenticate_codat(self, request: web.Request, body: bytes) -> str | None:
        """The delivery's id, or ``None`` for the older rules, which sign nothing and send a fixed ``Authorization``."""
        for spelling in (STANDARD, SVIX):
            if f"{spelling}-signature" in request.headers:
                return _verified(self._secrets.codat, _signed_headers(request, spelling), body)
        expected = self._secrets.codat_authorization
        given = request.headers.getall(hdrs.AUTHORIZATION, [])
        if expected and len(given) == 1 and hmac.compare_digest(_encoded(given[0]), _encoded(expected)):
            return None
        raise Rejected(401, "neither a signature nor the agreed Authorization was sent", code=SIGNATURE_CODE)


def _signed_headers(request: web.Request, spelling: str) -> SignedHeaders:
    def only(name: str) -> str | None:
        values = request.headers.getall(f"{spelling}-{name}", [])
        return values[0] if len(values) == 1 else None

    return SignedHeaders(only("id"), only("timestamp"), only("signature"))


def _verified(secrets: tuple[bytes, ...], headers: SignedHeaders, body: bytes) -> str:
    verdict = verify(secrets, headers, body, int(time.time()))
    if isinstance(verdict, Unverified):
        raise Rejected(401, verdict.reason, code=SIGNATURE_CODE)
    return verdict.webhook_id


def _answer(verdict: Verdict, message: NewMessage) -> web.Response:
    match verdict:
        case Recorded():
            return _acknowledged(202, message.webhook_id, "accepted")
        case Duplicate():
            return _acknowledged(200, message.webhook_id, "duplicate")
        case Conflict():
            # A genuine sender never does this: its own mistake, or somebody else's secret.
            log.warning("webhook_id_reused", source=message.source.value, event_id=message.webhook_id)
            return problem(409, "another body was received under this webhook-id before", code="webhook_id_reused")
        case _:
            assert_never(verdict)


def _acknowledged(status: int, webhook_id: str, outcome: str) -> web.Response:
    body = msgspec.json.encode({"id": webhook_id, "status": outcome})
    return web.Response(status=status, body=body, content_type="application/json")


def _encoded(header: str) -> bytes:
    return header.encode("utf-8", "surrogateescape")
