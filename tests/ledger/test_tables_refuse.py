"""PostgreSQL itself refuses whatever breaks the books: here a superuser, who owns every table, tries by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.ledger.books import CASH, LOAN, REVENUE, Ledger, create, credit, debit, earn
from worker.database import Connection
from worker.ledger import posting_store
from worker.ledger.book import BalanceRow, ChangeRow, Round, TransitionRow
from worker.ledger.foresight import foresee
from worker.ledger.memory import Memory
from worker.ledger.transaction import Archive, Create, Direction, Post, Posted, Result, Status

NOW = datetime(2024, 3, 1, 9, tzinfo=UTC)
UNBALANCED, FINAL, STATUS, UNEXPLAINED, CATEGORY, DISCARDED = "LW001", "LW002", "LW003", "LW004", "LW005", "LW006"

SUMS = ("posted_debits", "posted_credits", "pending_debits", "pending_credits")

KEPT = (
    "ledgers",
    "ledger_accounts",
    "ledger_account_balances",
    "ledger_transactions",
    "ledger_entries",
    "ledger_entry_transitions",
    "ledger_transaction_versions",
    "ledger_account_days",
    "ledger_category_balances",
)

LIE = """
    create function pg_temp.lie() returns trigger language plpgsql as $$
    begin
        new.posted_at_once := not new.posted_at_once;
        return new;
    end $$;
    create trigger lie before insert on ledger_entries for each row execute function pg_temp.lie();
