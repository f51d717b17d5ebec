"""Bearer tokens of ``/v1``: compared in constant time, and an empty list closes the door. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from worker.errors import Rejected


def require_bearer(authorization: str | None, tokens: Sequence[str]) -> None:
    """Raise :class:`~worker.errors.Rejected` (401) unless the header carries one of the tokens."""
    scheme, _, given = (authorization or "").partition(" ")
    presented = given.strip().encode("utf-8", "surrogateescape")
    # Every token is compared, so that the time taken tells nothing of which one was nearly right.
    matches = [hmac.compare_digest(presented, token.encode()) for token in tokens]
    if scheme.casefold() != "bearer" or not any(matches):
        raise Rejected(401, "a bearer token of this service is required", code="unauthenticated")
