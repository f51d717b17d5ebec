"""A superuser, whom no trigger stops for long, changes a row of every kind behind the ledger's back: it is named."""

from __future__ import annotations

import pytest

from tests.ledger.books import CASH, LOAN, Ledger, create, credit, debit, earn
from worker.database import Database
from worker.ledger.transaction import Archive, Post, Status
from worker.operations.auditor import Auditor

TABLES = (
    *("ledgers", "ledger_accounts", "ledger_account_balances", "ledger_transactions", "ledger_entries"),
    *("ledger_entry_transitions", "ledger_transaction_versions"),
)


@pytest.fixture
async def books(ledger: Ledger) -> Ledger:
    """One transaction of every life, and another ledger beside it."""
    await ledger.post(
        earn("once", 100),
        create("later", debit(LOAN, 30), credit(CASH, 30), status=Status.PENDING),
        earn("never", 7, Status.PENDING),
        earn("open", 5, Status.PENDING),
    )
    await ledger.post(Post("later"), Archive("never", "no"))
    other = await Ledger.open(ledger.database, "other")
    await other.post(earn("elsewhere", 1))
    return ledger


async def tamper(database: Database, statement: str) -> None:
    """Run a statement with the guards of every table switched off."""
    async with database.transaction() as connection:
        for table in TABLES:
            await connection.execute(f"alter table {table} disable trigger user")
        assert not (await connection.execute(statement)).endswith(" 0"), "nothing was tampered with"


async def ids_of(ledger: Ledger) -> dict[str, str]:
    """The ids of transactions and accounts by what the tests call them."""
    async with ledger.database.connection() as connection:
        rows = await connection.fetch(
            "select external_id, id from ledger_transactions where ledger_id = $1 "
            "union all select external_id, id from ledger_accounts where ledger_id = $1",
            ledger.id,
        )
    return {row["external_id"].replace("-", "_"): str(row["id"]) for row in rows}


ONCE = "transaction_id = (select id from ledger_transactions where external_id = 'once')"
LATER = ONCE.replace("once", "later")
OF_CASH = f"account_id = (select account_id from ledger_entries where {ONCE} and direction = 'debit')"


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        (
            f"update ledger_entries set amount = 99 where {ONCE} and n = 1",
            [
                "transactions: ledger_transactions (id) = ({once})",
                "balances: ledger_account_balances (account_id) = ({cash})",
                "versions: ledger_entries (transaction_id, n) = ({once}, 1)",
            ],
        ),
        (
            f"update ledger_entries set direction = 'debit' where {LATER} and n = 2",
            [
                "transactions: ledger_transactions (id) = ({later})",
                "balances: ledger_account_balances (account_id) = ({cash})",
                "versions: ledger_entries (transaction_id, n) = ({later}, 2)",
            ],
        ),
        (
            f"update ledger_entries set posted_debits = 0 where {ONCE} and n = 1",
            ["versions: ledger_entries (transaction_id, n) = ({once}, 1)"],
        ),
        (
            f"update ledger_entries set lock_version = 9 where {ONCE} and n = 1",
            ["versions: ledger_entries (transaction_id, n) = ({later}, 2)"],
        ),
        (
            f"delete from ledger_entries where {LATER} and n = 1",
            [
                "transactions: ledger_transactions (id) = ({later})",
                "entries: ledger_entry_transitions (transaction_id, n) = ({later}, 1)",
                "balances: ledger_account_balances (account_id) = ({loan})",
                "versions: ledger_account_balances (account_id) = ({loan})",
            ],
        ),
        (
            "update ledger_entries set n = 3 where n = 2 and transaction_id = "
            "(select id from ledger_transactions where external_id = 'open')",
            [
                "transactions: ledger_transactions (id) = ({open})",
                "entries: ledger_entries (transaction_id, n) = ({open}, 3)",
            ],
        ),
        (
            f"delete from ledger_entry_transitions where {LATER} and n = 1",
            [
                "versions: ledger_entries (transaction_id, n) = ({later}, 1)",
            ],
        ),
        (
            f"update ledger_entry_transitions set to_status = 'archived' where {LATER} and n = 1",
            [
                "entries: ledger_entry_transitions (transaction_id, n) = ({later}, 1)",
                "versions: ledger_entry_transitions (transaction_id, n) = ({later}, 1)",
            ],
        ),
        (
            f"delete from ledger_transaction_versions where {LATER}",
            ["history: ledger_transactions (id) = ({later})"],
        ),
        (
            f"update ledger_transaction_versions set version = 1 where {LATER}",
            ["history: ledger_transaction_versions (transaction_id, version) = ({later}, 1)"],
        ),
        (
            f"update ledger_transaction_versions set status = 'posted', posted_at = now() where {LATER}",
            ["history: ledger_transactions (id) = ({later})"],
        ),
        (
            "delete from ledger_transactions where external_id = 'once'",
            [
                "entries: ledger_entries (transaction_id, n) = ({once}, 1)",
                "entries: ledger_entries (transaction_id, n) = ({once}, 2)",
                "balances: ledger_account_balances (account_id) = ({cash})",
                "balances: ledger_account_balances (account_id) = ({revenue})",
                "versions: ledger_entries (transaction_id, n) = ({later}, 2)",
                "versions: ledger_entries (transaction_id, n) = ({never}, 2)",
            ],
        ),
        (
            "update ledger_transactions set version = 3 where external_id = 'once'",
            ["history: ledger_transactions (id) = ({once})"],
        ),
        (
            f"update ledger_account_balances set posted_debits = posted_debits - 1 where {OF_CASH}",
            ["balances: ledger_account_balances (account_id) = ({cash})"],
        ),
        (
            f"update ledger_account_balances set lock_version = lock_version + 1 where {OF_CASH}",
            ["versions: ledger_account_balances (account_id) = ({cash})"],
        ),
        (
            f"delete from ledger_account_balances where {OF_CASH}",
            [
                "balances: ledger_account_balances (account_id) = ({cash})",
                "versions: ledger_account_balances (account_id) = ({cash})",
            ],
        ),
    ],
)
async def test_a_tampered_row_is_named(books: Ledger, statement: str, rows: list[str]) -> None:
    assert (await Auditor(books.database).verify())["findings"] == []
    ids = await ids_of(books)

    await tamper(books.database, statement)

    found = (await Auditor(books.database).verify())["findings"]
    assert {f"{one['audit']}: {one['row']}" for one in found} == {row.format(**ids) for row in rows}
    assert {one["ledger"] for one in found} == {"test"}


async def test_every_ledger_is_looked_at(books: Ledger) -> None:
    await tamper(books.database, "update ledger_account_balances set lock_version = lock_version + 1")

    document = await Auditor(books.database).verify()

    assert {one["name"] for one in document["ledgers"]} == {"test", "other"}
    assert {one["ledger"] for one in document["findings"]} == {"test", "other"}
