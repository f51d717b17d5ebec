"""Ledger accounts through the official client."""

from __future__ import annotations

from typing import Any

import pytest
from modern_treasury import AsyncModernTreasury, NotFoundError, UnprocessableEntityError
from modern_treasury.types import Ledger

from tests.api.conftest import Raw, open_account
from tests.api.refusals import refused


async def test_an_account_begins_with_three_balances_of_zero(client: AsyncModernTreasury, ledger: Ledger) -> None:
    account = await open_account(
        client,
        ledger,
        "Cash",
        description="Money",
        external_id="cash",
        metadata={"a": "1"},
        ledgerable_type="internal_account",
        ledgerable_id="00000000-0000-4000-8000-000000000001",
    )

    assert (account.name, account.description, account.external_id) == ("Cash", "Money", "cash")
    assert (account.lock_version, account.normal_balance, account.ledger_id) == (0, "debit", ledger.id)
    assert account.ledgerable_type == "internal_account"
    for balance in (account.balances.pending_balance, account.balances.posted_balance):
        assert (balance.amount, balance.amount_string, balance.currency, balance.currency_exponent) == (
            0,
            "0",
            "USD",
            2,
        )
    assert await client.ledger_accounts.retrieve(account.id) == account
    assert await client.ledger_accounts.retrieve("cash") == account


async def test_a_custom_currency_needs_its_exponent(client: AsyncModernTreasury, ledger: Ledger) -> None:
    points = await open_account(client, ledger, "Points", currency="POINTS", currency_exponent=30)
    assert points.balances.posted_balance.currency_exponent == 30
    for exponent in ({}, {"currency_exponent": 31}, {"currency_exponent": -1}):
        error = await refused(open_account(client, ledger, "Points", currency="POINTS", **exponent))
        assert error["parameter"] == "currency_exponent"


async def test_an_external_id_is_unique_within_its_ledger(client: AsyncModernTreasury, ledger: Ledger) -> None:
    first = await open_account(client, ledger, "Cash", external_id="cash")
    second = await open_account(client, ledger, "Other")
    for call in (
        open_account(client, ledger, "Cash", external_id="cash"),
        client.ledger_accounts.update(second.id, external_id="cash"),
    ):
        assert (await refused(call))["parameter"] == "external_id"

    elsewhere = await open_account(client, await client.ledgers.create(name="B"), "Cash", external_id="cash")
    assert elsewhere.id != first.id
    with pytest.raises(UnprocessableEntityError):
        await client.ledger_accounts.retrieve("cash")


async def test_an_update_changes_what_is_given(client: AsyncModernTreasury, ledger: Ledger) -> None:
    account = await open_account(client, ledger, "A", description="d", external_id="e", metadata={"a": "1", "b": "2"})

    changed = await client.ledger_accounts.update(account.id, name="B", metadata={"a": "", "c": "3"})
    cleared = await client.ledger_accounts.update(account.id, description=None, external_id=None)

    assert (changed.name, changed.description, changed.external_id) == ("B", "d", "e")
    assert changed.metadata == {"b": "2", "c": "3"}
    assert (cleared.name, cleared.description, cleared.external_id) == ("B", None, None)


async def test_lists_filter_by_everything_that_identifies_accounts(client: AsyncModernTreasury, ledger: Ledger) -> None:
    cash = await open_account(client, ledger, "Cash 100%", external_id="cash", metadata={"kind": "cash"})
    loan = await open_account(client, ledger, "Loan_1 - Principal", metadata={"kind": "loan"})
    euro = await open_account(client, ledger, "Revenue", currency="EUR", normal_balance="credit")

    async def found(**filters: Any) -> list[str]:
        return [account.id async for account in client.ledger_accounts.list(**filters)]

    assert await found(ledger_id=ledger.id) == [euro.id, loan.id, cash.id]
    assert await found(id=[cash.id, euro.id]) == [euro.id, cash.id]
    assert await found(name=["cash 100%"]) == [cash.id]
    assert await found(name=["n_1", "reven"]) == [euro.id, loan.id]
    assert await found(name=["%"]) == [cash.id]
    assert await found(external_id="cash") == [cash.id]
    assert await found(currency="EUR") == [euro.id]
    assert await found(normal_balance="debit") == [loan.id, cash.id]
    assert await found(metadata={"kind": "loan"}) == [loan.id]
    assert await found(created_at={"gte": loan.created_at}) == [euro.id, loan.id]
    assert await found(updated_at={"lt": loan.updated_at}) == [cash.id]
    assert await found(posted_balance_amount={"eq": 0}, per_page=1) == [euro.id, loan.id, cash.id]
    assert await found(available_balance_amount={"not_eq": 0}) == []
    assert await found(pending_balance_amount={"gt": 10**40}) == []


