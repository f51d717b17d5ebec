"""Ledger account categories through the official client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from modern_treasury import AsyncModernTreasury, NotFoundError, UnprocessableEntityError
from modern_treasury.types import Ledger, LedgerAccountCategory

from tests.api.conftest import MISSING, open_account
from tests.api.refusals import refused
from worker.database import Connection, Database, query


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


OF_BALANCES = "select from ledger_category_balances where category_id = any($1::uuid[]) for no key update nowait"
OF_MEMBERS = "select from ledger_account_category_members where category_id = $1 for update nowait"
OF_CATEGORY = "select from ledger_account_categories where id = $1 for update nowait"


async def until_somebody_waits(connection: Connection) -> None:
    while not await connection.fetchval("select exists (select from pg_locks where not granted)"):
        pass


async def test_a_discard_locks_all_accounts_inside_before_the_sums_of_any_category(
    client: AsyncModernTreasury, ledger: Ledger, database: Database
) -> None:
    """Whoever has the account of a category nested inside, as a batch may, goes on to the categories' sums."""
    top = await open_category(client, ledger, "Top")
    middle = await open_category(client, ledger, "Middle", ledger_account_category_ids=[top.id])
    inner = await open_category(client, ledger, "Inner", ledger_account_category_ids=[middle.id])
    near = await open_account(client, ledger, "Near", ledger_account_category_ids=[middle.id])
    deep = await open_account(client, ledger, "Deep", ledger_account_category_ids=[inner.id])
    sides: tuple[Any, Any] = ("debit", near), ("credit", deep)
    await client.ledger_transactions.create(
        status="posted",
        ledger_entries=[{"amount": 7, "direction": side, "ledger_account_id": account.id} for side, account in sides],
    )
    async with database.transaction() as batch:
        await batch.execute("select from ledger_account_balances where account_id = $1 for no key update", deep.id)
        discarding = asyncio.create_task(client.ledger_account_categories.delete(middle.id))
        await until_somebody_waits(batch)
        await batch.execute(OF_BALANCES, [top.id, middle.id, inner.id])
    assert (await discarding).discarded_at is not None
    assert (await client.ledger_account_categories.retrieve(top.id)).balances.posted_balance.debits == 0
    assert (await client.ledger_account_categories.retrieve(inner.id)).balances.posted_balance.credits == 7


@pytest.mark.parametrize("change", ["join", "leave", "nest", "part", "discard", "account", "category"])
async def test_whoever_waits_to_change_what_is_in_a_category_keeps_nobody_from_it(
    client: AsyncModernTreasury, ledger: Ledger, database: Database, change: str
) -> None:
    """The one it waits for may need the category's row."""
    categories = client.ledger_account_categories
    outer = await open_category(client, ledger, "Outer")
    inner = await open_category(client, ledger, "Inner", ledger_account_category_ids=[outer.id])
    other = await open_category(client, ledger, "Other")
    member = await open_account(client, ledger, "Member", ledger_account_category_ids=[outer.id])
    newcomer = await open_account(client, ledger, "Newcomer")
    changes: dict[str, Callable[[], Awaitable[object]]] = {
        "join": lambda: categories.add_ledger_account(newcomer.id, id=outer.id),
        "leave": lambda: categories.remove_ledger_account(member.id, id=outer.id),
        "nest": lambda: categories.add_nested_category(other.id, id=outer.id),
        "part": lambda: categories.remove_nested_category(inner.id, id=outer.id),
        "discard": lambda: categories.delete(outer.id),
        "account": lambda: open_account(client, ledger, "New", ledger_account_category_ids=[outer.id]),
        "category": lambda: open_category(client, ledger, "New", ledger_account_category_ids=[outer.id]),
    }
    async with database.transaction() as holder:
        await holder.execute(query("ledger/lock_chart"), ledger.id)
        waiting = asyncio.ensure_future(changes[change]())
        await until_somebody_waits(holder)
        await holder.execute(OF_CATEGORY, outer.id)
        await holder.execute(OF_MEMBERS, outer.id)
    await waiting
