"""Asking a connection what it demands of a record, before the record is sent to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from worker.codat.replies import Denied, Found, NotFound, NotReady, RateLimited, Refused, Unavailable
from worker.errors import Rejected
from worker.writeback.configure.creatable import NewRecord, objection, unsupported
from worker.writeback.desk import Desk
from worker.writeback.situation import RECORD_KINDS, KnownConnection

Unread: TypeAlias = RateLimited | Denied | NotReady | Refused | Unavailable
"""Answers that bring no options model now, and may bring one later."""


@dataclass(frozen=True, slots=True)
class Unvetted:
    """The options model could not be read."""

    reply: Unread


async def vet(desk: Desk, connection: KnownConnection, record: NewRecord) -> Rejected | Unvetted | None:
    """What stands against creating this record, by the connection's own options model; None when nothing does."""
    traits, kind = connection.traits, RECORD_KINDS[record.kind]
    reply = await desk.codat.options(kind, connection.company_id, connection.connection_id)
    match reply:
        case Found(model):
            info = await desk.codat.company_info(connection.company_id)
            return objection(record, model, traits, info.value.base_currency if isinstance(info, Found) else None)
        case NotFound(error):
            # Not every platform publishes a model of what it takes: then only sending can tell.
            return unsupported(record, traits) if error.names_unsupported else None
        case _:
            return Unvetted(reply)
