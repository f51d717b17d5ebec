"""What a transaction says, as it is stored and compared: its fingerprint and its metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec

from worker.ledger.transaction import MAX_METADATA_PAIRS, NewEntry, NewTransaction, PartialPost, Reverse

NO_METADATA: Final = "{}"
"""Metadata of whoever has none, as JSON text."""

_MOMENTS_REMEMBERED: Final = 1024
"""Moments whose text and day are kept at hand: a batch speaks of a few, again and again."""


@lru_cache(_MOMENTS_REMEMBERED)
def moment_text(moment: datetime) -> str:
    """A moment in UTC as ISO 8601 writes it: one instant, one text."""
    return moment.astimezone(UTC).isoformat()


@lru_cache(_MOMENTS_REMEMBERED)
def day_of(moment: datetime) -> date:
    """The day of a moment, in UTC."""
    return moment.astimezone(UTC).date()


def text_field(text: str | None) -> str:
    """A text as part of a longer one that is hashed: its length goes before it, so that no two texts look alike."""
    return "-" if text is None else f"{len(text)}:{text}"


def content_of(transaction: NewTransaction) -> bytes:
    """Fingerprint of what a transaction does to the books; description and metadata are annotations, not part of it."""
    moment = moment_text(transaction.effective_at) if transaction.effective_at else "-"
    return hash_text(f"{transaction.status} {moment}\n{_entries_text(transaction.entries)}")


def content_of_reversal(reversal: Reverse) -> bytes:
    """Fingerprint of what a reversal does to the books."""
    moment = moment_text(reversal.effective_at) if reversal.effective_at else "-"
    return hash_text(f"reverses {_key(reversal.original)} {reversal.status} {moment}")


def content_of_part(part: PartialPost) -> bytes:
    """Fingerprint of what a partial post does to the books; it has no external id to be repeated under."""
    return hash_text(f"partially posts {_key(part.transaction)}\n{_entries_text(part.entries)}")


def hash_text(text: str) -> bytes:
    """The SHA-256 of a text; one that is no Unicode has a hash too, and is refused where it is stored."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def metadata_text(metadata: Mapping[str, str]) -> str:
    """Metadata as the JSON text its column takes."""
    return msgspec.json.encode(dict(metadata)).decode() if metadata else NO_METADATA


def merge_metadata(text: str, changes: Mapping[str, str | None]) -> str:
    """Metadata after some keys were set, or removed by an empty or None value; the same text when nothing changes."""
    before: dict[str, str] = json.loads(text)
    after = {key: value for key, value in before.items() if key not in changes}
    after |= {key: value for key, value in changes.items() if value}
    return text if after == before else json.dumps(after)


def outgrows(text: str, changes: Mapping[str, str | None]) -> bool:
    """Whether metadata that was added to by changes has more pairs than one object may have."""
    return any(changes.values()) and len(json.loads(text)) > MAX_METADATA_PAIRS


def _entries_text(entries: tuple[NewEntry, ...]) -> str:
    return "\n".join(
        [
            f"{_key(entry.account)} {entry.direction} {entry.amount}"
            if entry.effective_at is None
            else f"{_key(entry.account)} {entry.direction} {entry.amount} {moment_text(entry.effective_at)}"
            for entry in entries
        ]
    )


def _key(key: str | UUID) -> str:
    return key.hex if isinstance(key, UUID) else f"{len(key)}:{key}"
