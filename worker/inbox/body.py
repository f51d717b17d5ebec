"""Reading a request's body within bounds of size and time, whatever its framing claims."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import ClientPayloadError, hdrs, web
from aiohttp.http_exceptions import BadHttpMessage

from worker.errors import Rejected

MAX_BODY_BYTES: Final = 256 * 1024
"""Largest webhook: the specification advises 20 kB; this leaves room for a sender's extra fields."""

BODY_SECONDS: Final = 15.0
"""Longest wait for a body: what senders allow the whole delivery; a slower one holds a connection for nothing."""


async def read_body(request: web.Request, limit: int = MAX_BODY_BYTES) -> bytes:
    """The bytes as sent, which is what a signature covers.

    Raises :class:`~worker.errors.Rejected`: 413 beyond ``limit`` bytes, 415 for a compressed body, 408 when it does not
    arrive within :data:`BODY_SECONDS`, 400 when its framing is broken.
    """
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "identity")
    if encoding.lower() != "identity":
        words = "must be identity: send the body uncompressed"
        raise Rejected(415, words, field=hdrs.CONTENT_ENCODING, code="unsupported_media_type")
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(None if request.content.is_eof() else BODY_SECONDS):
            return await _read(request, limit)
    except TimeoutError:
        raise Rejected(
            408, f"the body did not arrive within {BODY_SECONDS:.0f} seconds", code="request_timeout"
        ) from None
    except (BadHttpMessage, ClientPayloadError, web.RequestPayloadError):
        raise Rejected(400, "the body's framing is broken", code="invalid_request") from None


async def _read(request: web.Request, limit: int) -> bytes:
    body = bytearray()
    while chunk := await request.content.readany():
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


def _too_large(limit: int) -> Rejected:
    return Rejected(413, f"the body is larger than {limit} bytes", code="body_too_large")
