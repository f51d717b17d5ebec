"""HTTP to Codat: admission through the gate, deadlines, bounded replies, and quick repetition of what is safe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias, assert_never
from uuid import UUID

import aiohttp
import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from worker.codat import interpret
from worker.codat.gate import Gate
from worker.codat.replies import AmbiguityCause, Ambiguous, RateLimited, Unavailable, Unsent
from worker.errors import DatabaseUnavailable
from worker.exchange import BrokenError, NotConnectedError, OversizeError, exchange
from worker.reply import Reply, retry_after

ATTEMPTS: Final = 3
"""Attempts of what is safe to repeat at once; a fault that outlasts them is the queue's to wait out."""

FIRST_PAUSE_SECONDS: Final = 0.2
"""Upper bound of the first pause between attempts; it doubles."""

LONGEST_PAUSE_SECONDS: Final = 2.0
"""Upper bound of any pause between attempts, so that all of them together take seconds."""

_log = structlog.get_logger(__name__)

Failure: TypeAlias = Ambiguous | Unsent | RateLimited
"""Why there is no reply at all."""


class _ServerError(Exception):
    """A 5xx to a request that may be repeated."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


def always() -> bool:
    """For requests that never grow too old to be sent."""
    return True


@dataclass(frozen=True, slots=True)
class Request:
    """One request below the base URL. ``target`` is already encoded; ``key`` becomes the Idempotency-Key.

    ``may_leave`` is asked last, right before each time the request leaves: the wait for admission may outlast its key.
    """

    company_id: UUID
    method: str
    target: str
    body: bytes | None = field(default=None, repr=False)
    key: UUID | None = None
    may_leave: Callable[[], bool] = always

    @property
    def is_repeatable(self) -> bool:
        """Repeating it at once cannot write anything twice."""
        return self.method == "GET"


class Transport:
    """Sends requests with the client's key. Its own representation and errors never show the key."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, authorization: str, gate: Gate) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._authorization = authorization
        self._gate = gate

    async def exchange(self, request: Request) -> Reply | Failure:
        """One reply of whatever status, or why there is none; repeats for seconds what is safe to repeat.

        A connection that was never made is always safe to try again; a 5xx, a timeout or a broken connection only for
        a GET. Raises :class:`~worker.errors.DatabaseUnavailable` from the gate; cancellation passes through.
        """
        # Positive predicates of ordinary exceptions only, so that cancellation is never taken for a failed attempt.
        repeatable = (NotConnectedError, BrokenError, _ServerError) if request.is_repeatable else NotConnectedError
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(repeatable),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS),
            reraise=True,
        )
        try:
            return await attempts(self._attempt, request)
        except _ServerError as error:
            return error.reply
        except NotConnectedError as error:
            return Unsent(str(error))
        except BrokenError as error:
            return Ambiguous(AmbiguityCause(error.breach.value), None, str(error))
        except OversizeError as error:
            return Ambiguous(AmbiguityCause.REPLY, None, str(error))

    async def _attempt(self, request: Request) -> Reply | Failure:
        async with self._gate.admit(request.company_id) as wait:
            if wait is not None:
                return RateLimited(wait)
            if not request.may_leave():
                return Unsent("it waited until its key was too old to protect it")
            reply = await self._send(request)
        await self._take_note(reply)
        if reply.status >= 500 and request.is_repeatable:
            raise _ServerError(reply)
        return reply

    async def _send(self, request: Request) -> Reply:
        url = f"{self._base_url}/{request.target}"
        return await exchange(self._session, "Codat", request.method, url, self._headers(request), request.body)

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"Authorization": self._authorization, "Accept": "application/json"}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if request.key is not None and request.method == "POST":
            headers["Idempotency-Key"] = str(request.key)
        return headers

    async def _take_note(self, reply: Reply) -> None:
        quota = interpret.quota(reply.headers)
        try:
            if quota is not None:
                await self._gate.observe(quota)
            if reply.status == 429 and not interpret.is_platform_limit(reply):
                wait = retry_after(reply.headers, datetime.now(UTC))
                _log.warning("codat_rate_limited", retry_after_seconds=wait.total_seconds())
                await self._gate.close_for(wait)
        except DatabaseUnavailable:
            # The reply of a write is worth more than what the other replicas learn from it.
            _log.warning("codat_limits_not_shared", status=reply.status)


def read_reply_of(outcome: Reply | Failure) -> Reply | RateLimited | Unavailable:
    """The same outcome to a request that is not ambiguous, because asking again is harmless."""
    match outcome:
        case Reply() | RateLimited():
            return outcome
        case Ambiguous(detail=detail) | Unsent(detail=detail):
            return Unavailable(detail)
        case _:
            assert_never(outcome)
