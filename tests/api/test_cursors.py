"""A cursor goes on in the list it came from and in no other."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.api.conftest import MISSING, Raw
from tests.api.lendnow import LendNow
from tests.api.test_bulk import work
from worker.database import Database

LISTS = (
    *("ledgers", "ledger_accounts", "ledger_account_categories", "ledger_transactions", "ledger_transaction_versions"),
    *("ledger_entries", "ledger_account_settlements", "ledger_account_balance_monitors", "events", "bulk_requests"),
    "bulk_results",
)


async def make_one_of_each(raw: Raw, lender: LendNow, database: Database) -> None:
    """Something for every list to show."""
    cash, revenue = lender.ids["cash"], lender.ids["revenue"]
    unit: dict[str, Any] = {"name": "All", "currency": "USD", "normal_balance": "debit"}
    settled = {"settled_ledger_account_id": revenue, "contra_ledger_account_id": cash}
    alert = {"field": "posted_balance_amount", "operator": "equals", "value": 1}
    monitor = {"ledger_account_id": cash, "alert_condition": alert}
    bulk = {"action_type": "update", "resource_type": "ledger_account", "resources": [{"id": cash, "name": "Omnibus"}]}
    for path, body in (
        ("ledger_account_categories", {**unit, "ledger_id": lender.ledger_id}),
        ("ledger_transactions", {"ledger_entries": lender.entries({"cash": 1}, {"revenue": 1}), "status": "posted"}),
        ("ledger_account_settlements", settled),
        ("ledger_account_balance_monitors", monitor),
        ("bulk_requests", bulk),
    ):
        status, answered, _ = await raw.call("POST", f"/api/{path}", json=body)
        assert status == 201, answered
    await work(database)


async def test_a_cursor_of_another_list_or_of_nothing_is_refused_and_the_last_one_is_the_end(
    raw: Raw, lender: LendNow, database: Database
) -> None:
    await make_one_of_each(raw, lender, database)
    last = {}
    for path in LISTS:
        _, shown, _ = await raw.call("GET", f"/api/{path}")
        last[path] = shown[-1]["id"]

    for path in LISTS:
        assert (await raw.call("GET", f"/api/{path}?after_cursor={last[path]}"))[:2] == (200, []), path
        foreign = [other for name, other in last.items() if name != path]
        for cursor in (*foreign, MISSING, str(uuid4())):
            refused = await raw.error("GET", f"/api/{path}?after_cursor={cursor}")
            assert refused == (422, "parameter_invalid", "after_cursor"), (path, cursor)


async def test_a_row_the_filters_leave_out_is_a_cursor_all_the_same(raw: Raw, lender: LendNow) -> None:
    wanted = f"name[]=Cash&after_cursor={lender.ids['revenue']}"
    status, found, _ = await raw.call("GET", f"/api/ledger_accounts?{wanted}")
    assert (status, [one["id"] for one in found]) == (200, [lender.ids["cash"]])
