"""Statements, settlements, monitors, events and bulk objects have exactly the members of Modern Treasury's OpenAPI."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Raw
from tests.api.lendnow import LendNow
from tests.api.test_bulk import work
from worker.database import Database


def names(text: str) -> set[str]:
    return set(text.split())


HEAD = names("id object live_mode created_at updated_at")
STATEMENT = HEAD | names(
    "ledger_id description ledger_account_id ledger_account_lock_version ledger_account_normal_balance "
    "effective_at_lower_bound effective_at_upper_bound starting_balance ending_balance metadata"
)
SETTLEMENT = HEAD | names(
    "ledger_id description status settled_ledger_account_id contra_ledger_account_id effective_at_upper_bound "
    "ledger_transaction_id amount settlement_entry_direction currency currency_exponent metadata"
)
MONITOR = HEAD | names(
    "discarded_at ledger_account_id description alert_condition current_ledger_account_balance_state metadata"
)
EVENT = HEAD | names("resource event_name event_time data entity_id")
BULK_REQUEST = HEAD | names(
    "action_type resource_type status total_resource_count success_result_count failed_result_count metadata"
)
BULK_RESULT = HEAD | names("request_id request_type status request_params entity_id entity_type entity")
THREE_BALANCES = names("pending_balance posted_balance available_balance")


async def test_objects_have_exactly_the_members_of_their_schema(raw: Raw, lender: LendNow, database: Database) -> None:
    async def made(path: str, **body: Any) -> Any:
        status, answered, _ = await raw.call("POST", f"/api/{path}", json=body)
        assert status == 201, answered
        return answered

    cash, revenue = lender.ids["cash"], lender.ids["revenue"]
    bounds = {"effective_at_lower_bound": "2024-01-01", "effective_at_upper_bound": "2024-02-01"}
    statement = await made("ledger_account_statements", ledger_account_id=cash, **bounds)
    assert set(statement) == STATEMENT
    assert set(statement["starting_balance"]) == set(statement["ending_balance"]) == THREE_BALANCES
    accounts = {"settled_ledger_account_id": revenue, "contra_ledger_account_id": cash}
    assert set(await made("ledger_account_settlements", **accounts)) == SETTLEMENT
    alert = {"field": "posted_balance_amount", "operator": "equals", "value": 1}
    monitor = await made("ledger_account_balance_monitors", ledger_account_id=cash, alert_condition=alert)
    assert set(monitor) == MONITOR
    assert monitor["alert_condition"] == alert
    state = monitor["current_ledger_account_balance_state"]
    assert set(state) == names("balances ledger_account_lock_version triggered")
    assert set(state["balances"]) == THREE_BALANCES
    resources = [{"id": cash, "name": "Omnibus"}, {"id": "nonsense"}]
    request = await made("bulk_requests", action_type="update", resource_type="ledger_account", resources=resources)
    assert set(request) == BULK_REQUEST
    await work(database)
    _, (failed, successful), _ = await raw.call("GET", "/api/bulk_results")
    assert set(failed) == set(successful) == BULK_RESULT
    assert set(failed["entity"]) == HEAD | {"request_errors"}
    assert successful["entity"]["name"] == "Omnibus"
    _, events, _ = await raw.call("GET", "/api/events")
    assert {event["resource"] for event in events} == names(
        "bulk_request ledger_account_balance_monitor ledger_account_settlement"
    )
    assert all(set(event) == EVENT for event in events)


@pytest.mark.parametrize(
    "path",
    sorted(
        names(
            "ledger_account_settlements ledger_account_balance_monitors events bulk_requests bulk_results "
            "ledger_entries ledger_transactions ledger_transaction_versions"
        )
    ),
)
async def test_a_filter_nobody_knows_is_refused_by_name(raw: Raw, path: str) -> None:
    assert await raw.error("GET", f"/api/{path}?nonsense=1") == (422, "parameter_invalid", "nonsense")
    assert await raw.error("GET", f"/api/{path}?after_cursor=x") == (422, "parameter_invalid", "after_cursor")
