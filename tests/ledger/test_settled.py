"""What was settled and stated stays, and the audit names whatever of it no longer agrees with the entries."""

from __future__ import annotations

import asyncpg
import pytest

from tests.ledger.books import CASH, DAY, LOAN, REVENUE, Ledger, create, credit, debit, earn
from tests.ledger.settled import BOUND, NEXT, carry_out, draft, settle, settle_every_way, state, take_over
from worker.api import settlements_store
from worker.api.objects import SettlementStatus
from worker.api.settlements_store import Completion
from worker.ledger import store
from worker.ledger.book import midnight
from worker.ledger.transaction import (
    Archive,
    Create,
    Direction,
    PartialPost,
    Post,
    RefusalCode,
    Status,
    Update,
)

FINAL, OTHERWISE = "LW002", "LW008"
"""Codes of a refused change to what is final, and of a settlement that does otherwise than it says."""

SETTLEMENT = "(select id from ledger_account_settlements_shown where status = '{}')"
POSTED, PENDING = SETTLEMENT.format("posted"), SETTLEMENT.format("pending")


@pytest.fixture
async def books(ledger: Ledger) -> Ledger:
    """A posted, an archived and a pending settlement, statements, and something that may still be settled."""
    await settle_every_way(ledger)
    await ledger.post(earn("open", 11))
    return ledger


async def attempt(ledger: Ledger, statement: str) -> str | None:
    """The code that a superuser's statement is refused with, who plays a replica."""
    async with ledger.database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("set local session_replication_role = replica")
        try:
            await connection.execute(statement)
        except asyncpg.PostgresError as error:
            return str(error.sqlstate)
        finally:
            await transaction.rollback()
    return None


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger_account_statements set ending_sums = '{1,1,1,1}'",
        "update ledger_account_statements set description = 'x'",
        *(
            f"update ledger_account_settlements set {change} where id = {which}"
            for which in (POSTED, PENDING)
            for change in (
                "amount = amount + 5",
                "drafted = drafted + 5",
                "direction = 'credit'",
                "transaction_id = null",
                "status = 'drafting'",
                "created_at = created_at - interval '1 day'",
                "effective_at_upper_bound = effective_at_upper_bound + interval '1 day'",
                "contra_account_id = (select id from ledger_accounts where external_id = 'loan')",
                "allow_either_direction = true",
                "fingerprint = sha256('')",
            )
        ),
        f"update ledger_account_settlements set status = 'archived' where id = {POSTED}",
        "update ledger_account_settlements set status = 'pending' where status = 'posted'",
        "delete from ledger_account_settlements",
        f"delete from ledger_account_settlement_entries where settlement_id = {POSTED}",
        f"delete from ledger_account_settlement_entries where settlement_id = {PENDING}",
        f"update ledger_account_settlement_entries set n = n + 1 where settlement_id = {POSTED}",
        f"update ledger_account_settlement_entries set settlement_id = {PENDING} where settlement_id = {POSTED}",
        "insert into ledger_account_settlement_entries select transaction_id, n, "
        f"{POSTED} from ledger_unsettled_entries on conflict do nothing",
        "truncate ledger_account_settlement_entries",
    ],
)
async def test_what_was_settled_or_stated_is_never_changed(books: Ledger, statement: str) -> None:
    assert await attempt(books, statement) == FINAL


@pytest.mark.parametrize(
    "statement",
    [
        f"update ledger_account_settlements set status = 'posted' where id = {PENDING}",
        f"update ledger_account_settlements set status = 'archived' where id = {PENDING}",
        "insert into ledger_account_settlements (ledger_id, settled_account_id, contra_account_id, status, amount, "
        "direction, allow_either_direction, effective_at_upper_bound, metadata) select ledger_id, settled_account_id, "
        "contra_account_id, 'posted', 1, 'debit', false, now(), '{}' from ledger_account_settlements limit 1",
        "update ledger_transactions set effective_at = effective_at - interval '1 day' where id in "
        "(select transaction_id from ledger_account_settlements_shown where status = 'pending')",
        "update ledger_transactions set first_entry = last_entry + 1, last_entry = last_entry + 2 where id in "
        "(select transaction_id from ledger_account_settlements_shown where status = 'pending')",
    ],
)
async def test_a_settlement_and_its_transaction_never_part(books: Ledger, statement: str) -> None:
    assert await attempt(books, statement) == OTHERWISE


