"""``/api/ledger_account_balance_monitors``.

A monitor is looked at in the very statement that changes its account's balances, whoever posts, and each time its
condition begins or ceases to hold an event says so: ``triggered`` or ``resolved``, the first one when it is created.
What is seen are balances as they are committed: a threshold that one batch crosses both ways was never crossed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from worker.api import monitors_store as store
from worker.api.body import MAX_DESCRIPTION, Body
from worker.api.call import Answer, Call, answer, list_answer
from worker.api.documents import render_monitor
from worker.api.effects import Effects
from worker.api.metadata import require_few
from worker.api.monitors_store import MonitorFilter, NewMonitor
from worker.api.objects import AlertCondition, Monitor, MonitorField, Operator
from worker.api.reading_store import Listed, require_cursor, snapshot
from worker.api.refusals import not_found, unknown
from worker.api.shapes import LedgerAccountBalanceMonitorObject
from worker.database import Connection, Database

NOUN: Final = "Ledger account balance monitor"


class Monitors:
    """Ledger account balance monitors."""

    def __init__(self, database: Database, effects: Effects) -> None:
        self._database = database
        self._effects = effects

    async def list(self, call: Call) -> Answer[Sequence[LedgerAccountBalanceMonitorObject]]:
        """A page of monitors."""
        asked = call.query
        which = MonitorFilter(asked.uuids("id"), asked.uuid("ledger_account_id"), asked.metadata())
        page = asked.page()
        asked.finish()
        async with snapshot(self._database) as connection:
            monitors = await store.list_monitors(connection, which, page)
            if not monitors:
                await require_cursor(connection, Listed.MONITORS, page)
        return list_answer([render_monitor(monitor) for monitor in monitors], page)

    async def create(self, call: Call) -> Answer[LedgerAccountBalanceMonitorObject]:
        """A new monitor, which looks at its account at once."""
        new = _read_new(call.body)

        async def effect(connection: Connection) -> Answer[LedgerAccountBalanceMonitorObject]:
            monitor_id = await store.insert_monitor(connection, new)
            if monitor_id is None:
                raise unknown("ledger_account_id", "Ledger account")
            return answer(render_monitor(await _find(connection, monitor_id)), 201)

        return await self._effects.once(call, effect)

    async def retrieve(self, call: Call) -> Answer[LedgerAccountBalanceMonitorObject]:
        """One monitor."""
        monitor_id = call.id(NOUN)
        call.query.finish()
        async with self._database.connection() as connection:
            monitor = await _find(connection, monitor_id)
        return answer(render_monitor(monitor))

    async def update(self, call: Call) -> Answer[LedgerAccountBalanceMonitorObject]:
        """Another description or metadata; the condition stays."""
        body, monitor_id = call.body, call.id(NOUN)
        description, metadata = body.change("description", MAX_DESCRIPTION), body.metadata_changes()
        body.finish()
        async with self._database.transaction() as connection:
            if not await store.update_monitor(connection, monitor_id, description, metadata):
                raise not_found(NOUN)
            monitor = await _find(connection, monitor_id)
            require_few(monitor.metadata, metadata)
        return answer(render_monitor(monitor))

    async def discard(self, call: Call) -> Answer[LedgerAccountBalanceMonitorObject]:
        """Discard a monitor."""
        monitor_id = call.id(NOUN)
        call.query.finish()
        async with self._database.transaction() as connection:
            monitor = await _find(connection, monitor_id)
            discarded_at = await store.discard_monitor(connection, monitor_id)
        if discarded_at is None:
            raise not_found(NOUN)
        return answer(render_monitor(replace(monitor, discarded_at=discarded_at, updated_at=discarded_at)))


async def _find(connection: Connection, monitor_id: UUID) -> Monitor:
    monitor = await store.find_monitor(connection, monitor_id)
    if monitor is None:
        raise not_found(NOUN)
    return monitor


def _read_new(body: Body) -> NewMonitor:
    alert = body.required_object("alert_condition")
    value = alert.required_whole("value")
    condition = AlertCondition(
        alert.required_choice("field", MonitorField), alert.required_choice("operator", Operator), value
    )
    alert.finish()
    new = NewMonitor(
        body.required_uuid("ledger_account_id"),
        condition,
        body.text("description", MAX_DESCRIPTION),
        body.metadata(),
    )
    body.finish()
    return new
