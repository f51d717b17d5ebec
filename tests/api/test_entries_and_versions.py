"""Ledger entries and versions of ledger transactions through the official client."""

from __future__ import annotations

from typing import Any

import pytest
from modern_treasury import AsyncModernTreasury, NotFoundError

from tests.api.conftest import MISSING, Raw
from tests.api.lendnow import LendNow
from worker.api import accounts_store, entries_store, transactions_store


async def test_entries_filter_order_and_show_balances(client: AsyncModernTreasury, lender: LendNow) -> None:
    first = await lender.post({"cash": 1}, {"revenue": 1}, effective_at="2024-03-03")
    second = await lender.post({"cash": 2}, {"revenue": 2}, effective_at="2024-01-01", status="pending")
    await client.ledger_transactions.update(second.id, status="posted")
    third = await lender.post({"expenses": 3}, {"cash": 3}, effective_at="2024-02-02", status="pending")
    cash: dict[str, Any] = {"ledger_account_id": lender.ids["cash"]}

    async def found(**filters: Any) -> list[int]:
        return [entry.amount async for entry in client.ledger_entries.list(**{"per_page": 2, **filters})]

    assert await found() == [3, 3, 2, 2, 1, 1]
    assert await found(**cash) == [3, 2, 1]
    assert await found(**cash, order_by={"effective_at": "asc"}) == [2, 3, 1]
    assert await found(**cash, order_by={"effective_at": "desc"}) == [1, 3, 2]
    assert await found(**cash, order_by={"created_at": "asc"}) == [1, 2, 3]
    assert await found(**cash, order_by={"created_at": "desc"}) == [3, 2, 1]
    assert await found(**cash, status="pending") == [3]
    assert await found(**cash, extra_query={"status": ["pending", "posted"]}) == [3, 2, 1]
    assert await found(**cash, direction="credit") == [3]
    assert await found(**cash, amount={"gt": 1}) == [3, 2]
    assert await found(**cash, as_of_lock_version=2) == [2, 1]
    assert await found(**cash, ledger_account_lock_version={"gte": 3}) == [3, 2]
    assert await found(**cash, effective_date={"gte": "2024-02-02"}) == [3, 1]
    assert await found(id=[entry.id for entry in first.ledger_entries]) == [1, 1]
    assert await found(ledger_transaction_id=third.id) == [3, 3]
    assert await found(ledger_account_category_id=MISSING) == []

    shown = [entry async for entry in client.ledger_entries.list(**cash, show_balances=True)]
    balances = [entry.resulting_ledger_account_balances for entry in shown]
    assert [one and (one.posted_balance.amount, one.pending_balance.amount) for one in balances] == [
        (3, 0),
        (3, 3),
        (1, 1),
    ]
    entry = await client.ledger_entries.retrieve(first.ledger_entries[0].id, show_balances=True)
    assert entry.resulting_ledger_account_balances is not None
    noted = await client.ledger_entries.update(entry.id, metadata={"k": "v"})
    assert noted.metadata == {"k": "v"}
    assert noted.updated_at > entry.updated_at
    assert await found(metadata={"k": "v"}) == [1]
    with pytest.raises(NotFoundError):
        await client.ledger_entries.retrieve(MISSING)


async def test_a_version_of_an_account_has_the_entries_that_made_its_balance(
    client: AsyncModernTreasury, lender: LendNow
) -> None:
    await lender.post({"cash": 1}, {"revenue": 1}, status="archived")
    await lender.post({"cash": 2}, {"revenue": 2})
    gone = await lender.post({"cash": 3}, {"revenue": 3}, status="pending")
    await client.ledger_transactions.update(gone.id, status="archived")

    async def at(version: int) -> list[int]:
        entries = client.ledger_entries.list(ledger_account_id=lender.ids["cash"], as_of_lock_version=version)
        return [entry.amount async for entry in entries]

    assert [await at(version) for version in range(5)] == [[], [], [2], [3, 2], [2]]


async def test_versions_are_numbered_from_zero_and_listed_newest_first(
    client: AsyncModernTreasury, raw: Raw, lender: LendNow
) -> None:
    made = await lender.post({"cash": 1}, {"revenue": 1}, status="pending", metadata={"a": "1"})
    await client.ledger_transactions.update(made.id, metadata={"a": "2"})
    await client.ledger_transactions.update(made.id, status="posted")
    await lender.post({"cash": 9}, {"revenue": 9})

    async def found(**filters: Any) -> list[int]:
        versions = client.ledger_transactions.versions.list(ledger_transaction_id=made.id, per_page=1, **filters)
        return [one.version async for one in versions]

    assert await found() == [2, 1, 0]
    assert await found(version={"gte": 1}) == [2, 1]
    versions = [one async for one in client.ledger_transactions.versions.list(ledger_transaction_id=made.id)]
    assert [(one.status, one.metadata) for one in versions] == [
        ("posted", {"a": "2"}),
        ("pending", {"a": "2"}),
        ("pending", {"a": "1"}),
    ]
    assert [one.ledger_entries[0].ledger_account_lock_version for one in versions] == [2, 1, 1]
    assert await found(created_at={"lte": versions[1].created_at}) == [1, 0]
    assert len([one async for one in client.ledger_transactions.versions.list()]) == 4

    own = f"/api/ledger_transactions/{made.id}/versions"
    _, listed, _ = await raw.call("GET", f"{own}?id[]={versions[1].id}&id[]={versions[0].id}")
    assert [one["version"] for one in listed] == [2, 1]
    assert await raw.error("GET", f"/api/ledger_transactions/{MISSING}/versions") == (404, "resource_not_found", None)