@pytest.mark.parametrize(
    "other",
    [
        create("of less", debit(REVENUE, 99), credit(CASH, 99), day=NEXT),
        create("the other way", debit(CASH, 100), credit(REVENUE, 100), day=NEXT),
        create("to another account", debit(REVENUE, 100), credit(LOAN, 100), day=NEXT),
        create("in more entries", debit(REVENUE, 100), credit(CASH, 60), credit(CASH, 40), day=NEXT),
        create("at another moment", debit(REVENUE, 100), credit(CASH, 100)),
        create("of another status", debit(REVENUE, 100), credit(CASH, 100), status=Status.PENDING, day=NEXT),
    ],
    ids=lambda other: other.transaction.external_id,
)
async def test_a_transaction_that_does_something_else_carries_no_settlement_out(ledger: Ledger, other: Create) -> None:
    await ledger.post(earn("one", 100))
    async with ledger.database.transaction() as connection:
        settlement_id, amount = await draft(connection, ledger)
        completion = Completion(
            SettlementStatus.POSTED, amount, Direction.DEBIT, await carry_out(connection, ledger, other)
        )
        savepoint = connection.transaction()
        await savepoint.start()
        with pytest.raises(asyncpg.PostgresError, match="does not carry out"):
            await settlements_store.complete_settlement(connection, settlement_id, completion)
        await savepoint.rollback()


async def test_a_settlements_transaction_keeps_what_it_says_and_takes_on_what_it_does_not(ledger: Ledger) -> None:
    await ledger.post(earn("one", 100))
    transaction_id = (await settle(ledger, Status.PENDING)).transaction_id
    entries = (debit(REVENUE, 1), credit(CASH, 1))
    refused = await ledger.post(
        Update(transaction_id, entries=entries),
        Update(transaction_id, Status.POSTED, entries=entries),
        Update(transaction_id, effective_at=midnight(DAY)),
        Post(transaction_id, midnight(DAY)),
        PartialPost(transaction_id, entries),
    )
    assert [getattr(one, "code", None) for one in refused] == [RefusalCode.OF_SETTLEMENT] * 5
    await ledger.post(Update(transaction_id, metadata={"run": "1"}, description="x"), Post(transaction_id, BOUND))
    assert (await ledger.balance(REVENUE)).posted == 0
    assert await ledger.findings() == []


async def test_statements_are_what_the_entries_came_to_then_whatever_came_after(ledger: Ledger) -> None:
    await ledger.post(
        earn("posted"), earn("later", 20, Status.PENDING), earn("never", 3, Status.PENDING), earn("open", 4)
    )
    await state(ledger)
    await ledger.post(Post("later"), Archive("never", "no"), earn("late", 50))
    await state(ledger)
    await ledger.post(earn("later still", 60))
    assert await ledger.findings() == []


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ("starting_sums = '{0,0,0,1}'", "starting sums {0,0,0,1}, entries {0,0,0,0}"),
        ("ending_sums = '{0,99,0,120}'", "ending sums {0,99,0,120}, entries {0,100,0,120}"),
        ("lock_version = 9", "it shows version 9 of an account at version 4"),
        ("lock_version = 1", "ending sums {0,100,0,120}, entries {0,100,0,100}"),
        ("description = 'x'", "it is not what it was made as"),
    ],
)
async def test_a_forged_statement_is_named(ledger: Ledger, change: str, detail: str) -> None:
    await ledger.post(earn("posted"), earn("later", 20, Status.PENDING))
    statement = await state(ledger)
    await ledger.post(Post("later"), earn("next"))
    await tamper(ledger, f"update ledger_account_statements set {change}")
    assert await findings(ledger) == {f"statements: ledger_account_statements (id) = ({statement}): {detail}"}