"""


@asynccontextmanager
async def refused(ledger: Ledger, code: str) -> AsyncIterator[Connection]:
    """A transaction that PostgreSQL must refuse with this code, and that leaves the books in order."""
    with pytest.raises(asyncpg.PostgresError) as refusal:
        async with ledger.database.transaction() as connection:
            yield connection
    assert refusal.value.sqlstate == code, refusal.value
    assert await ledger.findings() == []


def change_an_amount(written: Round) -> None:
    written.entries[0] = written.entries[0]._replace(amount=written.entries[0].amount + 1)


def drop_an_entry(written: Round) -> None:
    del written.entries[1], written.balances[1]


def drop_every_entry(written: Round) -> None:
    written.entries.clear()
    written.balances.clear()


def leave_a_hole_in_the_numbers(written: Round) -> None:
    written.entries[1] = written.entries[1]._replace(n=3)


def leave_out_what_moves_nothing(written: Round) -> None:
    leave_a_hole_in_the_numbers(written)
    promise_more_entries(written)


def promise_more_entries(written: Round) -> None:
    written.transactions[0] = written.transactions[0]._replace(last_entry=3)


def only_debit(written: Round) -> None:
    written.entries[:] = [entry._replace(direction=Direction.DEBIT, amount=0) for entry in written.entries]


def only_credit(written: Round) -> None:
    written.entries[:] = [entry._replace(direction=Direction.CREDIT, amount=0) for entry in written.entries]


@pytest.mark.parametrize(
    "falsify",
    [
        change_an_amount,
        drop_an_entry,
        drop_every_entry,
        leave_a_hole_in_the_numbers,
        leave_out_what_moves_nothing,
        promise_more_entries,
        only_debit,
        only_credit,
    ],
)
async def test_a_transaction_that_is_incomplete_or_unbalanced_is_refused(
    ledger: Ledger, falsify: Callable[[Round], None]
) -> None:
    async with refused(ledger, UNBALANCED) as connection:
        written = await ledger.decided(connection, earn("t"))
        falsify(written)
        await posting_store.write_round(connection, ledger.id, NOW, written)


@pytest.mark.parametrize("amounts", [(6, 4), (5, 4), (6, 5)])
async def test_currencies_balance_each_on_its_own(ledger: Ledger, amounts: tuple[int, int]) -> None:
    async with refused(ledger, UNBALANCED) as connection:
        written = await ledger.decided(
            connection,
            create("t", debit(CASH, 5), credit(REVENUE, 5), debit("cash-usd", 5), credit("revenue-usd", 5)),
        )
        for place, amount in zip((0, 2), amounts, strict=True):
            written.entries[place] = written.entries[place]._replace(amount=amount)
        await posting_store.write_round(connection, ledger.id, NOW, written)


async def test_a_transaction_over_two_ledgers_is_refused(ledger: Ledger) -> None:
    other = await Ledger.open(ledger.database, "other")
    async with refused(ledger, UNBALANCED) as connection:
        written = await ledger.decided(connection, earn("t"))
        await posting_store.write_round(connection, other.id, NOW, written)


@pytest.mark.parametrize(
    "moment",
    [
        datetime.min.replace(tzinfo=UTC),  # which is written as minus infinity
        datetime.max.replace(tzinfo=UTC),  # and this as infinity
        datetime(1899, 12, 31, 23, 59, 59, 999999, UTC),
        datetime(9999, 1, 1, tzinfo=UTC),
    ],
)
@pytest.mark.parametrize("part", ["transactions", "entries"])
async def test_a_moment_beyond_the_calendar_is_refused(ledger: Ledger, part: str, moment: datetime) -> None:
    async with refused(ledger, asyncpg.CheckViolationError.sqlstate) as connection:
        written = await ledger.decided(connection, earn("t"))
        rows = getattr(written, part)
        rows[0] = rows[0]._replace(effective_at=moment)
        await posting_store.write_round(connection, ledger.id, NOW, written)


def put_elsewhere(written: Round, account_id: UUID) -> None:
    """Have the second entry be on another account."""
    written.entries[1] = written.entries[1]._replace(account_id=account_id)
    written.balances[1] = written.balances[1]._replace(account_id=account_id)


@pytest.mark.parametrize("is_there", [True, False])
async def test_an_entry_on_an_account_of_another_ledger_or_none_is_refused(ledger: Ledger, is_there: bool) -> None:
    other = await Ledger.open(ledger.database, "other")
    account_id = (await other.balance(REVENUE)).account_id if is_there else uuid4()
    async with refused(ledger, UNBALANCED) as connection:
        written = await ledger.decided(connection, earn("t", 0))
        put_elsewhere(written, account_id)
        await posting_store.write_round(connection, ledger.id, NOW, written)


async def test_accounts_that_count_one_currency_in_other_units_do_not_balance(ledger: Ledger) -> None:
    async with refused(ledger, UNBALANCED) as connection:
        account_id = await connection.fetchval(
            "with a as (insert into ledger_accounts (ledger_id, name, normal_balance, currency, currency_exponent) "
            "values ($1, 'In tenths of a penny', 'credit', 'GBP', 3) returning id) "
            "insert into ledger_account_balances (account_id) select id from a returning account_id",
            ledger.id,
        )
        written = await ledger.decided(connection, earn("t"))
        put_elsewhere(written, account_id)
        await posting_store.write_round(connection, ledger.id, NOW, written)


@pytest.mark.parametrize("account", [CASH, "revenue-usd"])
async def test_an_entry_on_a_discarded_account_is_refused_among_others(ledger: Ledger, account: str) -> None:
    async with refused(ledger, DISCARDED) as connection:
        written = await ledger.decided(
            connection, create("t", debit(CASH, 5), credit(REVENUE, 5), debit("cash-usd", 5), credit("revenue-usd", 5))
        )
        await connection.execute("update ledger_accounts set discarded_at = now() where external_id = $1", account)
        await posting_store.write_round(connection, ledger.id, NOW, written)


async def test_entries_of_an_unknown_transaction_are_refused(ledger: Ledger) -> None:
    async with refused(ledger, UNBALANCED) as connection:
        written = await ledger.decided(connection, earn("t"))
        written.transactions.clear()
        await posting_store.write_round(connection, ledger.id, NOW, written)


@pytest.mark.parametrize("status", list(Status))
async def test_a_balanced_pair_added_to_a_written_transaction_is_refused(ledger: Ledger, status: Status) -> None:
    (result,) = await ledger.post(earn("t", status=status))
    assert isinstance(result, Posted)
    async with refused(ledger, UNBALANCED) as connection:
        written = await ledger.decided(connection, earn("more"))
        written.transactions.clear()
        written.entries[:] = [
            entry._replace(transaction_id=result.transaction_id, n=entry.n + 2) for entry in written.entries
        ]
        await posting_store.write_round(connection, ledger.id, NOW, written)


@pytest.mark.parametrize("status", list(Status))
async def test_an_entry_that_lies_about_being_posted_at_once_is_refused(ledger: Ledger, status: Status) -> None:
    async with refused(ledger, UNBALANCED) as connection:
        await connection.execute(LIE)
        written = await ledger.decided(connection, earn("t", status=status))
        await posting_store.write_round(connection, ledger.id, NOW, written)


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("removal", ["delete from {}", "truncate {} cascade"])
async def test_nothing_is_ever_removed(ledger: Ledger, table: str, removal: str) -> None:
    await ledger.post(earn("t"))
    async with refused(ledger, FINAL) as connection:
        await connection.execute(removal.format(table))


@pytest.mark.parametrize(
    "change",
    [
        "update ledger_entries set amount = amount",
        "update ledger_entries set direction = 'credit', account_id = account_id",
        "update ledger_entries set effective_at = now()",
        "update ledger_entries set lock_version = lock_version + 1",
        "update ledger_entries set posted_at_once = not posted_at_once",
        "update ledger_entry_transitions set to_status = 'posted'",
        "update ledger_transaction_versions set status = 'posted'",
        "insert into ledger_transaction_versions select id, 7, status, external_id, description, effective_at, "
        "posted_at, archived_reason, metadata, null, null, first_entry, last_entry, now() from ledger_transactions",
        "update ledger_accounts set normal_balance = 'credit'",
        "update ledger_accounts set currency = 'EUR'",
        "update ledger_transactions set status = 'pending', posted_at = null where external_id = 'posted'",
        "update ledger_transactions set status = 'archived', posted_at = null where external_id = 'posted'",
        "update ledger_transactions set status = 'posted', posted_at = now() where external_id = 'archived'",
        "update ledger_transactions set effective_at = now() where external_id = 'posted'",
        "update ledger_transactions set external_id = 'other' where external_id = 'posted'",
        "update ledger_transactions set description = 'other' where external_id = 'archived'",
        "update ledger_transactions set last_entry = 3 where external_id = 'pending'",
        "update ledger_transactions set content_digest = '' where external_id = 'pending'",
        "update ledger_transactions set ledger_id = gen_random_uuid() where external_id = 'pending'",
        "update ledger_transactions set created_at = now() + '1 day' where external_id = 'pending'",
    ],
)
async def test_what_is_final_is_never_changed(ledger: Ledger, change: str) -> None:
    await ledger.post(
        earn("posted"),
        earn("pending", status=Status.PENDING),
        earn("archived", status=Status.PENDING),
        Archive("archived", "returned"),
    )
    async with refused(ledger, FINAL) as connection:
        await connection.execute(change)


async def test_a_session_that_plays_a_replica_is_refused_all_the_same(ledger: Ledger) -> None:
    await ledger.post(earn("t"))
    async with refused(ledger, FINAL) as connection:
        await connection.execute("set local session_replication_role = replica")
        await connection.execute("update ledger_entries set amount = 1")


async def test_a_role_with_every_privilege_is_refused_all_the_same(ledger: Ledger) -> None:
    await ledger.post(earn("t"))
    async with refused(ledger, FINAL) as connection:
        await connection.execute("create role accountant in role pg_write_all_data, pg_read_all_data")
        await connection.execute("set local role accountant")
        await connection.execute("delete from ledger_entries")


async def test_metadata_may_be_changed_after_posting_and_its_history_is_kept(ledger: Ledger) -> None:
    await ledger.post(earn("t"))
    async with ledger.database.transaction() as connection:
        await connection.execute("""update ledger_transactions set metadata = '{"loanID": "2"}'""")
        await connection.execute("""update ledger_entries set metadata = '{"note": "checked"}'""")
    async with ledger.database.connection() as connection:
        before = await connection.fetch(
            "select version, metadata ->> 'loanID' as loan from ledger_transaction_versions"
        )
    assert [tuple(row) for row in before] == [(0, "1")]
    assert await ledger.findings() == ["chain: no link seals it"], "which only the poster makes"


@pytest.mark.parametrize(
    "change",
    ["status = 'posted', posted_at = now()", "status = 'archived'", "first_entry = 3, last_entry = 4"],
)
async def test_a_status_that_the_entries_do_not_follow_is_refused(ledger: Ledger, change: str) -> None:
    await ledger.post(earn("t", status=Status.PENDING))
    async with refused(ledger, STATUS) as connection:
        await connection.execute(f"update ledger_transactions set {change}")


async def test_entries_that_were_never_pending_can_not_be_posted_again(ledger: Ledger) -> None:
    (result,) = await ledger.post(earn("t"))
    assert isinstance(result, Posted)
    async with refused(ledger, STATUS) as connection:
        written = await ledger.decided(connection, earn("again"))
        written.transactions.clear()
        written.transitions = [
            TransitionRow(result.transaction_id, e.n, e.account_id, "posted", e.lock_version, *e.sums)
            for e in written.entries
        ]
        written.entries.clear()
        await posting_store.write_round(connection, ledger.id, NOW, written)


async def test_half_of_a_transaction_can_not_be_posted(ledger: Ledger) -> None:
    (result,) = await ledger.post(earn("t", status=Status.PENDING))
    assert isinstance(result, Posted)
    async with refused(ledger, STATUS) as connection:
        posted = await ledger.decided(connection, earn("like a posting"))
        entry = posted.entries[0]
        moved = TransitionRow(result.transaction_id, 1, entry.account_id, "posted", entry.lock_version, *entry.sums)
        change = ChangeRow(
            *(result.transaction_id, "posted", "t", None, entry.effective_at, None, "{}", None, None, None, 1, 2)
        )
        balances = [balance for balance in posted.balances if balance.account_id == entry.account_id]
        await posting_store.write_round(
            connection, ledger.id, NOW, Round(transitions=[moved], changes=[change], balances=balances)
        )


async def test_a_balance_changed_without_an_entry_is_refused(ledger: Ledger) -> None:
    await ledger.post(earn("t"))
    async with refused(ledger, UNEXPLAINED) as connection:
        await connection.execute("update ledger_account_balances set pending_debits = pending_debits + 1")
    async with refused(ledger, UNEXPLAINED) as connection:
        await connection.execute("update ledger_account_balances set lock_version = lock_version + 1")


@pytest.mark.parametrize(
    "change",
    [
        "lock_version = e.lock_version from ledger_entries e where e.account_id = b.account_id and e.lock_version = 2",
        "lock_version = e.lock_version, posted_debits = e.posted_debits, posted_credits = e.posted_credits, "
        "pending_debits = e.pending_debits, pending_credits = e.pending_credits "
        "from ledger_entries e where e.account_id = b.account_id and e.lock_version = 1",
    ],
    ids=["to the same version", "back to a former version"],
)
async def test_a_balance_goes_on_from_version_to_version(ledger: Ledger, change: str) -> None:
    await ledger.post(earn("t1"), earn("t2"))
    async with refused(ledger, UNEXPLAINED) as connection:
        await connection.execute(f"update ledger_account_balances b set {change}")


@pytest.mark.parametrize("column", ["pending_debits", "pending_credits", "lock_version"])
async def test_an_account_that_begins_with_money_or_a_version_is_refused(ledger: Ledger, column: str) -> None:
    async with refused(ledger, UNEXPLAINED) as connection:
        account_id = await connection.fetchval(
            "insert into ledger_accounts (ledger_id, name, normal_balance, currency, currency_exponent) "
            "values ($1, 'Gift', 'debit', 'GBP', 2) returning id",
            ledger.id,
        )
        await connection.execute(
            f"insert into ledger_account_balances (account_id, {column}) values ($1, 1)", account_id
        )


def forget_the_balances(written: Round) -> None:
    written.balances.clear()


def forget_one_balance(written: Round) -> None:
    del written.balances[0]


def skip_a_version(written: Round) -> None:
    written.entries[:] = [entry._replace(lock_version=entry.lock_version + 1) for entry in written.entries]
    written.balances[:] = [row._replace(lock_version=row.lock_version + 1) for row in written.balances]


def disagree_about_the_sums(written: Round) -> None:
    written.balances[0] = written.balances[0]._replace(pending_debits=10**6, pending_credits=10**6)


@pytest.mark.parametrize("falsify", [forget_the_balances, forget_one_balance, skip_a_version, disagree_about_the_sums])
async def test_entries_and_balances_that_do_not_explain_each_other_are_refused(
    ledger: Ledger, falsify: Callable[[Round], None]
) -> None:
    await ledger.post(earn("before"))
    async with refused(ledger, UNEXPLAINED) as connection:
        written = await ledger.decided(connection, earn("t"))
        falsify(written)
        await posting_store.write_round(connection, ledger.id, NOW, written)


async def test_the_first_version_of_an_account_is_1(ledger: Ledger) -> None:
    async with refused(ledger, UNEXPLAINED) as connection:
        written = await ledger.decided(connection, earn("t"))
        skip_a_version(written)
        await posting_store.write_round(connection, ledger.id, NOW, written)


async def test_two_writers_who_read_the_same_version_can_not_both_write(ledger: Ledger) -> None:
    async with ledger.database.transaction() as connection:
        stale = await ledger.decided(connection, earn("lost"))
    await ledger.post(earn("first"))
    async with refused(ledger, "23505") as connection:
        await posting_store.write_round(connection, ledger.id, NOW, stale)


@pytest.mark.parametrize("forget", [lambda _: None, forget_the_balances], ids=["balances", "no balances"])
async def test_a_version_taken_by_a_posting_is_taken_for_entries_too(
    ledger: Ledger, forget: Callable[[Round], None]
) -> None:
    await ledger.post(earn("t", status=Status.PENDING))
    async with ledger.database.transaction() as connection:
        stale = await ledger.decided(connection, earn("lost"))
    forget(stale)
    await ledger.post(Post("t"))
    async with refused(ledger, UNEXPLAINED) as connection:
        await posting_store.write_round(connection, ledger.id, NOW, stale)


async def test_one_live_transaction_per_external_id(ledger: Ledger) -> None:
    await ledger.post(earn("t"))
    async with refused(ledger, "23505") as connection:
        await posting_store.write_round(connection, ledger.id, NOW, await ledger.decided(connection, earn("t")))


async def test_an_amount_of_more_than_36_digits_is_refused(ledger: Ledger) -> None:
    async with refused(ledger, "22003") as connection:
        written = await ledger.decided(connection, earn("t"))
        written.entries[:] = [entry._replace(amount=10**36) for entry in written.entries]
        await posting_store.write_round(connection, ledger.id, NOW, written)


async def category(connection: Connection, ledger: Ledger, currency: str = "GBP") -> str:
    category_id: str = await connection.fetchval(
        "insert into ledger_account_categories (ledger_id, name, normal_balance, currency, currency_exponent) "
        "values ($1, 'Category', 'debit', $2, 2) returning id",
        ledger.id,
        currency,
    )
    return category_id


async def nest(connection: Connection, parent: str, child: str) -> None:
    await connection.execute("insert into ledger_account_category_nestings values ($1, $2)", parent, child)


@pytest.mark.parametrize("table", ["ledger_account_category_members", "ledger_account_category_nestings"])
async def test_memberships_are_ended_one_by_one(ledger: Ledger, table: str) -> None:
    async with refused(ledger, FINAL) as connection:
        await connection.execute(f"truncate {table}")


async def test_a_category_takes_no_account_of_another_currency(ledger: Ledger) -> None:
    async with refused(ledger, CATEGORY) as connection:
        await connection.execute(
            "insert into ledger_account_category_members select $1, id from ledger_accounts where external_id = $2",
            await category(connection, ledger, "USD"),
            LOAN,
        )


async def test_a_category_takes_no_category_of_another_currency(ledger: Ledger) -> None:
    async with refused(ledger, CATEGORY) as connection:
        await nest(connection, await category(connection, ledger), await category(connection, ledger, "USD"))


async def test_categories_nest_four_levels_deep_and_no_deeper(ledger: Ledger) -> None:
    async with refused(ledger, CATEGORY) as connection:
        chain = [await category(connection, ledger) for _ in range(6)]
        for level in (2, 3, 0, 1):
            await nest(connection, chain[level], chain[level + 1])
        await nest(connection, chain[4], chain[5])


async def test_a_category_never_contains_itself(ledger: Ledger) -> None:
    async with refused(ledger, CATEGORY) as connection:
        first, second, third = [await category(connection, ledger) for _ in range(3)]
        await nest(connection, first, second)
        await nest(connection, second, third)
        await nest(connection, third, first)


def falsify(written: Round, account: str, n: int, **wrong: int) -> None:
    """Add to fields of an account's n-th new entry, and to the balance if that repeats them."""
    entry = [entry for entry in written.entries if entry.account.external_id == account][n]
    false = entry._replace(**{name: getattr(entry, name) + added for name, added in wrong.items()})
    written.entries = [false if each is entry else each for each in written.entries]
    written.balances = [
        balance._replace(**{name: getattr(balance, name) + added for name, added in wrong.items()})
        if (balance.account_id, balance.lock_version) == (entry.account_id, entry.lock_version)
        else balance
        for balance in written.balances
    ]


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("account", [CASH, REVENUE])
@pytest.mark.parametrize("sum_", SUMS)
async def test_sums_that_do_not_go_on_from_those_before_are_refused(
    ledger: Ledger, account: str, sum_: str, n: int
) -> None:
    """In the first entry of a batch on an account, in one between, and in the last, which the balance repeats."""
    await ledger.post(earn("before"), earn("in flight", 500, Status.PENDING), back("in flight too", 500))
    async with refused(ledger, UNEXPLAINED) as connection:
        written = await ledger.decided(connection, *(earn(f"t{each}") for each in range(3)))
        falsify(written, account, n, **{sum_: 1})
        await posting_store.write_round(connection, ledger.id, NOW, written)


