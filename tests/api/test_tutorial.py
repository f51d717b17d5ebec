"""The lending tutorial through the official client, to the last cent."""

from __future__ import annotations

from typing import Any, Unpack

import pytest
from modern_treasury import AsyncModernTreasury
from modern_treasury.types import ledger_account_category_retrieve_params as category_params
from modern_treasury.types.ledger_account_retrieve_params import Balances
from modern_treasury.types.shared import TransactionDirection

from tests.api.lendnow import END, STORY, LendNow


@pytest.fixture
async def told(lender: LendNow) -> LendNow:
    """The lender after the five transactions."""
    for number, (day, words, debits, credits) in enumerate(STORY):
        said = {"description": words, "effective_at": day, "external_id": f"lendnow-{number}"}
        transaction = await lender.post(debits, credits, **said)
        assert (transaction.status, transaction.effective_date.isoformat()) == ("posted", day)
        assert transaction.description == words
        assert transaction.posted_at is not None
    return lender


async def test_every_account_ends_where_the_tutorial_ends(told: LendNow) -> None:
    for word, (debits, credits, amount) in END.items():
        posted = (await told.account(word)).balances.posted_balance
        assert (posted.debits, posted.credits, posted.amount) == (debits, credits, amount), word
        assert (posted.debits_string, posted.credits_string, posted.amount_string) == (
            str(debits),
            str(credits),
            str(amount),
        )


async def test_the_past_is_as_it_was(told: LendNow) -> None:
    assert await told.amounts("cash", as_of_date="2020-09-09") == (1_000_000,) * 3
    assert await told.amounts("cash", as_of_date="2020-09-10") == (0,) * 3
    assert await told.amounts("cash", effective_at="2020-09-10T00:00:00Z") == (0,) * 3
    assert await told.amounts("cash", effective_at_upper_bound="2020-09-10T00:00:00Z") == (1_000_000,) * 3
    october: Balances = {"effective_at_lower_bound": "2020-10-01", "effective_at_upper_bound": "2020-11-01"}
    assert await told.amounts("cash", **october) == (105_000,) * 3
    bounds = (await told.account("cash", **october)).balances
    assert bounds.effective_at_lower_bound is not None
    assert bounds.effective_at_upper_bound is not None
    assert (bounds.effective_at_lower_bound.isoformat(), bounds.effective_at_upper_bound.isoformat()) == (
        "2020-10-01T00:00:00+00:00",
        "2020-11-01T00:00:00+00:00",
    )


async def test_an_account_has_a_balance_at_each_of_its_versions(told: LendNow) -> None:
    assert [await told.amounts("cash", as_of_lock_version=version) for version in range(5)] == [
        (0,) * 3,
        (1_000_000,) * 3,
        (0,) * 3,
        (105_000,) * 3,
        (-920_000,) * 3,
    ]


async def test_categories_add_up_what_is_in_them_once(client: AsyncModernTreasury, told: LendNow) -> None:
    async def category(name: str, side: TransactionDirection, *words: str) -> str:
        made = await client.ledger_account_categories.create(
            name=name,
            currency="USD",
            ledger_id=told.ledger_id,
            normal_balance=side,
        )
        for word in words:
            await client.ledger_account_categories.add_ledger_account(told.ids[word], id=made.id)
        return made.id

    loan = await category("Individual Loan", "debit", "loan_principal", "loan_interest", "loan_fees")
    borrower = await category("Borrower", "debit", "loan_principal")
    await client.ledger_account_categories.add_nested_category(loan, id=borrower)
    investor = await category("Investor Balance", "credit", "investor_principal", "investor_interest")

    async def posted(category_id: str, **balances: Unpack[category_params.Balances]) -> tuple[int, int, int]:
        found = await client.ledger_account_categories.retrieve(category_id, balances=balances)
        shown = found.balances.posted_balance
        return shown.debits, shown.credits, shown.amount

    assert await posted(loan) == (1_055_000, 105_000, 950_000)
    assert await posted(borrower) == (1_055_000, 105_000, 950_000)
    assert await posted(investor) == (1_025_000, 1_027_500, 2_500)
    assert await posted(investor, as_of_date="2020-09-10") == (0, 1_025_000, 1_025_000)
    listed = [one async for one in client.ledger_account_categories.list(balances={"effective_at": "2020-09-10"})]
    assert {one.id: one.balances.posted_balance.amount for one in listed} == {
        loan: 1_050_000,
        borrower: 1_050_000,
        investor: 1_025_000,
    }


async def test_accounts_are_found_by_their_balances(client: AsyncModernTreasury, told: LendNow) -> None:
    async def found(**filters: Any) -> set[str | None]:
        return {account.external_id async for account in client.ledger_accounts.list(**filters)}

    assert await found(posted_balance_amount={"lt": 0}) == {"cash"}
    assert await found(available_balance_amount={"gte": 27_500, "lte": 50_000}) == {"revenue", "loan_interest"}
    assert await found(pending_balance_amount={"eq": 900_000}) == {"loan_principal"}
    assert await found(posted_balance_amount={"eq": 1_000_000}, balances={"as_of_date": "2020-08-27"}) == {
        "cash",
        "investor_principal",
    }
    assert await found(posted_balance_amount={"not_eq": 0, "gt": 0}) == {
        "loan_principal",
        "loan_interest",
        "investor_interest",
        "revenue",
    }
