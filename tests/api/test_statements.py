"""Ledger account statements through the official client."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from modern_treasury import AsyncModernTreasury, NotFoundError, UnprocessableEntityError
from modern_treasury.types import LedgerAccountStatementCreateResponse as LedgerAccountStatement

from tests.api.conftest import MISSING, Raw
from tests.api.lendnow import LendNow
from worker.database import Database


async def state(lender: LendNow, word: str, lower: str, upper: str, **said: Any) -> LedgerAccountStatement:
    return await lender.client.ledger_account_statements.create(
        ledger_account_id=lender.ids[word], effective_at_lower_bound=lower, effective_at_upper_bound=upper, **said
    )


async def entries_of(lender: LendNow, statement: LedgerAccountStatement) -> list[tuple[str, int, str]]:
    listed = lender.client.ledger_entries.list(ledger_account_statement_id=statement.id)
    return sorted([(entry.direction, entry.amount, entry.status) async for entry in listed])


async def test_a_statement_counts_what_lies_before_each_bound(lender: LendNow) -> None:
    await lender.post({"cash": 100}, {"revenue": 100}, effective_at="2024-01-31T23:59:59.999999Z")
    await lender.post({"cash": 20}, {"revenue": 20}, effective_at="2024-02-01")
    await lender.post({"expenses": 5}, {"cash": 5}, effective_at="2024-02-29", status="pending")
    await lender.post({"cash": 3}, {"revenue": 3}, effective_at="2024-03-01")

    made = await state(lender, "cash", "2024-02-01", "2024-03-01", description="February")
    starting, ending = made.starting_balance, made.ending_balance
    assert (starting.posted_balance.amount, starting.pending_balance.amount) == (100, 100)
    assert (ending.posted_balance.amount, ending.pending_balance.amount, ending.available_balance.amount) == (
        120,
        115,
        115,
    )
    assert (made.ledger_account_lock_version, made.ledger_account_normal_balance) == (4, "debit")
    assert (made.ledger_id, made.description) == (lender.ledger_id, "February")
    assert await entries_of(lender, made) == [("credit", 5, "pending"), ("debit", 20, "posted")]
    assert (await lender.client.ledger_account_statements.retrieve(made.id)).to_dict() == made.to_dict()


async def test_a_statement_never_changes_whatever_comes_after_it(lender: LendNow, database: Database) -> None:
    pending = await lender.post({"cash": 7}, {"revenue": 7}, effective_at="2024-02-02", status="pending")
    replaced = await lender.post({"cash": 9}, {"revenue": 9}, effective_at="2024-02-03", status="pending")
    made = await state(lender, "cash", "2024-02-01", "2024-03-01")

    await lender.client.ledger_transactions.update(pending.id, status="archived")
    await lender.client.ledger_transactions.update(
        replaced.id,
        ledger_entries=lender.entries({"cash": 11}, {"revenue": 11}),
    )
    await lender.post({"cash": 50}, {"revenue": 50}, effective_at="2024-02-04")

    assert (await lender.client.ledger_account_statements.retrieve(made.id)).to_dict() == made.to_dict()
    assert made.ending_balance.pending_balance.amount == 16
    assert [(direction, amount) for direction, amount, _ in await entries_of(lender, made)] == [
        ("debit", 7),
        ("debit", 9),
    ]
    async with database.connection() as connection:
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await connection.execute("update ledger_account_statements set description = 'x'")


async def test_the_versions_of_a_statement_are_those_of_its_moment(lender: LendNow) -> None:
    transactions = lender.client.ledger_transactions
    changed = await lender.post({"cash": 7}, {"revenue": 7}, effective_at="2024-02-02", status="pending")
    await transactions.update(changed.id, description="known by then")
    late = await lender.post({"cash": 1}, {"revenue": 1}, effective_at="2024-03-02")
    made = await state(lender, "cash", "2024-02-01", "2024-03-01")
    await transactions.update(changed.id, status="posted")
    await transactions.update(changed.id, metadata={"k": "v"})

    listed = lender.client.ledger_transactions.versions.list(ledger_account_statement_id=made.id)
    found = [(v.ledger_transaction_id, v.version, v.status, v.description) async for v in listed]
    assert found == [(changed.id, 1, "pending", "known by then")]
    assert late.id not in {transaction_id for transaction_id, *_ in found}


async def test_a_filter_beside_a_statement_narrows_it(lender: LendNow) -> None:
    await lender.post({"cash": 7}, {"revenue": 7}, effective_at="2024-02-02")
    await lender.post({"cash": 8}, {"revenue": 8}, effective_at="2024-02-12")
    made = await state(lender, "cash", "2024-02-01", "2024-03-01")
    entries = lender.client.ledger_entries

    later = entries.list(ledger_account_statement_id=made.id, effective_at={"gte": "2024-02-10"})
    assert [entry.amount async for entry in later] == [8]
    other = entries.list(ledger_account_statement_id=made.id, ledger_account_id=lender.ids["revenue"])
    assert [entry.amount async for entry in other] == []
    assert [entry.amount async for entry in entries.list(ledger_account_statement_id=MISSING)] == []


async def test_a_statement_that_cannot_be_made_is_refused(lender: LendNow, client: AsyncModernTreasury) -> None:
    with pytest.raises(UnprocessableEntityError, match="effective_at_upper_bound"):
        await state(lender, "cash", "2024-02-01", "2024-02-01")
    with pytest.raises(UnprocessableEntityError, match="Ledger account not found"):
        await client.ledger_account_statements.create(
            ledger_account_id=MISSING, effective_at_lower_bound="2024-01-01", effective_at_upper_bound="2024-02-01"
        )
    with pytest.raises(NotFoundError):
        await client.ledger_account_statements.retrieve(MISSING)


async def test_a_repeated_statement_is_the_first_one(lender: LendNow, raw: Raw) -> None:
    sent: dict[str, Any] = {
        "headers": {"Idempotency-Key": "s"},
        "json": {
            "ledger_account_id": lender.ids["cash"],
            "effective_at_lower_bound": "2024-01-01",
            "effective_at_upper_bound": "2024-02-01",
        },
    }
    _, first, _ = await raw.call("POST", "/api/ledger_account_statements", **sent)
    await lender.post({"cash": 7}, {"revenue": 7}, effective_at="2024-01-02")
    _, again, _ = await raw.call("POST", "/api/ledger_account_statements", **sent)
    assert again == first
