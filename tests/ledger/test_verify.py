"""A superuser, whom no trigger stops for long, changes a row of every kind behind the ledger's back: it is named."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.ledger.books import Ledger, create, credit, debit, earn, post_every_life
from worker.database import Database, query
from worker.ledger.transaction import Post, Status
from worker.operations.auditor import Auditor

TABLES = (
    *("ledgers", "ledger_accounts", "ledger_account_balances", "ledger_transactions", "ledger_entries"),
    *("ledger_entry_transitions", "ledger_transaction_versions", "ledger_chain", "ledger_chain_heads"),
    *("ledger_account_days", "ledger_category_balances", "ledger_category_contents"),
)
SUMS = ("posted_debits", "posted_credits", "pending_debits", "pending_credits")


@pytest.fixture
async def books(ledger: Ledger) -> Ledger:
    """One transaction of every life, and another ledger beside it."""
    await post_every_life(ledger)
    return ledger


async def tamper(database: Database, statement: str) -> None:
    """Run a statement with the guards of every table switched off, and switch them on again."""
    async with database.transaction() as connection:
        for table in TABLES:
            await connection.execute(f"alter table {table} disable trigger user")
        assert not (await connection.execute(statement)).endswith(" 0"), "nothing was tampered with"
        await connection.execute("call keep_triggers_on()")


async def ids_of(ledger: Ledger) -> dict[str, str]:
    """The ids of transactions and accounts by what the tests call them."""
    async with ledger.database.connection() as connection:
        rows = await connection.fetch(
            "select external_id, id from ledger_transactions where ledger_id = $1 "
            "union all select external_id, id from ledger_accounts where ledger_id = $1 "
            "union all select external_id, id from ledger_account_categories where ledger_id = $1",
            ledger.id,
        )
    return {"test": str(ledger.id), **{row["external_id"]: str(row["id"]) for row in rows}}


async def findings(ledger: Ledger) -> set[str]:
    """What is found, all of it in this ledger."""
    found = (await Auditor(ledger.database).verify())["findings"]
    assert {one["ledger"] for one in found} <= {"test"}
    return {f"{one['audit']}: {one['row']}" for one in found}


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
                "days: ledger_account_days (account_id, day) = ({cash}, 2024-03-01)",
            ],
        ),
        (
            f"update ledger_entries set direction = 'debit' where {LATER} and n = 2",
            [
                "transactions: ledger_transactions (id) = ({later})",
                "balances: ledger_account_balances (account_id) = ({cash})",
                "versions: ledger_entries (transaction_id, n) = ({later}, 2)",
                "days: ledger_account_days (account_id, day) = ({cash}, 2024-03-01)",
            ],
        ),
        (
            f"update ledger_entries set posted_debits = 0 where {ONCE} and n = 1",
            ["versions: ledger_entries (transaction_id, n) = ({once}, 1)"],
        ),
        (
            f"update ledger_entries set posted_at_once = false where {ONCE} and n = 1",
            ["entries: ledger_entries (transaction_id, n) = ({once}, 1)"],
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
                "history: ledger_transaction_versions (transaction_id, version) = ({later}, 0)",
                "balances: ledger_account_balances (account_id) = ({loan})",
                "versions: ledger_account_balances (account_id) = ({loan})",
                "days: ledger_account_days (account_id, day) = ({loan}, 2024-03-01)",
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
                "entries: ledger_entries (transaction_id, n) = ({later}, 1)",
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
                "days: ledger_account_days (account_id, day) = ({cash}, 2024-03-01)",
                "days: ledger_account_days (account_id, day) = ({revenue}, 2024-03-01)",
            ],
        ),
        (
            "update ledger_transactions set version = 3 where external_id = 'once'",
            ["history: ledger_transactions (id) = ({once})"],
        ),
        (
            f"update ledger_account_balances set posted_debits = posted_debits - 1 where {OF_CASH}",
            [
                "balances: ledger_account_balances (account_id) = ({cash})",
                "categories: ledger_category_balances (category_id) = ({assets})",
                "categories: ledger_category_balances (category_id) = ({operating})",
            ],
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
                "categories: ledger_category_balances (category_id) = ({assets})",
                "categories: ledger_category_balances (category_id) = ({operating})",
            ],
        ),
        (
            f"update ledger_account_days set pending_credits = pending_credits + 1 where {OF_CASH}",
            ["days: ledger_account_days (account_id, day) = ({cash}, 2024-03-01)"],
        ),
        (
            f"delete from ledger_account_days where {OF_CASH}",
            ["days: ledger_account_days (account_id, day) = ({cash}, 2024-03-01)"],
        ),
        (
            "update ledger_category_balances set posted_credits = posted_credits + 1 where posted_debits = 100",
            ["categories: ledger_category_balances (category_id) = ({operating})"],
        ),
        (
            f"delete from ledger_category_contents where {OF_CASH}",
            [
                "categories: ledger_category_contents (account_id, category_id) = ({cash}, {assets})",
                "categories: ledger_category_contents (account_id, category_id) = ({cash}, {operating})",
            ],
        ),
    ],
)
async def test_a_tampered_row_is_named(books: Ledger, statement: str, rows: list[str]) -> None:
    assert (await Auditor(books.database).verify())["findings"] == []
    ids = await ids_of(books)

    await tamper(books.database, statement)

    found = await findings(books)
    assert {one for one in found if not one.startswith("chain")} == {row.format(**ids) for row in rows}


CHAIN = "chain: version {} of ledger_transactions (id) = ({})"
LINK = "chain: ledger_chain (ledger_id, position) = ({}, {})"
HEAD = "chain: ledger_chain_heads (ledger_id) = ({test})"
OF_TEST = "ledger_id = (select id from ledgers where name = 'test')"
SAME_DAY = "set effective_at = effective_at + interval '1 hour'"


def states(version: int, *names: str) -> list[str]:
    """The rows of a version of some transactions, as the chain names them."""
    return [CHAIN.format(version, f"{{{name}}}") for name in names]


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("update ledger_transactions set description = 'x' where external_id = 'once'", states(0, "once")),
        ("update ledger_transactions set metadata = '{}' where external_id = 'later'", states(1, "later")),
        (
            f"with moved as (update ledger_entries {SAME_DAY} where {ONCE}) "
            f"update ledger_transactions {SAME_DAY} where external_id = 'once'",
            states(0, "once"),
        ),
        (f"update ledger_transaction_versions set description = '' where {LATER}", states(0, "later")),
        (
            f"update ledger_accounts set normal_balance = 'debit' where external_id = 'revenue' and {OF_TEST}",
            ["chart: ledger_accounts (id) = ({revenue})", *states(0, "once", "never", "open"), *states(1, "never")],
        ),
        (
            f"update ledger_chain set hash = sha256('') where position = 1 and {OF_TEST}",
            [LINK.format("{test}", 1), LINK.format("{test}", 2)],
        ),
        (
            f"update ledger_chain set digests = sha256('') || substr(digests, 33) where position = 2 and {OF_TEST}",
            [LINK.format("{test}", 2), *states(1, "later")],
        ),
        (
            f"delete from ledger_chain where position = 1 and {OF_TEST}",
            [LINK.format("{test}", 1), LINK.format("{test}", 2), *states(0, "once", "later", "never", "open")],
        ),
        (
            f"delete from ledger_chain where position = 2 and {OF_TEST}",
            [HEAD, LINK.format("{test}", 2), *states(1, "later", "never")],
        ),
        (f"update ledger_chain_heads set hash = sha256('') where {OF_TEST}", [HEAD]),
    ],
)
async def test_what_still_adds_up_is_found_by_the_chain(books: Ledger, statement: str, rows: list[str]) -> None:
    ids = await ids_of(books)

    await tamper(books.database, statement)

    assert await findings(books) == {row.format(**ids) for row in rows}


async def test_books_forged_in_every_sum_are_found_by_the_chain(books: Ledger) -> None:
    """The one transaction of the other ledger is made bigger wherever its amount went."""
    more = ", ".join(f"{column} = {column} + sign({column})" for column in SUMS)
    of_other = "in (select id from ledger_accounts where ledger_id = (select id from ledgers where name = 'other'))"

    await tamper(books.database, f"update ledger_entries set amount = amount + 1, {more} where account_id {of_other}")
    for table in ("ledger_account_balances", "ledger_account_days"):
        await tamper(books.database, f"update {table} set {more} where account_id {of_other}")
    of_other = of_other.replace("ledger_accounts", "ledger_account_categories")
    await tamper(books.database, f"update ledger_category_balances set {more} where category_id {of_other}")

    (found,) = (await Auditor(books.database).verify())["findings"]
    assert (found["ledger"], found["audit"]) == ("other", "chain")
    assert found["detail"] == "it or its entries are not what link 1 sealed"


async def test_posters_on_different_accounts_make_one_chain(books: Ledger) -> None:
    """They wait for each other only at the chain, and never in a circle."""

    async def post(n: int) -> None:
        usd = create(f"usd {n}", debit("cash-usd", 1), credit("revenue-usd", 1), status=Status.PENDING)
        await books.post(*([earn(f"gbp {n}")] if n % 2 else [usd, Post(f"usd {n}")]))

    await asyncio.gather(*(post(n) for n in range(20)))

    document = await Auditor(books.database).verify()
    assert document["findings"] == []
    assert {one["name"]: one["links"] for one in document["ledgers"]} == {"test": 22, "other": 1}


async def test_every_ledger_is_looked_at(books: Ledger) -> None:
    await tamper(books.database, "update ledger_account_balances set lock_version = lock_version + 1")

    document = await Auditor(books.database).verify()

    assert {one["name"] for one in document["ledgers"]} == {"test", "other"}
    assert {one["ledger"] for one in document["findings"]} == {"test", "other"}


@pytest.mark.parametrize(
    "moment", ["infinity", "-infinity", "20000-01-01Z", "4000-01-01Z BC", "9999-12-31 23:59:59.999999Z"]
)
@pytest.mark.parametrize("table", ["ledger_transactions", "ledger_entries"])
async def test_a_moment_nobody_can_read_is_found_and_hides_nothing_else(books: Ledger, table: str, moment: str) -> None:
    names, once = await ids_of(books), "id = (select id from ledger_transactions where external_id = 'once')"
    async with books.database.transaction() as connection:
        await connection.execute(f"alter table {table} drop constraint {table}_effective_at_check")
    where = once if table == "ledger_transactions" else ONCE
    await tamper(books.database, f"update {table} set effective_at = '{moment}' where {where}")
    await tamper(books.database, "update ledger_transactions set description = 'x' where external_id = 'never'")
    found = await findings(books)
    assert f"chain: version 0 of ledger_transactions (id) = ({names['once']})" in found
    assert f"chain: version 1 of ledger_transactions (id) = ({names['never']})" in found
    assert not [one for one in found if names["open"] in one or names["later"] in one]


async def test_a_link_of_a_moment_nobody_can_read_is_found(books: Ledger) -> None:
    await tamper(books.database, "update ledger_chain set created_at = '20000-01-01Z' where position = 2")
    assert await findings(books) == {f"chain: ledger_chain (ledger_id, position) = ({books.id}, 2)"}


async def test_what_belongs_to_no_ledger_is_found_all_the_same(books: Ledger) -> None:
    once = (await ids_of(books))["once"]
    await tamper(books.database, f"update ledger_transactions set ledger_id = gen_random_uuid() where id = '{once}'")

    document = await Auditor(books.database).verify()

    strays = [one for one in document["findings"] if one["ledger"] is None]
    assert [one["row"] for one in strays] == [f"ledger_transactions (id) = ({once})"]


DAYS = f"update ledger_account_days set pending_credits = pending_credits + 1 where {OF_CASH}"
CASHS_DAYS = f"select ledger_recount_days((select id from ledger_accounts where external_id = 'cash' and {OF_TEST}))"
THE_ASSETS = f"(select id from ledger_account_categories where external_id = 'assets' and {OF_TEST})"
ASSETS = f"select ledger_recount_category({THE_ASSETS})"


@pytest.mark.parametrize(
    ("statement", "remedy"),
    [
        (DAYS, CASHS_DAYS),
        (f"delete from ledger_account_days where {OF_CASH}", CASHS_DAYS),
        (f"update ledger_account_days set day = day + 1 where {OF_CASH}", CASHS_DAYS),
        ("update ledger_category_balances set posted_credits = posted_credits + 1 where posted_debits = 130", ASSETS),
        (f"delete from ledger_category_contents where category_id = {THE_ASSETS}", ASSETS),
        (
            f"insert into ledger_category_contents select id, {THE_ASSETS} from ledger_accounts "
            f"where external_id = 'revenue' and {OF_TEST}",
            ASSETS,
        ),
    ],
)
async def test_sums_that_are_kept_for_speed_can_be_made_anew(books: Ledger, statement: str, remedy: str) -> None:
    await tamper(books.database, statement)
    assert await findings(books) != set()
    async with books.database.connection() as connection:
        corrected = await connection.fetchval(remedy)
        again = await connection.fetchval(remedy)
    assert corrected > 0
    assert again == 0
    assert await findings(books) == set()


MAKE_STATEMENTS = """
    insert into ledger_account_statements
        (ledger_account_id, lock_version, metadata, lower_bound, upper_bound, starting_sums, ending_sums)
    select b.account_id, n, '{}', '2024-01-01Z', '2024-02-01Z'::timestamptz + make_interval(days => n), s.sums, s.sums
    from ledger_account_balances b
    cross join generate_series(1, 20) as n
    cross join (values (array[0, 0, 0, 0])) as s (sums)
    where b.account_id = (select id from ledger_accounts where external_id = 'cash' and ledger_id = $1)
"""


async def test_an_account_is_read_once_for_all_its_statements(ledger: Ledger) -> None:
    await ledger.post(*(earn(f"t{n}", 1) for n in range(20)))
    async with ledger.database.connection() as connection:
        await connection.execute(MAKE_STATEMENTS, ledger.id)
        explain = "explain (analyze, costs off, timing off, summary off) "
        plan = await connection.fetch(explain + query("ledger/verify_statements"), ledger.id)
    scans = [re.search(r" on ledger_entries .*actual rows=([\d.]+) loops=(\d+)", line[0]) for line in plan]
    read = [float(scan[1]) * int(scan[2]) for scan in scans if scan]
    assert 20 <= sum(read) <= 40
