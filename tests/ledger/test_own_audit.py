"""The tests' own audit finds what it is there to find."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.ledger.books import CASH, LOAN, REVENUE, Ledger, create, credit, debit, earn, reverse, spend
from tests.ledger.own_audit import ever_below_zero, wrong
from tests.ledger.test_verify import tamper
from worker.ledger.transaction import Post, Status

NAMED = "(select id from ledger_transactions where external_id = '{}')"


@pytest.fixture
async def books(ledger: Ledger) -> Ledger:
    """Transactions of some lives, in order."""
    await ledger.post(earn("once", 100), spend("out", 40), earn("later", 7, Status.PENDING))
    await ledger.post(Post("later"), reverse("out", "back"), create("open", debit(LOAN, 3), credit(REVENUE, 3)))
    async with ledger.database.connection() as connection:
        assert await wrong(connection) == {}
    return ledger


@pytest.mark.parametrize(
    ("statement", "audit"),
    [
        (
            f"update ledger_entries set amount = 99 where transaction_id = {NAMED.format('once')} and n = 1",
            "unbalanced",
        ),
        (f"update ledger_transactions set last_entry = 3 where id = {NAMED.format('once')}", "incomplete"),
        ("update ledger_account_balances set lock_version = lock_version + 1", "version gaps"),
        ("update ledger_entries set posted_debits = posted_debits + 1", "running-balance breaks"),
        (
            "update ledger_account_balances set pending_debits = pending_debits + 1",
            "balances that are not their entries",
        ),
        ("update ledger_account_days set pending_debits = pending_debits + 1", "days that are not their entries"),
        (
            "update ledger_category_balances set pending_debits = pending_debits + 1",
            "categories that are not their members",
        ),
        (
            f"update ledger_entries set direction = case direction when 'debit' then 'credit' else 'debit' end "
            f"where transaction_id = {NAMED.format('back')}",
            "reversals that undo something else",
        ),
        ("update ledger_chain set hash = sha256(hash)", "broken chains"),
        ("update ledger_chain set versions[1] = 7", "transactions sealed never or twice"),
    ],
)
async def test_what_was_tampered_with_is_found(books: Ledger, statement: str, audit: str) -> None:
    await tamper(books.database, statement)
    async with books.database.connection() as connection:
        assert audit in await wrong(connection)


async def test_a_balance_that_was_ever_negative_is_found(books: Ledger) -> None:
    cash: UUID = (await books.balance(CASH)).account_id
    async with books.database.connection() as connection:
        assert await ever_below_zero(connection, [cash], "posted_debits - pending_credits") == []
    await books.post(create("too much", debit(LOAN, 500), credit(CASH, 500)), earn("again", 900))
    async with books.database.connection() as connection:
        assert len(await ever_below_zero(connection, [cash], "posted_debits - pending_credits")) == 1
