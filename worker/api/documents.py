"""What the API offers on top of the books, as JSON: exactly the members Modern Treasury's OpenAPI lists. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from worker.api.bulk_objects import BulkRequest, BulkResult, EntityType, Outcome
from worker.api.moments import show, show_optional
from worker.api.objects import Event, Monitor, Settlement, Statement
from worker.api.render import LIVE_MODE, render_balances, render_head
from worker.api.rows import read_monitor
from worker.api.shapes import (
    BulkEntity,
    BulkErrorObject,
    BulkRequestObject,
    BulkResultObject,
    EventData,
    EventObject,
    LedgerAccountBalanceMonitorObject,
    LedgerAccountSettlementObject,
    LedgerAccountStatementObject,
    RequestErrorObject,
)
from worker.errors import Rejected

MONITOR_RESOURCE: Final = "ledger_account_balance_monitor"
"""What the database itself tells of, and so as a row."""


def render_statement(statement: Statement) -> LedgerAccountStatementObject:
    """A ledger account statement."""
    return {
        "object": "ledger_account_statement",
        **render_head(statement.id, statement.created_at, statement.created_at),
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


def render_settlement(settlement: Settlement) -> LedgerAccountSettlementObject:
    """A ledger account settlement."""
    return {
        "object": "ledger_account_settlement",
        **render_head(settlement.id, settlement.created_at, settlement.updated_at),
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


def render_monitor(monitor: Monitor) -> LedgerAccountBalanceMonitorObject:
    """A ledger account balance monitor."""
    return {
        "object": "ledger_account_balance_monitor",
        **render_head(monitor.id, monitor.created_at, monitor.updated_at),
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


def render_event(event: Event) -> EventObject:
    """An event."""
    return {
        "object": "event",
        **render_head(event.id, event.created_at, event.created_at),
        "resource": event.resource,
        "event_name": event.name,
        "event_time": show(event.created_at),
        "data": event_data(event),
        "entity_id": str(event.entity_id),
    }


def error_outcome(refused: Rejected, error_id: UUID, now: str) -> Outcome:
    """A refusal as the bulk error that stands for the object."""
    error: RequestErrorObject = {"code": refused.code, "message": refused.detail}
    if refused.field is not None:
        error["parameter"] = refused.field
    entity: BulkErrorObject = {
        "object": "bulk_error",
        "id": str(error_id),
        "live_mode": LIVE_MODE,
        "created_at": now,
        "updated_at": now,
        "request_errors": [error],
    }
    return Outcome(EntityType.BULK_ERROR, error_id, json.dumps(entity))


def render_bulk_request(request: BulkRequest) -> BulkRequestObject:
    """A bulk request."""
    return {
        "object": "bulk_request",
        **render_head(request.id, request.created_at, request.updated_at),
        "action_type": request.action,
        "resource_type": request.resource_type,
        "status": request.status,
        "total_resource_count": request.total,
        "success_result_count": request.successful,
        "failed_result_count": request.failed,
        "metadata": request.metadata,
    }


def render_bulk_result(result: BulkResult) -> BulkResultObject:
    """A bulk result. Parameters are a map of strings in the specification: any other value is shown as its JSON."""
    return {
        "object": "bulk_result",
        **render_head(result.id, result.created_at, result.updated_at),
        "request_id": str(result.request_id),
        "request_type": "bulk_request",
        "status": result.status,
        "request_params": {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in result.params.items()
        },
        "entity_id": str(result.entity_id),
        "entity_type": result.entity_type,
        "entity": cast(BulkEntity, result.entity),
    }


def event_data(event: Event) -> EventData:
    """The object an event is about, as it was then."""
    if event.resource != MONITOR_RESOURCE:
        return cast(EventData, event.snapshot)  # as it was rendered when it was written
    row = dict(event.snapshot)
    for column in ("created_at", "updated_at"):
        row[column] = datetime.fromisoformat(row[column])
    return render_monitor(read_monitor(row, row["metadata"]))
