"""One HTTP exchange with a foreign system: deadlines, no redirects, a bounded reply, and why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

import aiohttp
from yarl import URL

from worker.reply import Reply

TOTAL_TIMEOUT_SECONDS: Final = 30.0
"""Longest one exchange may take. Codat and Modern Treasury answer writes in well under a second; pages of two thousand
records take seconds. A write given up on is ambiguous, so this errs on the long side."""

CONNECT_TIMEOUT_SECONDS: Final = 5.0
"""Longest wait for a connection: longer means unreachable, and nothing was sent, so trying again is free."""

MAX_REPLY_BYTES: Final = 32 * 1024 * 1024
"""Largest reply read, after decompression: two thousand records of 16 kB. A larger one would only hurt this process."""

CHUNK_BYTES: Final = 64 * 1024
"""Read at once, so that an endless reply is noticed soon."""


class NotConnectedError(Exception):
    """No connection was made, so the request certainly was not sent."""


class Breach(Enum):
    """How an exchange broke off."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"


class BrokenError(Exception):
    """The exchange broke off after the request may have been sent."""

    def __init__(self, breach: Breach, detail: str) -> None:
        super().__init__(detail)
        self.breach = breach


class OversizeError(Exception):
    """The reply was not read to its end, because repeating it would only bring the same flood."""


async def exchange(
    session: aiohttp.ClientSession, system: str, method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> Reply:
    """Send one request to ``system`` (its name, for people) and read its reply, whatever the status.

    ``url`` is already encoded. Raises :class:`NotConnectedError`, :class:`BrokenError` and :class:`OversizeError`, none
    of which shows a header.
    """
    try:
        async with session.request(
            method,
            URL(url, encoded=True),
            data=body,
            headers=headers,
            allow_redirects=False,  # a redirect would carry the credentials to whoever it names
            timeout=aiohttp.ClientTimeout(total=TOTAL_TIMEOUT_SECONDS, sock_connect=CONNECT_TIMEOUT_SECONDS),
        ) as response:
            received = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status, received, await _read_bounded(response))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise NotConnectedError(f"no connection to {system}: {_describe(error)}") from error
    except TimeoutError as error:
        raise BrokenError(Breach.TIMEOUT, f"{system} did not answer in time") from error
    except (aiohttp.ClientError, OSError) as error:
        raise BrokenError(Breach.CONNECTION, f"the connection to {system} broke: {_describe(error)}") from error


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(CHUNK_BYTES):
        size += len(part)
        if size > MAX_REPLY_BYTES:
            raise OversizeError(f"the reply is larger than {MAX_REPLY_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


def _describe(error: BaseException) -> str:
    # Only the kind and the operating system's words: aiohttp's own texts may name headers.
    reason = error.strerror if isinstance(error, OSError) and error.strerror else ""
    return f"{type(error).__name__} {reason}".strip()
