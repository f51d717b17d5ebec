"""However metadata gets there, one object has at most 50 pairs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.conftest import Raw
from tests.api.lendnow import LendNow

FULL = {f"k{n}": "v" for n in range(50)}


async def made(raw: Raw, lender: LendNow, path: str) -> str:
    """An object of a kind with as much metadata as it may have, and where it is."""
    cash, revenue = lender.ids["cash"], lender.ids["revenue"]
    unit = {"name": "All", "currency": "USD", "normal_balance": "debit", "ledger_id": lender.ledger_id}
    alert = {"field": "posted_balance_amount", "operator": "equals", "value": 1}
    entries = [{**entry, "metadata": FULL} for entry in lender.entries({"cash": 1}, {"revenue": 1})]
    bodies: dict[str, dict[str, Any]] = {
        "ledgers": {"name": "A"},
        "ledger_accounts": unit,
        "ledger_account_categories": unit,
        "ledger_account_balance_monitors": {"ledger_account_id": cash, "alert_condition": alert},
        "ledger_account_settlements": {"settled_ledger_account_id": revenue, "contra_ledger_account_id": cash},
        "ledger_transactions": {"ledger_entries": entries},
        "ledger_entries": {"ledger_entries": entries},
    }
    whole = "ledger_transactions" if path == "ledger_entries" else path
    status, answered, _ = await raw.call("POST", f"/api/{whole}", json={**bodies[path], "metadata": FULL})
    assert status == 201, answered
    object_id = answered["ledger_entries"][0]["id"] if path == "ledger_entries" else answered["id"]
    return f"/api/{path}/{object_id}"


@pytest.mark.parametrize(
    "path",
    [
        *("ledgers", "ledger_accounts", "ledger_account_categories", "ledger_transactions", "ledger_entries"),
        *("ledger_account_settlements", "ledger_account_balance_monitors"),
    ],
)
async def test_what_is_merged_counts_together_with_what_is_there(raw: Raw, lender: LendNow, path: str) -> None:
    url = await made(raw, lender, path)
    refused = await raw.error("PATCH", url, json={"metadata": {"one_more": "v"}})
    assert refused == (422, "parameter_invalid", "metadata")
    assert (await raw.call("GET", url))[1]["metadata"] == FULL

    exchange = {"metadata": {"k0": "", "one_more": "v", "k1": "w"}}
    _, changed, _ = await raw.call("PATCH", url, json=exchange)
    assert changed["metadata"] == {name: value for name, value in FULL.items() if name != "k0"} | {
        "one_more": "v",
        "k1": "w",
    }

    _, emptied, _ = await raw.call("PATCH", url, json={"metadata": dict.fromkeys(FULL) | {"k1": "v"}})
    assert emptied["metadata"] == {"k1": "v", "one_more": "v"}


@pytest.mark.parametrize("path", ["ledgers", "ledger_entries", "ledger_transactions"])
async def test_many_who_merge_at_once_never_go_beyond_the_limit(raw: Raw, lender: LendNow, path: str) -> None:
    url = await made(raw, lender, path)
    await raw.call("PATCH", url, json={"metadata": dict.fromkeys([f"k{n}" for n in range(10)], "")})

    calls = [raw.call("PATCH", url, json={"metadata": {f"n{n}": "v"}}) for n in range(30)]
    statuses = [status for status, _, _ in await asyncio.gather(*calls)]

    assert (statuses.count(200), statuses.count(422)) == (10, 20)
    assert len((await raw.call("GET", url))[1]["metadata"]) == 50
