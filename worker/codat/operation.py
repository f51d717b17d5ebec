"""What a request to Codat is called in the metrics: a bounded set of names without any id. Pure."""

from __future__ import annotations

from typing import Final

from worker.codat.records import RecordKind

_AREAS: Final = frozenset({"push", "data", "options", "connectionInfo", "bankFeedAccounts", "dataStatus"})
_TYPES: Final = frozenset({kind.value for kind in RecordKind} | {"accounts", "queue", "info", "mapping"})


def operation_name(method: str, path: str) -> str:
    """``POST push/transfers`` for a transfer's creation: the method, the area, and the type of data it is about."""
    segments = path.strip("/").split("/")
    area = next((index for index, segment in enumerate(segments) if segment in _AREAS), None)
    if area is None:
        return f"{method} {'connections' if 'connections' in segments else 'companies'}"
    types = [segment for segment in segments[area + 1 :] if segment in _TYPES]
    return f"{method} {'/'.join([segments[area], *types[-1:]])}"
