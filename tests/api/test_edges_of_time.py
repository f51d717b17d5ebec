"""Moments at and beyond the edges of the calendar: taken and shown, or refused by name, through every door."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conftest import Raw
from tests.api.lendnow import LendNow
from worker.database import Database
from worker.operations.auditor import Auditor

BEYOND = (
    *("0001-01-01", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1899-12-31T23:59:59.999999Z"),
    *("1900-01-01T00:00:00+00:01", "9998-12-31T23:59:59.999999-00:01", "9999-01-01", "9999-12-31"),
    *("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999-14:00", "0000-01-01"),
)
FIRST = ("1900-01-01", "1900-01-01T14:00:00+14:00", "1899-12-31T10:00:00-14:00")
LAST = ("9998-12-31T23:59:59.999999Z", "9999-01-01T13:59:59.999999+14:00", "9998-12-31T09:59:59.999999-14:00")
"""The first and the last moment, each in several time zones."""

FILTERS = (
    *("ledger_transactions?effective_at[gte]", "ledger_transactions?effective_date[lte]"),
    *("ledger_transactions?posted_at[lt]", "ledger_entries?effective_at[eq]", "ledger_entries?updated_at[gt]"),
    *("ledger_accounts?balances[effective_at]", "ledger_accounts?balances[as_of_date]"),
    *("ledger_accounts?created_at[lte]", "ledger_account_categories?balances[effective_at]"),
    *("events?event_time_start", "ledger_transaction_versions?created_at[gt]"),
)


async def told_the_range(raw: Raw, method: str, path: str, parameter: str, sent: Any = None) -> None:
    """The call is refused for this parameter, in words that tell what it may be."""
    status, body, _ = await raw.call(method, f"/api/{path}", json=sent)
    error = body["errors"]
    assert (status, error["code"], error["parameter"]) == (422, "parameter_invalid", parameter)
    assert error["message"].startswith(f"{parameter} must be ")
    assert "from 1900-01-01 to 9998-12-31" in error["message"]


def pair(lender: LendNow) -> list[dict[str, Any]]:
    """A debit and a credit."""
    return [dict(entry) for entry in lender.entries({"cash": 1}, {"revenue": 1})]


@pytest.mark.parametrize("moment", BEYOND)
async def test_a_moment_beyond_the_calendar_is_refused_by_name(raw: Raw, lender: LendNow, moment: str) -> None:
    debit, credit = pair(lender)
    cash, revenue = debit["ledger_account_id"], credit["ledger_account_id"]
    whole = {"ledger_entries": [debit, credit]}
    owned = {"ledger_entries": [debit, {**credit, "effective_at": moment}]}
    settlement = {"settled_ledger_account_id": cash, "contra_ledger_account_id": revenue}
    upper, lower = "effective_at_upper_bound", "effective_at_lower_bound"
    statement = {"ledger_account_id": cash, upper: "2024-01-02", lower: "2024-01-01"}
    for path, sent, parameter in (
        ("ledger_transactions", {**whole, "effective_at": moment}, "effective_at"),
        ("ledger_transactions", {**whole, "effective_date": moment}, "effective_date"),
        ("ledger_transactions", owned, "ledger_entries[1].effective_at"),
        ("ledger_account_settlements", {**settlement, upper: moment}, upper),
        ("ledger_account_statements", {**statement, upper: moment}, upper),
        ("ledger_account_statements", {**statement, lower: moment}, lower),
    ):
        await told_the_range(raw, "POST", path, parameter, sent)


@pytest.mark.parametrize("moment", BEYOND)
async def test_a_filter_beyond_the_calendar_is_refused_by_name(raw: Raw, moment: str) -> None:
    for wanted in FILTERS:
        name = wanted.partition("?")[2]
        name = name if name.startswith("balances") else name.partition("[")[0]
        await told_the_range(raw, "GET", f"{wanted}={quote(moment)}", name)


@pytest.mark.parametrize("moment", [*FIRST, *LAST])
async def test_the_first_and_the_last_moment_are_taken_and_shown_in_every_time_zone(
    raw: Raw, lender: LendNow, database: Database, moment: str
) -> None:
    debit, credit = pair(lender)
    first = {"status": "posted", "effective_at": moment, "ledger_entries": [debit, credit]}
    second = {"status": "posted", "ledger_entries": [debit, {**credit, "effective_at": moment}]}
    shown = "1900-01-01T00:00:00Z" if moment in FIRST else "9998-12-31T23:59:59.999999Z"
    status, made, _ = await raw.call("POST", "/api/ledger_transactions", json=first)
    assert (status, made["effective_at"]) == (201, shown)
    status, other, _ = await raw.call("POST", "/api/ledger_transactions", json=second)
    assert (status, other["ledger_entries"][1]["effective_at"]) == (201, shown)

    for wanted in FILTERS:
        assert (await raw.call("GET", f"/api/{wanted}={quote(moment)}"))[0] == 200
    for comparison in ("eq", "gte", "lte"):
        _, found, _ = await raw.call("GET", f"/api/ledger_transactions?effective_at[{comparison}]={quote(moment)}")
        assert made["id"] in {one["id"] for one in found}
    path = f"/api/ledger_accounts/{debit['ledger_account_id']}?balances[effective_at]={quote(moment)}"
    _, account, _ = await raw.call("GET", path)
    assert account["balances"]["posted_balance"]["amount"] == (1 if moment in FIRST else 2)
    assert (await Auditor(database).verify())["findings"] == []


async def test_every_change_of_a_moment_stays_within_the_calendar(raw: Raw, lender: LendNow) -> None:
    _, made, _ = await raw.call("POST", "/api/ledger_transactions", json={"ledger_entries": pair(lender)})
    beyond = {"effective_at": "0001-01-01"}
    path = f"ledger_transactions/{made['id']}"
    part = {"posted_ledger_entries": pair(lender)}
    await told_the_range(raw, "PATCH", path, "effective_at", beyond)
    await told_the_range(raw, "POST", f"{path}/reversal", "effective_at", beyond)
    await told_the_range(raw, "POST", f"{path}/partial_post", "effective_at", {**part, **beyond})
