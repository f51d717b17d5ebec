"""Identifiers that sort by the moment they were made."""

from __future__ import annotations

from typing import Final
from uuid import UUID

ENTROPY_BYTES: Final = 10
"""Bytes below the 48-bit clock of a version 7 UUID; version and variant take six bits of them (RFC 9562, 5.7)."""

_LOW_80_BITS: Final = (1 << 80) - 1
_VERSION_7: Final = 0x7 << 76
_VARIANT: Final = 0b10 << 62
_FIXED_BITS: Final = (0xF << 76) | (0b11 << 62)


def uuid7(unix_ms: int, entropy: bytes) -> UUID:
    """The version 7 UUID of a moment (milliseconds since 1970, UTC) and ten bytes the caller drew.

    The first bytes of ``entropy`` are the most significant: a caller that puts a counter below 4096 into the first two
    keeps the order of ids made within one millisecond. Raises :class:`ValueError` when either value does not fit.
    """
    if not 0 <= unix_ms < 1 << 48:
        raise ValueError(f"unix_ms must fit in 48 bits, got {unix_ms}")
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"entropy must be {ENTROPY_BYTES} bytes, got {len(entropy)}")
    low = int.from_bytes(entropy, "big") & _LOW_80_BITS & ~_FIXED_BITS
    return UUID(int=(unix_ms << 80) | _VERSION_7 | _VARIANT | low)