@pytest.mark.parametrize("account", [CASH, REVENUE])
async def test_a_gap_between_new_versions_is_refused(ledger: Ledger, account: str) -> None:
    async with refused(ledger, UNEXPLAINED) as connection:
        written = await ledger.decided(connection, earn("t1"), earn("t2"))
        falsify(written, account, 1, lock_version=1)
        await posting_store.write_round(connection, ledger.id, NOW, written)


def back(external_id: str, amount: int) -> Create:
    """Cash that is about to go back, so that every sum of its accounts has something in flight."""
    return create(external_id, debit(REVENUE, amount), credit(CASH, amount), status=Status.PENDING)


async def test_sums_over_those_of_a_foreign_version_are_refused(ledger: Ledger) -> None:
    async with ledger.database.connection() as connection:
        first = await foresee(connection, ledger.id, [earn("first", 1)], None, Memory())
        second = await foresee(connection, ledger.id, [earn("second", 1)], first, Memory())
    assert second is not None
    await ledger.post(earn("foreign", 500))
    async with ledger.database.connection() as connection:
        assert not await second.write(connection, Memory())
    assert (await ledger.balance(CASH)).posted == 500
    assert await ledger.findings() == []


def posting(result: Result) -> Round:
    """What it writes to post a transaction that was pending, but for its days."""
    assert isinstance(result, Posted)
    moved = []
    for entry in result.written.entries:
        more = {f"posted_{entry.direction}s": entry.amount}
        sums = [getattr(entry, sum_) + more.get(sum_, 0) for sum_ in SUMS]
        version = entry.lock_version + 1
        moved.append(TransitionRow(result.transaction_id, entry.n, entry.account_id, "posted", version, *sums))
    change = ChangeRow(*(result.transaction_id, "posted", "t", None, NOW, None, "{}", None, None, None, 1, 2))
    balances = [BalanceRow(row.account_id, row.lock_version, *row[5:]) for row in moved]
    return Round(transitions=moved, changes=[change], balances=balances)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("sum_", SUMS)
