"""HTTP to Modern Treasury: the pace it asks for, and quick repetition of what fails in passing.

Every request may be repeated: those that create something carry an Idempotency-Key, all others lead to the same state
however often they are sent.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import aiohttp
import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from worker.exchange import BrokenError, NotConnectedError, OversizeError, exchange
from worker.reply import Reply, retry_after
from worker.treasury.pace import Pace
from worker.treasury.replies import TreasuryDeniedError, TreasuryUnavailableError, read_refusal

ATTEMPTS: Final = 3
"""Attempts at once; a fault that outlasts them is the queue's to wait out."""

FIRST_PAUSE_SECONDS: Final = 0.2
"""Upper bound of the first pause between attempts; it doubles."""

LONGEST_PAUSE_SECONDS: Final = 2.0
"""Upper bound of any pause between attempts, so that all of them together take seconds."""

_PASSING: Final = frozenset({408, 409})
"""Statuses below 500 that pass: too slow a request, and a key whose first request is still under way."""

_DENIED: Final = frozenset({401, 402, 403})

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """One request below the base URL. ``target`` is already encoded; ``key`` becomes the Idempotency-Key."""

    method: str
    target: str
    body: bytes | None = field(default=None, repr=False)
    key: UUID | None = None
    is_list: bool = False


class _PassingError(Exception):
    """A status that another attempt may not meet any more."""


class Transport:
    """Sends requests with the organization's key. Its own representation and errors never show the key."""

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, organization_id: str, api_key: str, pace: Pace
    ) -> None:
        self._session = session
        self._base_url = base_url
        credentials = base64.b64encode(f"{organization_id}:{api_key}".encode()).decode("ascii")
        self._authorization = f"Basic {credentials}"
        self._pace = pace

    async def send(self, request: Request) -> Reply:
        """A reply that says something about the request: 2xx, or a 4xx for which it is itself to blame.

        Raises :class:`TreasuryUnavailableError` and :class:`TreasuryDeniedError`; cancellation passes through.
        """
        # Positive predicates of ordinary exceptions only, so that cancellation is never taken for a failed attempt.
        attempts = AsyncRetrying(
            retry=retry_if_exception_type((NotConnectedError, BrokenError, _PassingError)),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS),
            reraise=True,
        )
        try:
            return await attempts(self._attempt, request)
        except (NotConnectedError, BrokenError, _PassingError, OversizeError) as error:
            raise TreasuryUnavailableError(str(error)) from error

    async def _attempt(self, request: Request) -> Reply:
        await self._pace.await_turn(is_list=request.is_list)
        url = f"{self._base_url}/api/{request.target}"
        reply = await exchange(
            self._session, "Modern Treasury", request.method, url, self._headers(request), request.body
        )
        if reply.status in _DENIED:
            words = read_refusal(reply.status, reply.body)
            raise TreasuryDeniedError(f"Modern Treasury refuses access ({words}): check MODERN_TREASURY_API_KEY")
        if 300 <= reply.status < 400:
            raise TreasuryDeniedError("Modern Treasury answered with a redirect: check MODERN_TREASURY_BASE_URL")
        if reply.status == 429:
            wait = retry_after(reply.headers, datetime.now(UTC))
            _log.warning("treasury_rate_limited", retry_after_seconds=wait.total_seconds())
            self._pace.be_quiet(wait)
            raise TreasuryUnavailableError("Modern Treasury limits how often it may be asked", wait)
        if reply.status >= 500 or reply.status in _PASSING:
            raise _PassingError(f"Modern Treasury answered {read_refusal(reply.status, reply.body)}")
        return reply

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"Authorization": self._authorization, "Accept": "application/json"}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if request.key is not None:
            headers["Idempotency-Key"] = str(request.key)
        return headers
