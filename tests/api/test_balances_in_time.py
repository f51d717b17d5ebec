"""Balances before, between and after moments, in every spelling the official client sends."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Unpack

import pytest
from modern_treasury import AsyncModernTreasury, UnprocessableEntityError
from modern_treasury.types.ledger_account_list_params import Balances

from tests.api.conftest import Raw
from tests.api.lendnow import LendNow, Status

NOON = datetime(2024, 3, 10, 12, tzinfo=UTC)
IN_KARACHI = NOON.astimezone(timezone(timedelta(hours=5)))

SPELLINGS: tuple[Any, ...] = (
    NOON,
    IN_KARACHI,
    NOON.replace(tzinfo=None),
    NOON.isoformat(),
    "2024-03-10T12:00:00Z",
    "2024-03-10T12:00:00.000000Z",
    "2024-03-10T17:00:00+05:00",
    str(NOON),
    str(IN_KARACHI),
    str(NOON.replace(tzinfo=None)),
)
"""One moment as a datetime and as texts: with and without an offset, with ``T`` and with the blank of ``str()``."""


@pytest.fixture
async def paid(lender: LendNow) -> LendNow:
    """10 before, 100 at and 1000 after noon, on three days."""
    for amount, moment in ((10, "2024-03-09"), (100, NOON.isoformat()), (1000, "2024-03-11")):
        await lender.post({"cash": amount}, {"revenue": amount}, effective_at=moment)
    return lender


@pytest.mark.parametrize("noon", SPELLINGS, ids=str)
async def test_bounds_are_read_in_every_spelling(paid: LendNow, noon: Any) -> None:
    async def cash(**balances: Unpack[Balances]) -> int:
        (listed,) = [one async for one in paid.client.ledger_accounts.list(id=[paid.ids["cash"]], balances=balances)]
        account = await paid.account("cash", **balances)
        assert listed.balances == account.balances
        return account.balances.posted_balance.amount

    assert await cash(effective_at_upper_bound=noon) == 10
    assert await cash(effective_at_lower_bound=noon) == 1100
    assert await cash(effective_at_lower_bound=noon, effective_at_upper_bound="2024-03-11") == 100
    assert await cash(effective_at_lower_bound="2024-03-09", effective_at_upper_bound=noon) == 10
    assert await cash(effective_at_lower_bound=noon, effective_at_upper_bound=noon) == 0
    assert await cash(effective_at=noon) == 110
    bounds = (await paid.account("cash", effective_at_lower_bound=noon)).balances
    assert (bounds.effective_at_lower_bound, bounds.effective_at_upper_bound) == (NOON, None)


@pytest.mark.parametrize("day", ["2024-03-10", date(2024, 3, 10)], ids=str)
async def test_a_day_is_counted_as_a_whole(paid: LendNow, day: Any) -> None:
    assert (await paid.amounts("cash", as_of_date=day))[0] == 110


@pytest.mark.parametrize("noon", SPELLINGS, ids=str)
async def test_lists_are_filtered_in_every_spelling(paid: LendNow, noon: Any) -> None:
    client = paid.client

    async def amounts(**bounds: Any) -> list[int]:
        listed = client.ledger_entries.list(ledger_account_id=paid.ids["cash"], effective_at=bounds)
        found = sorted([entry.amount async for entry in listed])
        same = client.ledger_transactions.list(ledger_account_id=paid.ids["cash"], effective_at=bounds)
        assert sorted([one.ledger_entries[0].amount async for one in same]) == found
        return found

    assert await amounts(gt=noon) == [1000]
    assert await amounts(gte=noon) == [100, 1000]
    assert await amounts(lt=noon) == [10]
    assert await amounts(lte=noon) == [10, 100]
    assert await amounts(eq=noon) == [100]


async def test_bounds_that_say_nothing_clear_are_refused(paid: LendNow, client: AsyncModernTreasury, raw: Raw) -> None:
    cash = paid.ids["cash"]
    for asked in (
        "balances[effective_at]=noon",
        "balances[effective_at]=2024-03-10&balances[as_of_date]=2024-03-10",
        "balances[effective_at]=2024-03-10&balances[effective_at_upper_bound]=2024-03-10",
        "balances[as_of_lock_version]=1&balances[effective_at_lower_bound]=2024-03-10",
        "balances[at]=2024-03-10",
    ):
        status, code, _ = await raw.error("GET", f"/api/ledger_accounts/{cash}?{asked}")
        assert (status, code) == (422, "parameter_invalid"), asked
    with pytest.raises(UnprocessableEntityError):
        await client.ledger_accounts.retrieve(cash, balances={"as_of_lock_version": 99})


async def test_a_balance_at_any_moment_is_the_sum_of_what_was_effective_before(lender: LendNow) -> None:
    """A day with many entries, on which it matters from which end the entries of the day are counted."""
    chance, start = random.Random(7), datetime(2024, 1, 2, tzinfo=UTC)
    written: list[tuple[datetime, int]] = []
    numbers: dict[Status, int] = {"posted": 400, "pending": 30, "archived": 30}
    for status, number in numbers.items():
        moments = [start + timedelta(seconds=chance.choice((0, chance.randrange(86_400)))) for _ in range(number)]
        said: Any = [
            {"amount": 1, "direction": "debit", "ledger_account_id": lender.ids["cash"], "effective_at": moment}
            for moment in moments
        ]
        said += [{"amount": number, "direction": "credit", "ledger_account_id": lender.ids["revenue"]}]
        await lender.client.ledger_transactions.create(ledger_entries=said, status=status, effective_at=start)
        written += [(moment, number) for moment in moments if status != "archived"]
    categories = lender.client.ledger_account_categories
    category = await categories.create(name="All", currency="USD", ledger_id=lender.ledger_id, normal_balance="debit")
    await categories.add_ledger_account(lender.ids["cash"], id=category.id)
    for moment in [start, start + timedelta(days=1), *(start + timedelta(seconds=s) for s in range(1, 86_400, 7_000))]:
        account = (await lender.account("cash", effective_at_upper_bound=moment)).balances
        before = [number for at, number in written if at < moment]
        assert account.posted_balance.amount == before.count(400)
        assert account.pending_balance.amount == len(before)
        bounds: Any = {"effective_at_upper_bound": moment}
        same = (await categories.retrieve(category.id, balances=bounds)).balances
        assert (same.posted_balance, same.pending_balance) == (account.posted_balance, account.pending_balance)
