"""Ids and numbers out of a caller's text, and a caller's text short enough to repeat. Pure."""

from __future__ import annotations

from typing import Final
from uuid import UUID

MAX_DIGITS: Final = 60
"""Digits of any number: beyond every amount and balance, and far from what costs time to read."""

SHOWN_CHARACTERS: Final = 60
"""How much of a caller's text a refusal repeats: enough to find it, too little to make the answer large."""


def read_uuid(text: str) -> UUID | None:
    """A UUID in its usual spelling, None for any other text."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None


def read_whole(text: str) -> int | None:
    """A whole number in digits, None for any other text."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS else None


def shorten(text: str) -> str:
    """The beginning of a text, printable."""
    shown = text[:SHOWN_CHARACTERS]
    return shown if shown.isprintable() else ascii(shown)
