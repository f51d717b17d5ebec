"""What the ledger shows: balances on any day, statements, a loan's transactions, and its own audit."""

from __future__ import annotations

from datetime import date

import pytest

from tests.ledger.books import CASH, LOAN, REVENUE, Ledger, create, credit, debit, earn, reverse
from worker.ledger import store
from worker.ledger.book import midnight
from worker.ledger.reading import AccountFilter, Audit, Entry
from worker.ledger.transaction import Direction, Post, Posted, Status

PAST, TODAY, FUTURE = date(1999, 12, 31), date(2024, 3, 1), date(2199, 1, 1)


async def test_balances_follow_the_business_day_in_the_past_and_the_future(ledger: Ledger) -> None:
    await ledger.post(
        earn("now", 100, day=TODAY), earn("before", 20, day=PAST), earn("later", 3, Status.PENDING, day=FUTURE)
    )
    seen = [await ledger.balance(CASH, day) for day in (date(1999, 12, 30), PAST, TODAY, FUTURE)]
    assert [(b.posted, b.pending) for b in seen] == [(0, 0), (20, 20), (120, 120), (120, 123)]
    assert (await ledger.balance(CASH)).pending == 123


@pytest.mark.parametrize("as_of", [None, PAST, TODAY, FUTURE])
async def test_a_trial_balance_balances_in_every_currency_on_every_day(ledger: Ledger, as_of: date | None) -> None:
    await ledger.post(
        earn("a", 100, day=PAST),
        create("b", debit(LOAN, 60), credit(CASH, 60), day=TODAY),
        create("c", debit("cash-usd", 9), credit("revenue-usd", 9), day=FUTURE),
        reverse("b", "r", FUTURE),
    )
    async with ledger.database.connection() as connection:
        accounts = await store.trial_balance(connection, ledger.id, as_of)
    assert len(accounts) == 5
    for currency in ("GBP", "USD"):
        sums = [account.sums for account in accounts if account.currency == currency]
        assert sum(s.posted_debits for s in sums) == sum(s.posted_credits for s in sums)


async def test_a_statement_leads_from_the_opening_to_the_closing_balance(ledger: Ledger) -> None:
    await ledger.post(
        earn("old", 100, day=date(2024, 2, 29)),
        earn("second", 30, day=date(2024, 3, 31)),
        create("first", debit(LOAN, 80), credit(CASH, 80), day=date(2024, 3, 1)),
        earn("open", 7, Status.PENDING, day=date(2024, 3, 15)),
        earn("moved", 5, Status.PENDING, day=date(2024, 3, 16)),
        earn("next month", 1000, day=date(2024, 4, 1)),
    )
    await ledger.post(Post("moved", midnight(date(2024, 3, 20))))
    async with ledger.database.connection() as connection:
        openings = await store.trial_balance(connection, ledger.id, date(2024, 2, 29), AccountFilter([CASH, "nobody"]))
        (statement,) = await store.statements(connection, openings, date(2024, 3, 1), date(2024, 3, 31))
    assert (statement.opening.posted, statement.closing.posted, statement.closing.pending) == (100, 55, 62)
    assert [(line.external_id, line.status, line.direction, line.amount) for line in statement.lines] == [
        ("first", Status.POSTED, Direction.CREDIT, 80),
        ("open", Status.PENDING, Direction.DEBIT, 7),
        ("moved", Status.POSTED, Direction.DEBIT, 5),
        ("second", Status.POSTED, Direction.DEBIT, 30),
    ]
    assert [line.sums.pending_debits - line.sums.pending_credits for line in statement.lines] == [20, 27, 32, 62]


async def test_a_loans_transactions_are_found_by_their_metadata(ledger: Ledger) -> None:
    await ledger.post(
        create("late", debit(LOAN, 1), credit(CASH, 1), day=FUTURE, loan="A"),
        create("other", debit(LOAN, 2), credit(CASH, 2), loan="B"),
        create("early", debit(LOAN, 3), credit(CASH, 3), day=PAST, loan="A"),
    )
    async with ledger.database.connection() as connection:
        early, late = await store.transactions_of(connection, ledger.id, {"loanID": "A"})
        assert await store.transactions_of(connection, ledger.id, {"loanID": "A", "kind": "none"}) == []
    assert (early.external_id, early.effective_date, early.metadata) == ("early", PAST, {"loanID": "A"})
    assert early.entries == (Entry(1, LOAN, Direction.DEBIT, 3), Entry(2, CASH, Direction.CREDIT, 3))
    assert late.external_id == "late"


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (
            "update ledger_entries set amount = 99 where direction = 'debit'",
            [Audit.TRANSACTIONS, Audit.BALANCES, Audit.VERSIONS, Audit.DAYS],
        ),
        ("update ledger_entries set amount = 99", [*[Audit.BALANCES] * 2, *[Audit.VERSIONS] * 2, *[Audit.DAYS] * 2]),
        (
            "update ledger_account_balances set posted_debits = 99 where posted_debits = 100",
            [Audit.BALANCES, *[Audit.CATEGORIES] * 2],
        ),
        ("update ledger_account_balances set lock_version = 2 where posted_debits = 100", [Audit.VERSIONS]),
        ("update ledger_entries set lock_version = 2 where direction = 'debit'", [Audit.VERSIONS]),
        (
            "delete from ledger_entries",
            [Audit.TRANSACTIONS, *[Audit.BALANCES] * 2, *[Audit.VERSIONS] * 2, *[Audit.DAYS] * 2],
        ),
        ("delete from ledger_entries where n = 1", [Audit.TRANSACTIONS, Audit.BALANCES, Audit.VERSIONS, Audit.DAYS]),
        (
            "update ledger_transactions set dated_apart = tstzrange('2024-03-01Z', '2024-03-02Z', '(]')",
            [Audit.TRANSACTIONS],
        ),
        (
            "update ledger_transactions set status = 'pending', posted_at = null",
            [*[Audit.ENTRIES] * 2, *[Audit.BALANCES] * 2, *[Audit.VERSIONS] * 2, *[Audit.DAYS] * 2],
        ),
        (
            "delete from ledger_account_balances where posted_debits = 100",
            [Audit.BALANCES, Audit.VERSIONS, *[Audit.CATEGORIES] * 2],
        ),
    ],
)
async def test_the_audit_finds_what_was_tampered_with_behind_the_triggers(
    ledger: Ledger, tamper: str, found: list[Audit]
) -> None:
    await ledger.post(earn("t", 100))
    async with ledger.database.transaction() as connection:
        for table in ("ledger_entries", "ledger_account_balances", "ledger_transactions"):
            await connection.execute(f"alter table {table} disable trigger user")
        await connection.execute(tamper)
        findings = await store.verify(connection, ledger.id)
    assert [finding.audit for finding in findings] == found


async def test_the_audit_names_the_transaction_and_the_account(ledger: Ledger) -> None:
    (posted,) = await ledger.post(earn("t", 100))
    assert isinstance(posted, Posted)
    async with ledger.database.transaction() as connection:
        await connection.execute("alter table ledger_entries disable trigger user")
        await connection.execute("update ledger_entries set amount = 99 where direction = 'credit'")
        findings = await store.verify(connection, ledger.id)
    revenue = (await ledger.balance(REVENUE)).account_id
    assert [finding.subject for finding in findings] == [posted.transaction_id, revenue, revenue, revenue]
    assert "1 GBP" in findings[0].detail
