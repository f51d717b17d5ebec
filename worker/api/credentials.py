"""HTTP Basic credentials of ``/api``: compared in constant time, and an empty list closes the door. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from worker.api.refusals import Code
from worker.errors import Rejected


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an organization by one of its keys, which :attr:`scope` stands for without revealing it."""

    organization_id: str
    scope: bytes = field(repr=False)


def authenticate(authorization: str | None, keys: Sequence[tuple[str, str]]) -> Caller:
    """The caller these credentials belong to; ``keys`` are organization ids with an API key each.

    Raises :class:`~worker.errors.Rejected` (401) for any others.
    """
    presented = _decoded(authorization)
    # Every pair is compared, so that the time taken tells nothing of which one was nearly right.
    matching = [key for key in keys if hmac.compare_digest(presented, ":".join(key).encode())]
    if not matching:
        words = "an organization id and one of its API keys are required"
        raise Rejected(401, words, field="Authorization", code=Code.INVALID_KEY)
    organization_id, api_key = matching[0]
    scope = hmac.digest(api_key.encode(), b"idempotency keys of " + organization_id.encode(), hashlib.sha256)
    return Caller(organization_id, scope)


def _decoded(authorization: str | None) -> bytes:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.casefold() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.strip().encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""
