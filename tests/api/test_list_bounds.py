"""Every bound of every list, at and beside values that are there: what lies on its wrong side is left out."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from modern_treasury import AsyncModernTreasury

from tests.api.conftest import Raw
from tests.api.lendnow import LendNow
from worker.api import accounts_store, entries_store, transactions_store

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
}
UNEQUAL = {**COMPARISONS, "not_eq": operator.ne}

Values = Callable[[Any], list[Any]]


def moment(field: str) -> Values:
    return lambda shown: [datetime.fromisoformat(shown[field])] if shown[field] else []


def day(field: str) -> Values:
    return lambda shown: [date.fromisoformat(shown[field][:10])]


def number(field: str) -> Values:
    return lambda shown: [shown[field]]


def amount_of(balance: str) -> Values:
    return lambda shown: [shown["balances"][balance]["amount"]]


def amounts(shown: Any) -> list[int]:
    """A transaction's amounts: one within the bounds is enough."""
    return [entry["amount"] for entry in shown["ledger_entries"]]


TIMES: dict[str, Values] = {"effective_at": moment("effective_at"), "effective_date": day("effective_at")}
BOUNDS: dict[str, dict[str, Values]] = {
    "ledger_entries": {
        **TIMES,
        "updated_at": moment("updated_at"),
        "amount": number("amount"),
        "ledger_account_lock_version": number("ledger_account_lock_version"),
    },
    "ledger_transactions": {
        **TIMES,
        "posted_at": moment("posted_at"),
        "updated_at": moment("updated_at"),
        "amount": amounts,
    },
    "ledger_transaction_versions": {"created_at": moment("created_at"), "version": number("version")},
    "ledger_accounts": {
        "created_at": moment("created_at"),
        "updated_at": moment("updated_at"),
        "pending_balance_amount": amount_of("pending_balance"),
        "posted_balance_amount": amount_of("posted_balance"),
        "available_balance_amount": amount_of("available_balance"),
    },
    "ledgers": {"updated_at": moment("updated_at")},
}
"""What bounds each list takes, and the values of an object that they are about."""


@pytest.fixture
async def books(lender: LendNow, client: AsyncModernTreasury) -> LendNow:
    """Transactions a microsecond apart, with amounts of their own, some changed since; and more ledgers."""
    first = await lender.post({"cash": 1}, {"revenue": 1}, effective_at="2024-03-10T12:00:00Z")
    second = await lender.post(
        {"cash": 2}, {"revenue": 2}, effective_at="2024-03-10T12:00:00.000001Z", status="pending"
    )
    await lender.post(
        {"expenses": 1, "loan_fees": 3}, {"cash": 4}, effective_at="2024-03-10T12:00:00.000002Z", status="pending"
    )
    await lender.post({"cash": 3, "investor_interest": 4}, {"revenue": 7}, effective_at="2024-03-11")
    await lender.post({"cash": 9}, {"revenue": 9}, effective_at="2024-03-12", status="archived")
    await client.ledger_transactions.update(second.id, metadata={"k": "v"})
    await client.ledger_transactions.update(second.id, status="posted")
    await client.ledger_entries.update(first.ledger_entries[0].id, metadata={"k": "v"})
    await client.ledger_accounts.update(lender.ids["revenue"], name="Earned")
    for name in "AB":
        await client.ledgers.create(name=name)
    return lender


async def listed(raw: Raw, path: str, **asked: object) -> list[Any]:
    status, shown, _ = await raw.call("GET", f"/api/{path}?{urlencode({'per_page': 100, **asked})}")
    assert status == 200, shown
    assert isinstance(shown, list)
    return shown


@pytest.mark.parametrize("few", [True, False], ids=["few enough to be looked up", "too many to be looked up"])
@pytest.mark.parametrize("path", BOUNDS)
async def test_a_bound_includes_and_excludes_what_it_says(
    books: LendNow, raw: Raw, monkeypatch: pytest.MonkeyPatch, path: str, few: bool
) -> None:
    if not few:
        monkeypatch.setattr(entries_store, "FEW", 1)
        monkeypatch.setattr(entries_store, "NEAR", 1)
        monkeypatch.setattr(transactions_store, "FEW_ENTRIES", 1)
        monkeypatch.setattr(accounts_store, "FEW", 1)
    of_cash = {"ledger_account_id": books.ids["cash"]}
    for narrowing in ({}, of_cash) if TIMES.keys() <= BOUNDS[path].keys() else ({},):
        every = await listed(raw, path, **narrowing)
        for field, values_of in BOUNDS[path].items():
            bounds = {value for shown in every for value in values_of(shown)}
            assert len(bounds) >= 3, "one below, one at and one above a bound"
            for word, compare in (UNEQUAL if "balance" in field else COMPARISONS).items():
                for bound in bounds:
                    asked = {f"{field}[{word}]": bound if isinstance(bound, int) else bound.isoformat(), **narrowing}
                    passing = [shown for shown in every if any(compare(value, bound) for value in values_of(shown))]
                    assert await listed(raw, path, **asked) == passing, asked


@pytest.mark.parametrize(
    "bounds",
    [
        {"amount[gte]": 1, "amount[gt]": 1, "amount[lt]": 9, "amount[lte]": 3},
        {"amount[gt]": 0, "amount[gte]": 2, "amount[lte]": 9, "amount[lt]": 4},
        {"effective_at[gt]": "2024-03-10T12:00:00Z", "effective_date[gte]": "2024-03-10"}
        | {"effective_at[lte]": "2024-03-11", "effective_date[lte]": "2024-03-10"},
        {"effective_at[gte]": "2024-03-10T12:00:00Z", "effective_date[gt]": "2024-03-10"}
        | {"effective_at[lt]": "2024-03-12", "effective_date[lt]": "2024-03-13"},
    ],
    ids=str,
)
async def test_of_several_bounds_each_is_kept(books: LendNow, raw: Raw, bounds: dict[str, object]) -> None:
    within = [{one["id"] for one in await listed(raw, "ledger_entries", **{name: bounds[name]})} for name in bounds]
    both = set.intersection(*within)
    assert both
    assert {one["id"] for one in await listed(raw, "ledger_entries", **bounds)} == both
