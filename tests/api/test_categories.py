"""Ledger account categories through the official client."""

from __future__ import annotations

from typing import Any

import pytest
from modern_treasury import AsyncModernTreasury, NotFoundError, UnprocessableEntityError
from modern_treasury.types import Ledger, LedgerAccountCategory

from tests.api.conftest import MISSING, open_account
from tests.api.refusals import refused


async def open_category(client: AsyncModernTreasury, ledger: Ledger, name: str, **given: Any) -> LedgerAccountCategory:
    about = {"currency": "USD", "normal_balance": "debit", **given}
    return await client.ledger_account_categories.create(name=name, ledger_id=ledger.id, **about)


async def test_a_category_is_created_changed_and_discarded(client: AsyncModernTreasury, ledger: Ledger) -> None:
    categories = client.ledger_account_categories
    made = await open_category(client, ledger, "Cash", description="d", external_id="c", metadata={"categoryType": "x"})
    assert (made.name, made.description, made.external_id) == ("Cash", "d", "c")
    assert (made.balances.posted_balance.amount, made.balances.posted_balance.currency) == (0, "USD")
    assert await categories.retrieve(made.id) == made

    changed = await categories.update(made.id, name="Omnibus", metadata={"categoryType": "", "a": "1"})
    assert (changed.name, changed.metadata) == ("Omnibus", {"a": "1"})

    assert (await categories.delete(made.id)).discarded_at is not None
    with pytest.raises(NotFoundError):
        await categories.retrieve(made.id)
    assert [one async for one in categories.list()] == []


async def test_lists_filter_by_place_in_the_tree(client: AsyncModernTreasury, ledger: Ledger) -> None:
    top = await open_category(client, ledger, "Top")
    middle = await open_category(client, ledger, "Middle", ledger_account_category_ids=[top.id])
    leaf = await open_category(client, ledger, "Leaf", external_id="leaf", metadata={"k": "v"})
    await client.ledger_account_categories.add_nested_category(leaf.id, id=middle.id)
    account = await open_account(client, ledger, "Cash", ledger_account_category_ids=[leaf.id])

    async def found(**filters: Any) -> list[str]:
        return [category.name async for category in client.ledger_account_categories.list(**filters)]

    assert await found() == ["Leaf", "Middle", "Top"]
    assert await found(parent_ledger_account_category_id=top.id) == ["Middle"]
    assert await found(ledger_account_id=account.id) == ["Leaf", "Middle", "Top"]
    assert await found(ledger_account_id=MISSING) == []
    assert await found(name="mid") == ["Middle"]
    assert await found(id=[top.id], ledger_id=ledger.id, currency="USD") == ["Top"]
    assert await found(external_id="leaf", metadata={"k": "v"}, per_page=1) == ["Leaf"]
    within = client.ledger_accounts.list(ledger_account_category_id=top.id)
    assert [one.id async for one in within] == [account.id]

    await client.ledger_account_categories.remove_nested_category(leaf.id, id=middle.id)
    await client.ledger_account_categories.remove_ledger_account(account.id, id=leaf.id)
    assert await found(ledger_account_id=account.id) == []
    assert await found(parent_ledger_account_category_id=middle.id) == []


async def test_a_category_never_contains_itself_nor_nests_too_deep(client: AsyncModernTreasury, ledger: Ledger) -> None:
    chain = [await open_category(client, ledger, "0")]
    for level in range(1, 5):
        chain.append(await open_category(client, ledger, str(level), ledger_account_category_ids=[chain[-1].id]))

    too_deep = await refused(open_category(client, ledger, "5", ledger_account_category_ids=[chain[-1].id]))
    assert too_deep["message"] == "categories nest at most 4 levels deep"
    for inside in (chain[3], chain[0]):
        circle = await refused(client.ledger_account_categories.add_nested_category(chain[0].id, id=inside.id))
        assert circle["message"] == "a category may not contain itself"
        assert circle["parameter"] == "sub_category_id"
    assert len([one async for one in client.ledger_account_categories.list()]) == 5


async def test_members_share_ledger_and_currency(client: AsyncModernTreasury, ledger: Ledger) -> None:
    category = await open_category(client, ledger, "Cash")
    euro = await open_account(client, ledger, "Cash", currency="EUR")
    foreign = await open_account(client, await client.ledgers.create(name="B"), "Cash")
    for account in (euro, foreign):
        with pytest.raises(UnprocessableEntityError):
            await client.ledger_account_categories.add_ledger_account(account.id, id=category.id)
    with pytest.raises(UnprocessableEntityError):
        await open_account(client, ledger, "Cash", currency="EUR", ledger_account_category_ids=[category.id])
    with pytest.raises(NotFoundError):
        await client.ledger_account_categories.add_ledger_account(MISSING, id=category.id)
    with pytest.raises(NotFoundError):
        await client.ledger_account_categories.add_nested_category(category.id, id=MISSING)
