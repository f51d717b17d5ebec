"""Standard Webhooks signatures (specification 1.0): HMAC-SHA256 over ``{id}.{timestamp}.{body}``. Pure.

Everything is compared as bytes. Verifying never raises: whatever the sender put into the headers, the answer is
:class:`Verified` or :class:`Unverified`.
"""

from __future__ import annotations

import binascii
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

TOLERANCE_SECONDS: Final = 300
"""How far a timestamp may lie from now, either way: the practice of the specification's libraries."""

MAX_ID_CHARACTERS: Final = 128
"""Longest message id: Codat's have 31; ids are kept for good in an index."""

MAX_SIGNATURES: Final = 16
"""Signatures read from one header. Rotation needs two; more than this is an attempt to buy guesses wholesale."""

_ID: Final = re.compile(rf"[!-\-/-~]{{1,{MAX_ID_CHARACTERS}}}")
"""Visible ASCII except the full stop, which separates the signed parts."""

WEBHOOK_ID_WORDS: Final = f"1 to {MAX_ID_CHARACTERS} visible ASCII characters other than a full stop"
"""What a message id must be, for whoever sent another."""

_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class SignedHeaders:
    """The three headers as received; ``None`` for one that is missing or was sent more than once."""

    webhook_id: str | None
    timestamp: str | None
    signature: str | None


@dataclass(frozen=True, slots=True)
class Verified:
    """The body was signed with one of our secrets, under this id, a moment ago."""

    webhook_id: str


@dataclass(frozen=True, slots=True)
class Unverified:
    """It was not, or that cannot be told; ``reason`` is for the sender and gives nothing away."""

    reason: str


Verdict: TypeAlias = Verified | Unverified


def is_webhook_id(text: str) -> bool:
    """Whether the text can be a message's id."""
    return _ID.fullmatch(text) is not None


def sign(secret: bytes, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The value of the ``webhook-signature`` header; ``timestamp`` is in Unix seconds."""
    return "v1," + _mac(secret, _signed_content(webhook_id, str(timestamp), body)).decode("ascii")


def verify(secrets: Sequence[bytes], headers: SignedHeaders, body: bytes, now: int) -> Verdict:
    """Whether any of ``secrets`` signed ``body`` within :data:`TOLERANCE_SECONDS` of ``now`` (Unix seconds)."""
    webhook_id, timestamp, signature = headers.webhook_id, headers.timestamp, headers.signature
    if not secrets:
        return Unverified("this endpoint has no signing secret configured")
    if webhook_id is None or timestamp is None or signature is None:
        return Unverified("the id, timestamp and signature headers must each be present exactly once")
    if not is_webhook_id(webhook_id):
        return Unverified(f"the id must be {WEBHOOK_ID_WORDS}")
    if not _TIMESTAMP.fullmatch(timestamp):
        return Unverified("the timestamp must be whole Unix seconds")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return Unverified(f"the timestamp is more than {TOLERANCE_SECONDS} seconds from now")
    candidates = _candidates(signature)
    if not 0 < len(candidates) <= MAX_SIGNATURES:
        return Unverified(f"the signature header must hold 1 to {MAX_SIGNATURES} v1 signatures")
    content = _signed_content(webhook_id, timestamp, body)
    genuine = False
    for secret in secrets:
        expected = _mac(secret, content)
        for candidate in candidates:
            # Never short-circuited: the time taken must not tell which secret or which signature came close.
            genuine |= hmac.compare_digest(expected, candidate)
    return Verified(webhook_id) if genuine else Unverified("no signature matches the body")


def _signed_content(webhook_id: str, timestamp: str, body: bytes) -> bytes:
    return b"%b.%b.%b" % (webhook_id.encode("ascii"), timestamp.encode("ascii"), body)


def _mac(secret: bytes, content: bytes) -> bytes:
    return binascii.b2a_base64(hmac.digest(secret, content, "sha256"), newline=False)


def _candidates(header: str) -> list[bytes]:
    # One more split than allowed is enough to see that there are too many. Other versions (v1a) are not ours to judge.
    parts = header.encode("utf-8", "backslashreplace").split(b" ", MAX_SIGNATURES)
    return [part[3:] for part in parts if part.startswith(b"v1,")]
