"""Any sequence of operations, however batched, keeps every audit at zero and equals a simple model in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count, cycle
from typing import Any, ClassVar
from uuid import UUID

import asyncpg
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from tests.beside_a_model import BesideAModel, try_sequences
from tests.effort import patient
from tests.ledger.books import Ledger
from tests.ledger.drawn import MOMENTS, creations, operations
from tests.ledger.model import REFUSED, REPLAYED, WRITTEN, Answer, Model
from tests.ledger.model_state import END_OF_TIME, Account, State, Transaction
from tests.ledger.own_audit import wrong
from worker.database import Connection, Database, query
from worker.ledger import store
from worker.ledger.balance import Sums
from worker.ledger.transaction import (
    UNSET,
    Create,
    Direction,
    NewEntry,
    Operation,
    PartialPost,
    Posted,
    Refused,
    Replayed,
    Result,
    Update,
)
from worker.ledger.written import Written

LEDGER_NUMBERS = count(1)
CATEGORIES = ("c0", "c1", "c2", "c3", "c4", "c5")
ELSEWHERE = "of another ledger"
categories = st.sampled_from(CATEGORIES)
EVERY_MOMENT = (*MOMENTS, *(moment + timedelta(microseconds=1) for moment in MOMENTS), END_OF_TIME)

ACCOUNTS = {
    "cash": Account(Direction.DEBIT, "GBP"),
    "loan": Account(Direction.DEBIT, "GBP"),
    "revenue": Account(Direction.CREDIT, "GBP"),
    "dollars": Account(Direction.DEBIT, "USD"),
    "dollars due": Account(Direction.CREDIT, "USD"),
    "points": Account(Direction.DEBIT, "POINTS", 0),
    "fine points": Account(Direction.DEBIT, "POINTS", 3),
    "closed": Account(Direction.DEBIT, "GBP", discarded=True),
    "foreign": Account(Direction.DEBIT, "GBP", foreign=True),
}

INSERT_ACCOUNT = """
    with opened as (
        insert into ledger_accounts
            (ledger_id, external_id, name, normal_balance, currency, currency_exponent, discarded_at)
        values ($1, $2, $2, $3, $4, $5, case when $6 then now() end)
        returning id
    )
    insert into ledger_account_balances (account_id) select id from opened returning account_id
"""

INSERT_CATEGORY = """
    insert into ledger_account_categories (ledger_id, external_id, name, normal_balance, currency, currency_exponent)
    values ($1, $2, $2, $3, 'GBP', 2) returning id
"""

SUMS_BEFORE = """
    select account_id, moment, sums.*
    from unnest($1::uuid[]) as account_id, unnest($2::timestamptz[]) as moment,
         ledger_sums_before(account_id, moment) as sums
"""

WRITES = """
    select account_id, lock_version, posted_debits, posted_credits, pending_debits, pending_credits
    from ledger_entries where account_id = any($1::uuid[])
    union all
    select account_id, lock_version, posted_debits, posted_credits, pending_debits, pending_credits
    from ledger_entry_transitions where account_id = any($1::uuid[])
    order by account_id, lock_version
"""

VERSIONS = """
    select v.id, v.status, v.external_id, v.effective_at, v.created_at, v.description, v.metadata::text,
           v.ledgerable_type, v.ledgerable_id, v.posted_at, v.archived_reason,
           v.reverses_ledger_transaction_id as reverses,
           v.reversed_by_ledger_transaction_id as reversed_by, v.partially_posts_ledger_transaction_id as part_of,
           array_agg(e.account_id order by e.n) as accounts, array_agg(e.direction order by e.n) as directions,
           array_agg(e.amount order by e.n) as amounts, array_agg(e.effective_at order by e.n) as moments,
           array_agg(e.metadata::text order by e.n) as notes, array_agg(e.n order by e.n) as numbers
    from ledger_transaction_versions_shown v
    join ledger_entries e on e.transaction_id = v.id and e.n between v.first_entry and v.last_entry
    where v.ledger_id = $1
    group by v.id, v.version, v.status, v.external_id, v.effective_at, v.created_at, v.description, v.metadata,
             v.ledgerable_type, v.ledgerable_id, v.posted_at, v.archived_reason, v.reverses_ledger_transaction_id,
             v.reversed_by_ledger_transaction_id, v.partially_posts_ledger_transaction_id
    order by v.id, v.version
