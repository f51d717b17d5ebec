"""What a transaction says, as it is stored and compared: its fingerprint and its metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from worker.ledger.transaction import NewTransaction, PartialPost, Reverse

NO_METADATA = "{}"
"""Metadata of whoever has none, as JSON text."""


def content_of(transaction: NewTransaction) -> bytes:
    """Fingerprint of what a transaction does to the books; description and metadata are annotations, not part of it."""
    return _digest(
        [
            transaction.status,
            transaction.effective_at and transaction.effective_at.isoformat(),
            [
                [str(entry.account), entry.direction, entry.amount]
                if entry.effective_at is None
                else [str(entry.account), entry.direction, entry.amount, entry.effective_at.isoformat()]
                for entry in transaction.entries
            ],
        ]
    )


def content_of_reversal(reversal: Reverse) -> bytes:
    """Fingerprint of what a reversal does to the books."""
    moment = reversal.effective_at and reversal.effective_at.isoformat()
    return _digest(["reverses", str(reversal.original), reversal.status, moment])


def content_of_part(part: PartialPost) -> bytes:
    """Fingerprint of what a partial post does to the books; it has no external id to be repeated under."""
    entries = [[str(entry.account), entry.direction, entry.amount] for entry in part.entries]
    return _digest(["partially posts", str(part.transaction), entries])


def metadata_text(metadata: Mapping[str, str]) -> str:
    """Metadata as the JSON text its column takes."""
    return json.dumps(dict(metadata)) if metadata else NO_METADATA


def merge_metadata(text: str, changes: Mapping[str, str | None]) -> str:
    """Metadata after some keys were set, or removed by an empty or None value; the same text when nothing changes."""
    before: dict[str, str] = json.loads(text)
    after = {key: value for key, value in before.items() if key not in changes}
    after |= {key: value for key, value in changes.items() if value}
    return text if after == before else json.dumps(after)


def _digest(content: list[object]) -> bytes:
    return hashlib.sha256(json.dumps(content).encode("ascii")).digest()