async def test_a_discarded_account_is_gone(client: AsyncModernTreasury, ledger: Ledger) -> None:
    account = await open_account(client, ledger, "Cash")

    discarded = await client.ledger_accounts.delete(account.id)
    assert discarded.discarded_at is not None
    assert [one async for one in client.ledger_accounts.list()] == []
    for call in (client.ledger_accounts.retrieve, client.ledger_accounts.delete):
        with pytest.raises(NotFoundError):
            await call(account.id)
    assert (await client.ledgers.delete(ledger.id)).discarded_at is not None


async def test_what_was_discarded_frees_its_external_id(client: AsyncModernTreasury, ledger: Ledger) -> None:
    former = await open_account(client, ledger, "Cash", external_id="cash")
    assert (await client.ledger_accounts.delete(former.id)).external_id == "cash"
    assert (await open_account(client, ledger, "Cash", external_id="cash")).id != former.id
    words: Any = {"name": "All", "currency": "USD", "ledger_id": ledger.id, "normal_balance": "debit"}
    category = await client.ledger_account_categories.create(**words, external_id="all")
    assert (await client.ledger_account_categories.delete(category.id)).external_id == "all"
    assert (await client.ledger_account_categories.create(**words, external_id="all")).id != category.id


async def test_a_ledger_with_accounts_is_not_discarded(client: AsyncModernTreasury, ledger: Ledger) -> None:
    await open_account(client, ledger, "Cash")
    with pytest.raises(UnprocessableEntityError):
        await client.ledgers.delete(ledger.id)


async def test_an_account_needs_a_ledger_that_exists(client: AsyncModernTreasury, ledger: Ledger) -> None:
    await client.ledgers.delete(ledger.id)
    assert (await refused(open_account(client, ledger, "Cash")))["parameter"] == "ledger_id"


@pytest.mark.parametrize(
    "query",
    [
        "balances[as_of_lock_version]=1",
        "balances[as_of_lock_version]=-1",
        "balances[as_of_lock_version]=99999999999999999999999",
        "balances[as_of_lock_version]=0&balances[effective_at]=2024-01-01",
        "balances[effective_at]=2024-01-01&balances[as_of_date]=2024-01-01",
        "balances[effective_at]=9999-12-31",
        "balances[when]=2024-01-01",
    ],
)
async def test_impossible_balances_are_refused(
    client: AsyncModernTreasury, raw: Raw, ledger: Ledger, query: str
) -> None:
    account = await open_account(client, ledger, "Cash")
    status, code, parameter = await raw.error("GET", f"/api/ledger_accounts/{account.id}?{query}")
    blamed = "balances" if "&" in query else query.partition("=")[0]
    assert (status, code, parameter) == (422, "parameter_invalid", blamed)


async def test_a_bound_nobody_knows_is_told_all_there_are(
    client: AsyncModernTreasury, raw: Raw, ledger: Ledger
) -> None:
    account = await open_account(client, ledger, "Cash")
    bounds = "effective_at_lower_bound, effective_at_upper_bound, effective_at, as_of_date"
    for path, known in (
        (f"ledger_accounts/{account.id}", f"{bounds}, as_of_lock_version"),
        ("ledger_accounts", bounds),
        ("ledger_account_categories", bounds),
    ):
        status, body, _ = await raw.call("GET", f"/api/{path}?balances[foo]=1")
        assert (status, body["errors"]["parameter"]) == (422, "balances[foo]")
        assert body["errors"]["message"] == f"balances[foo] must be one of {known} of balances"
