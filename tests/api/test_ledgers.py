"""Ledgers through the official client."""

from __future__ import annotations

from typing import Any

import pytest
from modern_treasury import AsyncModernTreasury, NotFoundError, UnprocessableEntityError


async def test_a_ledger_is_created_and_found_again(client: AsyncModernTreasury) -> None:
    created = await client.ledgers.create(name="LendNow", description="Funds", metadata={"countryID": "US"})

    assert (created.object, created.name, created.description) == ("ledger", "LendNow", "Funds")
    assert (created.metadata, created.live_mode, created.discarded_at) == ({"countryID": "US"}, False, None)
    assert await client.ledgers.retrieve(created.id) == created


async def test_an_update_merges_metadata_and_removes_pairs_that_become_empty(client: AsyncModernTreasury) -> None:
    ledger = await client.ledgers.create(name="A", description="old", metadata={"a": "1", "b": "2", "c": "3"})

    changed = await client.ledgers.update(ledger.id, name="B", metadata={"b": "", "c": "4", "d": "5"})
    emptied = await client.ledgers.update(ledger.id, description=None)

    assert (changed.name, changed.description) == ("B", "old")
    assert changed.metadata == {"a": "1", "c": "4", "d": "5"}
    assert emptied.description is None
    assert emptied.name == "B"


async def test_pages_follow_one_another_newest_first(client: AsyncModernTreasury) -> None:
    made = [(await client.ledgers.create(name=f"ledger {n}")).id for n in range(5)]

    first = await client.ledgers.list(per_page=2)

    assert [ledger.id for ledger in first.items] == made[:-3:-1]
    assert (first.per_page, first.after_cursor) == (2, first.items[-1].id)
    assert [ledger.id async for ledger in client.ledgers.list(per_page=2)] == made[::-1]
    assert (await client.ledgers.list(per_page=5)).after_cursor is None


async def test_lists_filter_by_ids_metadata_and_time(client: AsyncModernTreasury) -> None:
    first = await client.ledgers.create(name="1", metadata={"country": "US", "it's": '"; drop table ledgers; --'})
    second = await client.ledgers.create(name="2", metadata={"country": "US"})
    await client.ledgers.create(name="3", metadata={"country": "GB"})

    async def found(**filters: Any) -> list[str]:
        return [ledger.id async for ledger in client.ledgers.list(**filters)]

    assert await found(metadata={"country": "US"}) == [second.id, first.id]
    assert await found(metadata={"country": "US", "it's": '"; drop table ledgers; --'}) == [first.id]
    assert await found(id=[first.id]) == [first.id]
    assert await found(id=[first.id, second.id], updated_at={"gt": first.updated_at}) == [second.id]
    assert await found(id=[first.id, second.id], updated_at={"lte": first.updated_at}) == [first.id]
    assert await found(updated_at={"eq": second.updated_at.replace(tzinfo=None)}) == [second.id]


async def test_a_discarded_ledger_is_gone(client: AsyncModernTreasury) -> None:
    ledger = await client.ledgers.create(name="brief")

    discarded = await client.ledgers.delete(ledger.id)

    assert discarded.discarded_at is not None
    assert [one async for one in client.ledgers.list()] == []
    with pytest.raises(NotFoundError):
        await client.ledgers.retrieve(ledger.id)


async def test_a_ledger_needs_a_name(client: AsyncModernTreasury) -> None:
    with pytest.raises(UnprocessableEntityError) as refused:
        await client.ledgers.create(name="")
    assert refused.value.body == {
        "errors": {"code": "parameter_invalid", "message": "name may not be empty", "parameter": "name"}
    }
