"""What is known of a connection, asked again when it is too old to be believed."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from worker.codat.platforms import Platform
from worker.codat.replies import Found, NotFound, ReadReply
from worker.writeback import store
from worker.writeback.desk import Desk, Pause
from worker.writeback.preflight import usable_connection
from worker.writeback.situation import KnownConnection, Saga

MISSING: Final = "Missing"
"""Status of a connection Codat answers 404 for."""


async def known_connection(desk: Desk, company_id: UUID, connection_id: UUID) -> ReadReply[KnownConnection]:
    """The connection as known, or as Codat describes it now when that is older than ``connection_fresh``."""
    async with desk.database.connection() as connection:
        known = await store.load_connection(connection, connection_id)
    if known is not None and known.is_fresh(desk.clock(), desk.timings.connection_fresh):
        return Found(known)
    return await read_connection(desk, company_id, connection_id)


async def linked_connection(desk: Desk, saga: Saga, connection_id: UUID) -> KnownConnection | Pause:
    """A connection of the saga's company, when it takes writes."""
    reply = await known_connection(desk, saga.company_id, connection_id)
    if not isinstance(reply, Found):
        return Pause(await desk.unread(saga, reply))
    hold = usable_connection(reply.value)
    if hold is None:
        return reply.value
    return Pause(await desk.wait(saga, hold.waiting_for, hold.reason, recheck=desk.timings.connection_recheck))


async def read_connection(desk: Desk, company_id: UUID, connection_id: UUID) -> ReadReply[KnownConnection]:
    """Ask Codat for the connection's status and the books' lock date, and remember both."""
    asked_at = desk.clock()
    async with desk.database.connection() as connection:
        known = await store.load_connection(connection, connection_id)
    reply = await desk.codat.get_connection(company_id, connection_id)
    match reply:
        case Found(value=found):
            fresh = KnownConnection(
                connection_id=connection_id,
                company_id=company_id,
                platform=found.platform,
                platform_name=found.platform_name,
                status=found.status,
                lock_date=await _lock_date(desk, company_id, known),
                checked_at=asked_at,
            )
        case NotFound():
            fresh = KnownConnection(
                connection_id=connection_id,
                company_id=company_id,
                platform=known.platform if known else Platform.OTHER,
                platform_name=known.platform_name if known else "accounting",
                status=MISSING,
                lock_date=known.lock_date if known else None,
                checked_at=asked_at,
            )
        case _:
            return reply
    async with desk.database.connection() as connection:
        await store.save_connection(connection, fresh)
    return Found(fresh)


async def _lock_date(desk: Desk, company_id: UUID, known: KnownConnection | None) -> date | None:
    # Not every platform tells; what was known before is then the best there is.
    reply = await desk.codat.company_info(company_id)
    if isinstance(reply, Found):
        return reply.value.ledger_lock_date
    return known.lock_date if known else None
