"""Transactions on condition of a category's balance: the official client passes them on as ``extra_body``."""

from __future__ import annotations

from typing import Any

import pytest
from modern_treasury import AsyncModernTreasury
from modern_treasury.types import LedgerAccountCategory

from tests.api.conftest import MISSING, Raw
from tests.api.lendnow import LendNow
from tests.api.refusals import refused

LOCKS = "ledger_account_category_balance_locks"


async def own_money(client: AsyncModernTreasury, lender: LendNow) -> LedgerAccountCategory:
    """What investors have paid in: a category that contains their principal through one nested in it, and directly."""
    about: Any = {"ledger_id": lender.ledger_id, "currency": "USD", "normal_balance": "credit"}
    category = await client.ledger_account_categories.create(name="Investor balance", **about)
    inner = await client.ledger_account_categories.create(
        name="Principal", ledger_account_category_ids=[category.id], **about
    )
    for each in (category, inner):
        await client.ledger_account_categories.add_ledger_account(lender.ids["investor_principal"], id=each.id)
    await client.ledger_account_categories.add_ledger_account(lender.ids["investor_interest"], id=inner.id)
    return category


def locked(category_id: str, **conditions: dict[str, int]) -> dict[str, Any]:
    """The extra body with one lock."""
    return {LOCKS: [{"ledger_account_category_id": category_id, **conditions}]}


async def test_a_payout_is_covered_by_the_whole_category(client: AsyncModernTreasury, lender: LendNow) -> None:
    category = await own_money(client, lender)
    await lender.post({"cash": 100}, {"investor_principal": 100})
    covered = locked(category.id, available_balance_amount={"gte": 0}, posted_balance_amount={"lt": 1000, "gte": 0})

    paid = await lender.post({"investor_interest": 60}, {"cash": 60}, extra_body=covered)
    assert paid.status == "posted"
    too_much: Any = lender.entries({"investor_interest": 41}, {"cash": 41})
    assert await refused(client.ledger_transactions.create(ledger_entries=too_much, extra_body=covered)) == {
        "code": "parameter_invalid",
        "message": f"The available balance of ledger account category {category.id} would be -1, which is not gte 0",
        "parameter": LOCKS,
    }
    archived = await client.ledger_transactions.create(
        ledger_entries=too_much, extra_body={**covered, "archive_on_balance_lock_failure": True}
    )
    assert (archived.status, archived.archived_reason) == ("archived", "balance_lock_failure")
    assert (await client.ledger_account_categories.retrieve(category.id)).balances.posted_balance.amount == 40


async def test_a_pending_transaction_is_changed_and_posted_on_conditions(
    client: AsyncModernTreasury, lender: LendNow
) -> None:
    category = await own_money(client, lender)
    covered = locked(category.id, pending_balance_amount={"gte": 0})
    await lender.post({"cash": 100}, {"investor_principal": 100})
    pending = await lender.post({"investor_principal": 90}, {"cash": 90}, status="pending", extra_body=covered)
    more: Any = lender.entries({"investor_principal": 101}, {"cash": 101})

    change = client.ledger_transactions.update(pending.id, ledger_entries=more, extra_body=covered)
    assert (await refused(change))["parameter"] == LOCKS
    await lender.post({"investor_interest": 20}, {"cash": 20})
    post = client.ledger_transactions.update(pending.id, status="posted", extra_body=covered)
    assert (await refused(post))["parameter"] == LOCKS
    await lender.post({"cash": 10}, {"investor_interest": 10})
    post = client.ledger_transactions.update(pending.id, status="posted", extra_body=covered)
    assert (await post).status == "posted"


async def test_no_locks_are_no_condition(lender: LendNow) -> None:
    nothing: tuple[object, ...] = (None, [])
    for none in nothing:
        assert (await lender.post({"cash": 1}, {"revenue": 1}, extra_body={LOCKS: none})).status == "posted"


@pytest.mark.parametrize(
    ("change", "code", "parameter"),
    [
        ({"ledger_account_category_id": MISSING}, "resource_not_found", f"{LOCKS}[0].ledger_account_category_id"),
        ({"ledger_account_category_id": "mine"}, "parameter_invalid", f"{LOCKS}[0].ledger_account_category_id"),
        ({"ledger_account_category_id": None}, "parameter_missing", f"{LOCKS}[0].ledger_account_category_id"),
        ({"available_balance_amount": {"not_eq": 1}}, "parameter_invalid", f"{LOCKS}[0].available_balance_amount"),
        ({"available_balance_amount": {"gt": "1"}}, "parameter_invalid", f"{LOCKS}[0].available_balance_amount.gt"),
        ({"available_balance": {"gt": 1}}, "parameter_invalid", f"{LOCKS}[0].available_balance"),
    ],
)
async def test_a_wrong_lock_is_refused_by_name(
    client: AsyncModernTreasury, raw: Raw, lender: LendNow, change: dict[str, object], code: str, parameter: str
) -> None:
    lock = {"ledger_account_category_id": (await own_money(client, lender)).id, **change}
    entries = lender.entries({"cash": 5}, {"investor_principal": 5})
    body = {"ledger_entries": entries, LOCKS: [lock]}
    assert await raw.error("POST", "/api/ledger_transactions", json=body) == (422, code, parameter)


async def test_a_category_has_to_do_with_the_transaction(client: AsyncModernTreasury, lender: LendNow) -> None:
    category = await own_money(client, lender)
    entries: Any = lender.entries({"cash": 5}, {"revenue": 5})
    call = client.ledger_transactions.create(ledger_entries=entries, extra_body=locked(category.id))
    assert await refused(call) == {
        "code": "parameter_invalid",
        "message": f"Ledger account category {category.id} contains none of the transaction's accounts",
        "parameter": f"{LOCKS}[0].ledger_account_category_id",
    }
    await client.ledger_account_categories.delete(category.id)
    call = client.ledger_transactions.create(ledger_entries=entries, extra_body=locked(category.id))
    assert (await refused(call))["code"] == "resource_not_found"


async def test_parts_and_reversals_take_no_locks(client: AsyncModernTreasury, raw: Raw, lender: LendNow) -> None:
    category = await own_money(client, lender)
    pending = await lender.post({"cash": 5}, {"investor_principal": 5}, status="pending")
    for path, body in (
        ("partial_post", {"posted_ledger_entries": lender.entries({"cash": 1}, {"investor_principal": 1})}),
        ("reversal", {}),
    ):
        refusal = await raw.error(
            "POST", f"/api/ledger_transactions/{pending.id}/{path}", json={**body, **locked(category.id)}
        )
        assert refusal == (422, "parameter_invalid", LOCKS)
