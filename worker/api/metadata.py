"""Metadata on its way into a statement. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping


def metadata_filter(wanted: Mapping[str, str] | None) -> str | None:
    """The JSON an object's metadata must contain; None for no wish."""
    return None if wanted is None else json.dumps(dict(wanted))


def metadata_merge(changes: Mapping[str, str | None]) -> tuple[str, list[str]]:
    """Changes as the JSON to merge and the keys to remove."""
    kept = {key: value for key, value in changes.items() if value is not None}
    return json.dumps(kept), [key for key, value in changes.items() if value is None]