TABLES = ("ledger_account_statements", "ledger_account_settlements", "ledger_account_settlement_entries")


async def tamper(ledger: Ledger, statement: str) -> None:
    """Run a statement with the guards of settlements and statements switched off."""
    async with ledger.database.transaction() as connection:
        for table in TABLES:
            await connection.execute(f"alter table {table} disable trigger user")
        assert not (await connection.execute(statement)).endswith(" 0"), "nothing was tampered with"


async def findings(ledger: Ledger) -> set[str]:
    """What the audit of the ledger says, with the rows it names."""
    async with ledger.database.connection() as connection:
        found = await store.verify(connection, ledger.id)
    return {f"{one.audit}: {one.row}: {one.detail}" for one in found}


OF_POSTED = f"where settlement_id = {POSTED}"
ENTRIES = "ledger_account_settlement_entries"


async def test_a_forged_amount_is_named(books: Ledger) -> None:
    await tamper(books, "update ledger_account_settlements set amount = amount + 5 where status = 'posted'")
    (found,) = await findings(books)
    assert "does not take over 62" in found
    assert found.startswith("settlements: ledger_account_settlements (id) = (")


async def test_entries_that_left_a_settlement_are_named_with_it(books: Ledger) -> None:
    await tamper(books, f"delete from ledger_account_settlement_entries {OF_POSTED}")
    found = await findings(books)
    assert len(found) == 3
    assert sum("debit 57, debits less credits of its entries 0" in one for one in found) == 1
    assert sum("settlements: ledger_entries (transaction_id, n) = (" in one for one in found) == 2


async def test_entries_that_nobody_would_settle_any_more_are_named(books: Ledger) -> None:
    await tamper(books, "update ledger_settlement_marks set lock_version = lock_version + 100")
    (found,) = await findings(books)
    assert found.endswith("this is in no settlement")


async def test_an_entry_of_another_account_in_a_settlement_is_named(books: Ledger) -> None:
    one = f"(select transaction_id from {ENTRIES} {OF_POSTED} limit 1)"
    await tamper(books, f"update {ENTRIES} set n = 1 where transaction_id = {one}")
    assert sum("may hold" in one for one in await findings(books)) == 1


async def test_a_settlement_of_less_than_its_entries_is_named(ledger: Ledger) -> None:
    await ledger.post(earn("one", 100))
    async with ledger.database.transaction() as connection:
        settlement_id, _ = await draft(connection, ledger)
        transaction_id = await carry_out(connection, ledger, take_over(99, Status.POSTED))
        completion = Completion(SettlementStatus.POSTED, 99, Direction.DEBIT, transaction_id)
        await settlements_store.complete_settlement(connection, settlement_id, completion)
    assert await findings(ledger) == {
        f"settlements: ledger_account_settlements (id) = ({settlement_id}): "
        "debit 99, debits less credits of its entries -100"
    }


async def test_a_statement_that_lies_from_the_first_is_named(ledger: Ledger) -> None:
    await ledger.post(earn("one", 100))
    statement = await state(ledger)
    async with ledger.database.connection() as connection:
        forged = await connection.fetchval(
            "insert into ledger_account_statements (ledger_account_id, lock_version, metadata, lower_bound, "
            "upper_bound, starting_sums, ending_sums) select ledger_account_id, lock_version, metadata, lower_bound, "
            "upper_bound, starting_sums, array[0, 99, 0, 99] from ledger_account_statements where id = $1 returning id",
            statement,
        )
    assert await findings(ledger) == {
        f"statements: ledger_account_statements (id) = ({forged}): ending sums {{0,99,0,99}}, entries {{0,100,0,100}}"
    }


async def test_a_draft_that_counts_otherwise_than_its_entries_is_named(ledger: Ledger) -> None:
    await ledger.post(earn("one", 100))
    async with ledger.database.transaction() as connection:
        settlement_id, _ = await draft(connection, ledger)
    assert await findings(ledger) == {
        f"settlements: ledger_account_settlements (id) = ({settlement_id}): drafted 0, entries -100"
    }
