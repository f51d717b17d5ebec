"""Metadata on its way into a statement. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from worker.api.refusals import invalid
from worker.errors import Rejected
from worker.ledger.transaction import MAX_METADATA_PAIRS


def metadata_filter(wanted: Mapping[str, str] | None) -> str | None:
    """The JSON an object's metadata must contain; None for no wish."""
    return None if wanted is None else json.dumps(dict(wanted))


def metadata_merge(changes: Mapping[str, str | None]) -> tuple[str, list[str]]:
    """Changes as the JSON to merge and the keys to remove."""
    kept = {key: value for key, value in changes.items() if value is not None}
    return json.dumps(kept), [key for key, value in changes.items() if value is None]


def require_few(merged: Mapping[str, str], changes: Mapping[str, str | None]) -> None:
    """Raise :class:`~worker.errors.Rejected` (422) when changes that added left more than one object may have.

    To be asked before the transaction that merged them ends: whoever else merges waits for it.
    """
    if len(merged) > MAX_METADATA_PAIRS and any(changes.values()):
        raise too_many_pairs()


def too_many_pairs() -> Rejected:
    """The refusal of metadata that would have more pairs than one object may have."""
    return invalid("metadata", f"metadata may have at most {MAX_METADATA_PAIRS} pairs, together with those it has")