"""


class Books(BesideAModel):
    """A ledger beside its model."""

    database: ClassVar[Database]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model({name: replace(account) for name, account in ACCOUNTS.items()})
        self.categories = self.model.categories
        self.ids: dict[str, UUID] = {}
        self.ledger = self.wait_for(self._open())
        for member in (("c0", "cash"), ("c1", "loan"), ("c1", "revenue")):
            self.move(*member, other="c2", leaves=False)

    async def _open(self) -> Ledger:
        async with self.database.transaction() as connection:
            ledger_id, other = [
                await store.ensure_ledger(connection, f"{name} {next(LEDGER_NUMBERS)}") for name in ("books", "others")
            ]
            for name, account in self.model.accounts.items():
                self.ids[name] = await connection.fetchval(
                    INSERT_ACCOUNT,
                    other if account.foreign else ledger_id,
                    *(name, account.normal_balance, account.currency, account.exponent, account.discarded),
                )
            for name, side in (*zip(CATEGORIES, cycle(Direction)), (ELSEWHERE, Direction.DEBIT)):
                of_ledger = other if name == ELSEWHERE else ledger_id
                self.ids[name] = await connection.fetchval(INSERT_CATEGORY, of_ledger, name, side)
                self.categories.names[self.ids[name]] = name
                if of_ledger == ledger_id:
                    self.categories.units[name] = Account(side, "GBP")
        return Ledger(self.database, ledger_id)

    @rule(data=st.data(), length=st.integers(1, 6))
    def open_batch(self, data: st.DataObject, length: int) -> None:
        """Post a batch of new transactions."""
        self._post([data.draw(creations(self.model)) for _ in range(length)])

    @rule(data=st.data(), length=st.integers(1, 6))
    def post_batch(self, data: st.DataObject, length: int) -> None:
        """Post a batch of anything."""
        self._post([data.draw(operations(self.model)) for _ in range(length)])

    def _post(self, batch: Sequence[Operation]) -> None:
        """What a batch is answered and writes, entry by entry, is what the model says."""
        results = self.wait_for(self.ledger.post(*(self._real(operation) for operation in batch)))
        moments = [result.written.updated_at for result in results if isinstance(result, Posted)]
        for operation, result in zip(batch, results, strict=True):
            before = len(self.model.transactions)
            expected = self.model.apply(operation, moments[0] if moments else END_OF_TIME)
            self._compare_answer(operation, result, expected, is_new=len(self.model.transactions) > before)

    def _compare_answer(self, operation: Operation, result: Result, expected: Answer, *, is_new: bool) -> None:
        match result:
            case Refused(code):
                assert expected.word == REFUSED, (operation, result)
                assert code in expected.codes, (operation, result)
            case Replayed(transaction_id, written):
                assert expected.word == REPLAYED, (operation, result)
                if written is not None and written.entries:
                    assert expected.transaction is not None
                    assert expected.transaction.id == transaction_id
                    assert self._seen(written) == self._expected(expected.transaction)
            case Posted(transaction_id, status, written):
                assert expected.word == WRITTEN, (operation, result, expected.codes)
                assert expected.transaction is not None
                if is_new:
                    expected.transaction.id = transaction_id
                assert (written.id, written.status) == (transaction_id, status)
                assert self._seen(written) == self._expected(expected.transaction)

    def _real(self, operation: Operation) -> Operation:
        """The account of the other ledger has to be named by its id."""

        def real(entries: tuple[NewEntry, ...]) -> tuple[NewEntry, ...]:
            return tuple(replace(e, account=self.ids["foreign"]) if e.account == "foreign" else e for e in entries)

        match operation:
            case Create(transaction):
                return replace(operation, transaction=replace(transaction, entries=real(transaction.entries)))
            case Update(entries=entries) if entries is not UNSET:
                return replace(operation, entries=real(entries))
            case PartialPost(entries=entries):
                return replace(operation, entries=real(entries))
            case _:
                return operation

    def _seen(self, written: Written) -> object:
        """A transaction as it was answered."""
        entries = [
            (
                *(e.n, e.account_id, e.direction, e.amount, e.effective_at, json.loads(e.metadata)),
                *(e.lock_version, e.sums, e.created_at, e.updated_at),
            )
            for e in written.entries
        ]
        return (
            *(written.id, written.version, written.status, written.external_id, written.effective_at),
            *(written.updated_at, written.created_at, written.posted_at, written.archived_reason),
            *(written.description, json.loads(written.metadata), written.ledgerable),
            *(written.reverses, written.reversed_by, written.partially_posts, entries),
        )

    def _expected(self, known: Transaction) -> object:
        state, reversed_by = known.now, self.model.reversed_by(known)
        entries = [
            (
                *(x.n, self.ids[x.account], x.direction, x.amount, x.moment, x.metadata),
                *(x.version, x.sums, x.created_at, x.updated_at),
            )
            for x in state.lines
        ]
        return (
            *(known.id, len(known.states) - 1, state.status, state.name, state.moment),
            *(state.written_at, known.states[0].written_at, state.posted_at, state.reason),
            *(state.description, state.metadata, state.ledgerable),
            *(known.reverses and known.reverses.id, reversed_by and reversed_by.id, known.part_of and known.part_of.id),
            entries,
        )

    @rule(category=categories, account=st.sampled_from(tuple(ACCOUNTS)), other=categories, leaves=st.booleans())
    def move(self, category: str, account: str, other: str, leaves: bool) -> None:
        """Put an account into a category, or take it out; and nest this category in another, or take it out."""
        if leaves:
            self.categories.members.discard((category, account))
            assert self._tell("api/remove_member", self.ids[category], self.ids[account])
            self.categories.nestings.discard((other, category))
            assert self._tell("api/remove_nesting", self.ids[other], self.ids[category])
            return
        fits = (ACCOUNTS[account].currency, ACCOUNTS[account].foreign) == ("GBP", False)
        assert self._tell("api/add_members", [self.ids[category]], self.ids[account]) is fits
        self.categories.members |= {(category, account)} if fits else set()
        accepted = self._tell("api/add_nestings", [self.ids[other]], self.ids[category])
        assert accepted is self.categories.nest(other, category)

    def _tell(self, statement: str, *values: object) -> bool:
        """Run a statement; whether the tables let it."""

        async def run() -> None:
            async with self.database.transaction() as connection:
                await connection.execute(query(statement), *values)

        try:
            self.wait_for(run())
        except asyncpg.PostgresError as error:
            if error.sqlstate != "LW005":
                raise
            return False
        return True

    @invariant()
    def balances_equal(self) -> None:
        """Balances and versions of accounts, and sums of categories, are the model's."""
        accounts, categories = self.wait_for(self._balances())
        assert accounts == {name: (self.model.version(name), self.model.sums(name)) for name in ACCOUNTS}
        assert categories == {name: self.model.sums_of_category(name) for name in (*CATEGORIES, ELSEWHERE)}

    async def _balances(self) -> tuple[dict[str, tuple[int, Sums]], dict[str, Sums]]:
        names = {known: name for name, known in self.ids.items()}
        async with self.database.connection() as connection:
            balances = await connection.fetch(
                "select * from ledger_account_balances where account_id = any($1::uuid[])", list(names)
            )
            categories = await connection.fetch(
                "select * from ledger_category_balances where category_id = any($1::uuid[])", list(names)
            )
        return (
            {names[row["account_id"]]: (row["lock_version"], sums_of(row)) for row in balances},
            {names[row["category_id"]]: sums_of(row) for row in categories},
        )

    def teardown(self) -> None:
        """All that was ever written is as the model has it, and every audit finds nothing."""
        self.wait_for(self._compare_everything())

    async def _compare_everything(self) -> None:
        assert await self.ledger.findings() == []
        accounts = {self.ids[name]: name for name in ACCOUNTS}
        async with self.database.connection() as connection:
            before = await connection.fetch(SUMS_BEFORE, list(accounts), EVERY_MOMENT)
            writes = await connection.fetch(WRITES, list(accounts))
            versions = await self._versions(connection)
        for row in before:
            assert sums_of(row) == self.model.sums(accounts[row["account_id"]], row["moment"])
        written: dict[str, list[Sums]] = {name: [] for name in ACCOUNTS}
        for row in writes:
            assert row["lock_version"] == len(written[accounts[row["account_id"]]]) + 1
            written[accounts[row["account_id"]]].append(sums_of(row))
        assert written == self.model.writes
        assert versions == sorted(
            (self._version(known, state) for known in self.model.transactions for state in known.states),
            key=lambda version: version[0],
        )

    async def _versions(self, connection: Connection) -> list[tuple[Any, ...]]:
        names = {known: name for name, known in self.ids.items()}
        return [
            (
                *(row["id"], row["status"], row["external_id"], row["effective_at"], row["created_at"]),
                *(row["description"], json.loads(row["metadata"]), row["ledgerable_type"], row["ledgerable_id"]),
                *(row["posted_at"], row["archived_reason"], row["reverses"], row["reversed_by"], row["part_of"]),
                list(
                    zip(
                        [names[account] for account in row["accounts"]],
                        *(row["directions"], row["amounts"], row["moments"], map(json.loads, row["notes"])),
                        row["numbers"],
                        strict=True,
                    )
                ),
            )
            for row in await connection.fetch(VERSIONS, self.ledger.id)
        ]

    def _version(self, known: Transaction, state: State) -> tuple[Any, ...]:
        reversed_by, foreign_object = self.model.reversed_by(known), state.ledgerable
        return (
            *(known.id, state.status, state.name, state.moment, state.written_at, state.description, state.metadata),
            *(foreign_object and foreign_object.type, foreign_object and foreign_object.id),
            *(state.posted_at, state.reason, known.reverses and known.reverses.id),
            *(reversed_by and reversed_by.id, known.part_of and known.part_of.id),
            [tuple(line[:6]) for line in state.lines],
        )


def sums_of(row: asyncpg.Record) -> Sums:
    return Sums(row["posted_debits"], row["posted_credits"], row["pending_debits"], row["pending_credits"])


@patient
async def test_any_sequence_keeps_the_books_and_equals_the_model(database: Database) -> None:
    await try_sequences(Books, examples=30, steps=20, database=database)
    async with database.connection() as connection:
        assert await wrong(connection) == {}