async def test_sums_of_a_posting_that_do_not_go_on_are_refused(ledger: Ledger, sum_: str, place: int) -> None:
    await ledger.post(earn("in flight", 500, Status.PENDING), back("in flight too", 500))
    (result,) = await ledger.post(earn("t", status=Status.PENDING))
    async with refused(ledger, UNEXPLAINED) as connection:
        written = posting(result)
        more = {sum_: getattr(written.balances[place], sum_) + 1}
        written.transitions[place] = written.transitions[place]._replace(**more)
        written.balances[place] = written.balances[place]._replace(**more)
        await posting_store.write_round(connection, ledger.id, NOW, written)


@pytest.mark.parametrize("sum_", SUMS)
@pytest.mark.parametrize("version", ["entry", "posting"])
async def test_a_balance_other_than_its_version_led_to_is_refused(ledger: Ledger, version: str, sum_: str) -> None:
    await ledger.post(earn("in flight", 500, Status.PENDING), back("in flight too", 500))
    (result,) = await ledger.post(earn("t", status=Status.PENDING))
    async with refused(ledger, UNEXPLAINED) as connection:
        written = posting(result) if version == "posting" else await ledger.decided(connection, earn("another"))
        balance = written.balances[0]
        written.balances[0] = balance._replace(**{sum_: getattr(balance, sum_) + 1})
        await posting_store.write_round(connection, ledger.id, NOW, written)