@pytest.mark.parametrize("field", ["created_at", "effective_at"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_pages_in_an_order_of_time_show_every_entry_once(
    lender: LendNow, client: AsyncModernTreasury, monkeypatch: pytest.MonkeyPatch, field: str, direction: str
) -> None:
    monkeypatch.setattr(entries_store, "FIRST_STRETCH", 2)
    monkeypatch.setattr(entries_store, "LONGER_STRETCH", 2)
    for n in range(12):
        await lender.post({"cash": n + 1}, {"revenue": n + 1}, effective_at=f"2024-01-{28 - n * 2 % 17:02}")
    replaced = await lender.post({"cash": 50}, {"revenue": 50}, status="pending", effective_at="2024-01-15")
    await lender.post({"cash": 60}, {"revenue": 60}, effective_at="2023-01-15")
    said: Any = lender.entries({"cash": 51}, {"revenue": 51})
    await client.ledger_transactions.update(replaced.id, ledger_entries=said)
    for which in ({}, {"ledger_account_id": lender.ids["cash"]}, {"direction": "credit"}, {"amount": {"gte": 50}}):
        asked: Any = {"order_by": {field: direction}, "per_page": 4, **which}
        listed = [entry async for entry in client.ledger_entries.list(**asked)]
        moments = [getattr(entry, field) for entry in listed]
        assert moments == sorted(moments, reverse=direction == "desc")
        plainly: Any = which
        assert {entry.id for entry in listed} == {entry.id async for entry in client.ledger_entries.list(**plainly)}
        assert len({entry.id for entry in listed}) == len(listed)


async def test_however_many_come_into_question_the_same_are_found(
    lender: LendNow, client: AsyncModernTreasury, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few are looked up one by one, many are met on a walk through all: that must not be told from the answers."""
    category = await client.ledger_account_categories.create(
        name="All", currency="USD", ledger_id=lender.ledger_id, normal_balance="debit"
    )
    await client.ledger_account_categories.add_ledger_account(lender.ids["cash"], id=category.id)
    for n, status in enumerate(("posted", "pending", "archived", "posted", "pending")):
        await lender.post({"cash": n}, {"revenue": n}, effective_at=f"2024-01-0{n + 1}", status=status)
    elsewhere = await LendNow.open(client)
    kept = (await elsewhere.post({"cash": 3}, {"revenue": 3}, status="pending")).id
    await client.ledger_transactions.update(kept, status="posted")
    middle = {"effective_at": {"gte": "2024-01-02", "lt": "2024-01-04"}}
    entries: tuple[dict[str, Any], ...] = (
        {"status": "pending"},
        {"status": "archived"},
        {"extra_query": {"status": ["pending", "posted"]}},
        {"status": "pending", "show_deleted": True},
        {"updated_at": {"gte": "2024-01-01"}},
        {"updated_at": {"gte": "2199-01-01"}},
        middle,
        {"ledger_account_id": lender.ids["cash"], **middle},
        {"ledger_account_category_id": category.id, **middle, "order_by": {"effective_at": "asc"}},
        {"amount": {"eq": 3}},
        {"amount": {"lt": 3}, **middle},
        {"ledger_account_lock_version": {"gte": 5}},
        {"ledger_account_lock_version": {"eq": 2}, "order_by": {"created_at": "desc"}},
    )
    transactions: tuple[dict[str, Any], ...] = (
        {"ledger_account_id": lender.ids["cash"]},
        {"ledger_account_category_id": category.id},
        {"ledger_id": elsewhere.ledger_id},
        {"ledger_id": lender.ledger_id, "amount": {"gte": 3}},
        {"amount": {"gte": 3}},
        {"amount": {"gte": 99}},
        {"posted_at": {"gte": "2024-01-01"}},
        {"updated_at": {"gte": "2024-01-01", "lt": "2199-01-01"}},
        {"posted_at": {"lt": "2199-01-01"}, "order_by": {"effective_at": "asc"}},
        middle,
    )
    accounts: tuple[dict[str, Any], ...] = (
        {"posted_balance_amount": {"gt": 0}},
        {"pending_balance_amount": {"eq": 8}},
        {"available_balance_amount": {"lt": 0}},
        {"posted_balance_amount": {"gt": 99}},
    )
    lists: Any = [client.ledger_entries.list, client.ledger_transactions.list, client.ledger_accounts.list]

    async def everything() -> list[list[str]]:
        return [
            [one.id async for one in listing(**which)]
            for listing, filters in zip(lists, (entries, transactions, accounts), strict=True)
            for which in filters
        ]

    few = await everything()
    assert [len(ids) for ids in few[: len(entries)]] == [4, 2, 10, 4, 12, 0, 4, 2, 2, 4, 4, 2, 4]
    assert [len(ids) for ids in few[len(entries) :]] == [5, 5, 1, 2, 3, 0, 3, 6, 3, 2, 4, 2, 0, 0]
    monkeypatch.setattr(entries_store, "FEW", 1)
    monkeypatch.setattr(entries_store, "NEAR", 1)
    monkeypatch.setattr(transactions_store, "FEW_ENTRIES", 1)
    monkeypatch.setattr(accounts_store, "FEW", 1)
    assert await everything() == few
