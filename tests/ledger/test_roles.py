"""What is final stays, whoever tries: the owner, a superuser, a replica's session, and the role the service runs as."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from modern_treasury import AsyncModernTreasury

from tests.api.conftest import KEY, serving
from tests.api.lendnow import LendNow
from tests.ledger.books import CASH, LOAN, Ledger, create, credit, debit, earn
from tests.ledger.settled import settle_every_way
from tests.ledger.test_tampering import KEYS
from tests.loans.events import LoanSystem
from tests.loans.station import Station
from worker.database import Connection, Database
from worker.ledger.transaction import Archive, Post, Status
from worker.migrations import SchemaError, migrate, pending

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
REFUSED = {"LW002", "LW004", "23503", "23514"}
"""Refusals of a change to what is final, of a balance that nothing explains, and of what breaks a key or a check."""
NOT_ALLOWED = "42501"

FINAL = {table: key for table, key in KEYS.items() if table != "ledger_category_contents"}
"""What may not be removed. Contents follow the members of categories, which come and go."""

CHANGES = {
    "ledger_accounts": "currency = 'EUR'",
    "ledger_account_balances": "posted_debits = posted_debits + 1",
    "ledger_transactions": "effective_at = now()",
    "ledger_transaction_versions": "description = 'other'",
    "ledger_entries": "amount = amount + 1",
    "ledger_entry_transitions": "to_status = 'archived'",
    "ledger_chain": "hash = digests",
    "ledger_account_categories": "normal_balance = 'credit'",
    "ledger_account_statements": "ending_sums = '{1,1,1,1}'",
    "ledger_account_settlements": "amount = amount + 5",
    "ledger_account_settlement_entries": "n = n + 1000",
}
"""A change to each table that nothing may ever make by itself. Days and categories' sums are kept by whoever posts, and
only the audit compares them with the entries."""

ATTEMPTS = [
    *(f"delete from {table}" for table in FINAL),
    *(f"truncate {table} cascade" for table in FINAL),
    *(f"update {table} set {change}" for table, change in CHANGES.items()),
    *(
        f"merge into {table} t using (select {key[0]} as key from {table}) s on t.{key[0]} = s.key"
        " when matched then delete"
        for table, key in FINAL.items()
    ),
    *(
        f"merge into {table} t using (select {FINAL[table][0]} as key from {table} limit 1) s"
        f" on t.{FINAL[table][0]} = s.key when matched then update set {change}"
        for table, change in CHANGES.items()
    ),
]


@pytest.fixture
async def books(ledger: Ledger) -> Ledger:
    """Something in every table."""
    await ledger.post(
        earn("posted"),
        create("later", debit(LOAN, 30), credit(CASH, 30), status=Status.PENDING),
        earn("never", 7, Status.PENDING),
    )
    await ledger.post(Post("later"), Archive("never", "no"))
    await settle_every_way(ledger)
    return ledger


@pytest.fixture
async def service_role(database_url: str) -> AsyncIterator[str]:
    """URL of the database for a role with the README's grants, under a name of the test's own."""
    database = urlsplit(database_url).path.strip("/")
    role = f"service_of_{database}"
    (grants,) = re.findall(r"```sql\n(create role.*?)```", README, re.DOTALL)
    owner = await asyncpg.connect(database_url)
    await owner.execute(re.sub(r"\bwriteback\b", role, grants))
    place = urlsplit(database_url)
    host = place.netloc.rpartition("@")[2]
    yield urlunsplit(place._replace(netloc=f"{role}:change-me@{host}"))
    await owner.execute(f"drop owned by {role}; drop role {role}")
    await owner.close()


@pytest.mark.parametrize("session", ["reset role", "set session_replication_role = replica", "set role {accountant}"])
async def test_nobody_changes_or_removes_what_is_final(books: Ledger, session: str) -> None:
    """The tests' own connection is a superuser's, who owns every table."""
    let_through = []
    async with books.database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("create role accountant in role pg_write_all_data, pg_read_all_data")
        await connection.execute(session.format(accountant="accountant"))
        for attempt in ATTEMPTS:
            code = await refusal(connection, attempt)
            not_allowed = "accountant" in session and attempt.startswith("truncate") and code == NOT_ALLOWED
            if code not in REFUSED and not not_allowed:
                let_through.append((attempt, code))
        await connection.execute("reset role; reset session_replication_role")
        await transaction.rollback()
    assert let_through == []
    assert await books.findings() == []


async def test_the_services_role_may_not_even_try(books: Ledger, service_role: str) -> None:
    let_through = []
    connection = await asyncpg.connect(service_role)
    for attempt in (
        *ATTEMPTS,
        *(f"alter table {table} disable trigger all" for table in KEYS),
        *(f"drop table {table} cascade" for table in KEYS),
        "set session_replication_role = replica",
        "create or replace function ledger_refuse_change() returns trigger language plpgsql as 'begin return new; end'",
    ):
        code = await refusal(connection, attempt)
        if code not in {NOT_ALLOWED, *REFUSED}:
            let_through.append((attempt, code))
    await connection.close()
    assert let_through == []
    assert await books.findings() == []


async def test_the_services_role_is_enough_to_work(database_url: str, service_role: str) -> None:
    loan = LoanSystem()
    async with Database.open(service_role, application_name="service") as database:
        async with database.connection() as connection:
            assert await migrate(connection) == []
        station = await Station.open(database)
        await station.play(
            loan.create(MoneyNow="0.5"),
            loan.tell("loan.disbursed", drawdown_id="D1", amount=1_000),
            loan.tell("loan.interest_accrued", accrual_id="A1", amount=10),
            loan.initiate("R1", principal=100, interest=10),
            loan.settle("R1", principal=100, interest=10),
            loan.initiate("R2", principal=100),
            loan.fail("R2"),
            loan.reverse("R1"),
        )
        assert (await station.balances())["Principal - Loan L1"] == 1_000
        assert await station.dead_letters() == []


async def test_the_services_role_is_enough_for_the_ledgers_api(service_role: str) -> None:
    async with (
        Database.open(service_role, application_name="service") as database,
        serving(database) as url,
        AsyncModernTreasury(organization_id=KEY.organization_id, api_key=KEY.api_key, base_url=url) as client,
    ):
        lender = await LendNow.open(client)
        category = await client.ledger_account_categories.create(
            name="All", currency="USD", ledger_id=lender.ledger_id, normal_balance="debit"
        )
        await client.ledger_account_categories.add_ledger_account(lender.ids["cash"], id=category.id)
        pending = await lender.post({"cash": 5}, {"revenue": 5}, status="pending")
        replaced: Any = lender.entries({"cash": 6}, {"revenue": 6})
        await client.ledger_transactions.update(pending.id, ledger_entries=replaced, metadata={"a": "b"})
        posted = await client.ledger_transactions.update(pending.id, status="posted")
        await client.ledger_entries.update(posted.ledger_entries[0].id, metadata={"c": "d"})
        await client.ledger_transactions.create_reversal(posted.id)
        await lender.post({"cash": 7}, {"revenue": 7})
        settled = await client.ledger_account_settlements.create(
            settled_ledger_account_id=lender.ids["revenue"], contra_ledger_account_id=lender.ids["loan_fees"]
        )
        assert settled.amount == 7
        await client.ledger_account_categories.remove_ledger_account(lender.ids["cash"], id=category.id)
        await client.ledger_account_categories.delete(category.id)
        await client.ledger_accounts.delete(lender.ids["expenses"])
        assert await lender.amounts("cash") == (7, 7, 7)


async def test_a_role_that_may_not_migrate_says_who_may(database_url: str, service_role: str) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute("delete from schema_migrations where version = (select max(version) from schema_migrations)")
    await owner.close()
    connection = await asyncpg.connect(service_role)
    assert len(await pending(connection)) == 1
    with pytest.raises(SchemaError, match="run `writeback migrate` as the role that owns the tables"):
        await migrate(connection)
    await connection.close()


async def refusal(connection: Connection, attempt: str) -> str | None:
    """The code a statement is refused with, None when it is not; nothing of it stays."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(attempt)
    except asyncpg.PostgresError as error:
        return str(error.sqlstate)
    finally:
        await transaction.rollback()
    return None
