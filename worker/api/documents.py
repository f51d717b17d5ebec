"""What the API offers on top of the books, as JSON: exactly the members Modern Treasury's OpenAPI lists. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from worker.api.moments import show, show_optional
from worker.api.objects import Event, Monitor, Settlement, Statement
from worker.api.render import render_balances, render_head
from worker.api.rows import read_monitor

MONITOR_RESOURCE: Final = "ledger_account_balance_monitor"
"""What the database itself tells of, and so as a row."""


def render_statement(statement: Statement) -> dict[str, object]:
    """A ledger account statement."""
    return {
        **render_head(statement.id, "ledger_account_statement", statement.created_at, statement.created_at),
        "ledger_id": str(statement.ledger_id),
        "description": statement.description,
        "ledger_account_id": str(statement.account_id),
        "ledger_account_lock_version": statement.lock_version,
        "ledger_account_normal_balance": statement.unit.normal_balance,
        "effective_at_lower_bound": show(statement.lower_bound),
        "effective_at_upper_bound": show(statement.upper_bound),
        "starting_balance": render_balances(statement.starting, statement.unit),
        "ending_balance": render_balances(statement.ending, statement.unit),
        "metadata": statement.metadata,
    }


def render_settlement(settlement: Settlement) -> dict[str, object]:
    """A ledger account settlement."""
    return {
        **render_head(settlement.id, "ledger_account_settlement", settlement.created_at, settlement.updated_at),
        "ledger_id": str(settlement.ledger_id),
        "description": settlement.description,
        "status": settlement.status,
        "settled_ledger_account_id": str(settlement.settled_account_id),
        "contra_ledger_account_id": str(settlement.contra_account_id),
        "effective_at_upper_bound": show(settlement.upper_bound),
        "ledger_transaction_id": str(settlement.transaction_id) if settlement.transaction_id else None,
        "amount": settlement.amount,
        "settlement_entry_direction": settlement.direction,
        "currency": settlement.unit.currency,
        "currency_exponent": settlement.unit.currency_exponent,
        "metadata": settlement.metadata,
    }


def render_monitor(monitor: Monitor) -> dict[str, object]:
    """A ledger account balance monitor."""
    return {
        **render_head(monitor.id, "ledger_account_balance_monitor", monitor.created_at, monitor.updated_at),
        "discarded_at": show_optional(monitor.discarded_at),
        "ledger_account_id": str(monitor.account_id),
        "description": monitor.description,
        "alert_condition": {
            "field": monitor.condition.field,
            "operator": monitor.condition.operator,
            "value": monitor.condition.value,
        },
        "current_ledger_account_balance_state": {
            "balances": render_balances(monitor.sums, monitor.unit),
            "ledger_account_lock_version": monitor.lock_version,
            "triggered": monitor.triggered,
        },
        "metadata": monitor.metadata,
    }


def render_event(event: Event) -> dict[str, object]:
    """An event."""
    return {
        **render_head(event.id, "event", event.created_at, event.created_at),
        "resource": event.resource,
        "event_name": event.name,
        "event_time": show(event.created_at),
        "data": event_data(event),
        "entity_id": str(event.entity_id),
    }


def event_data(event: Event) -> Mapping[str, Any]:
    """The object an event is about, as it was then."""
    if event.resource != MONITOR_RESOURCE:
        return event.snapshot
    row = dict(event.snapshot)
    for column in ("created_at", "updated_at"):
        row[column] = datetime.fromisoformat(row[column])
    return render_monitor(read_monitor(row, row["metadata"]))
