"""Any sequence of operations, however batched, keeps every audit at zero and equals a simple model in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ledger.books import CASH, LOAN, OVERDRAWN_NEVER, REVENUE, Ledger, create, credit, debit
from tests.ledger.model import END_OF_TIME, Model
from worker.database import Connection, Database
from worker.ledger import posting_store, store
from worker.ledger.posting_store import Names
from worker.ledger.transaction import (
    UNSET,
    Archive,
    Create,
    NewEntry,
    Operation,
    PartialPost,
    Post,
    Posted,
    Refused,
    Replayed,
    Result,
    Reverse,
    Status,
    Update,
)
from worker.ledger.written import Written

NAMES = ("a", "b", "c", "d")
MOMENTS = (
    datetime(2020, 1, 1, tzinfo=UTC),
    datetime(2024, 3, 1, tzinfo=UTC),
    datetime(2024, 3, 1, 15, 30, 0, 1, tzinfo=UTC),
    datetime(2199, 1, 1, 23, 59, 59, 999999, tzinfo=UTC),
)
LEDGER_NUMBERS = count(1)

names = st.sampled_from(NAMES)
moments = st.sampled_from(MOMENTS)
statuses = st.sampled_from((Status.POSTED, Status.PENDING, Status.PENDING, Status.ARCHIVED))
metadata = st.dictionaries(st.sampled_from(("k", "l")), st.sampled_from(("v", "w")), max_size=2)


def word(result: Result) -> str:
    match result:
        case Posted():
            return "written"
        case Replayed():
            return "replayed"
        case Refused():
            return "refused"


@st.composite
def entries(draw: st.DrawFn) -> tuple[NewEntry, ...]:
    amount = draw(st.integers(0, 3) | st.just(10**35))
    drawn = draw(
        st.sampled_from(
            (
                (debit(CASH, amount), credit(REVENUE, amount)),
                (debit(LOAN, amount), credit(CASH, amount, *OVERDRAWN_NEVER)),
                (debit(CASH, 2 * amount), credit(LOAN, amount), credit(REVENUE, amount)),
                (debit(CASH, 1), credit(CASH, 1)),
                (debit(CASH, amount), credit(REVENUE, amount + 1)),
            )
        )
    )
    if draw(st.booleans()):
        return drawn
    return (replace(drawn[0], effective_at=draw(moments)), *drawn[1:])


@st.composite
def creations(draw: st.DrawFn) -> Create:
    made = create(draw(names), *draw(entries()), status=draw(statuses)).transaction
    made = replace(made, effective_at=draw(moments), metadata=draw(metadata))
    return Create(made, archive_on_balance_lock_failure=draw(st.booleans()))


unset = st.just(UNSET)
OPERATIONS = st.one_of(
    creations(),
    creations(),
    st.builds(
        Update,
        names,
        status=unset | statuses,
        description=unset | st.sampled_from((None, "x")),
        metadata=unset | st.dictionaries(st.sampled_from(("k", "l")), st.sampled_from(("v", "", None)), max_size=2),
        effective_at=unset | moments,
        external_id=unset | unset | names | st.none(),
        entries=unset | entries(),
    ),
    st.builds(Post, names, st.none() | moments),
    st.builds(Archive, names, st.just("returned")),
    st.builds(PartialPost, names, entries(), effective_at=moments),
    st.builds(Reverse, names, names | st.none(), st.none() | moments, st.sampled_from(Status), metadata=metadata),
)


async def stored(connection: Connection, ledger: Ledger, ids: set[UUID]) -> dict[UUID, Written]:
    """Transactions as the books show them."""
    named = Names(ids=ids)
    rows = await posting_store.lock_transactions(connection, ledger.id, named)
    accounts = Names(ids={row["account_id"] for entry in rows.values() for row in entry})
    locked = await posting_store.lock_balances(connection, ledger.id, accounts)
    found = await posting_store.find_transactions(connection, ledger.id, named, rows, locked)
    return {known.state.id: known.state for known in found}


def comparable(written: Written) -> object:
    """All of a transaction; a later reversal does not touch what was answered before it."""
    texts = [written.metadata, *(entry.metadata for entry in written.entries)]
    bare = written._replace(
        metadata="", reversed_by=None, entries=tuple(entry._replace(metadata="") for entry in written.entries)
    )
    return bare, [json.loads(text) for text in texts]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(OPERATIONS, min_size=1, max_size=8), min_size=1, max_size=5))
async def test_any_sequence_keeps_the_books_and_equals_the_model(
    database: Database, batches: list[list[Operation]]
) -> None:
    ledger = await Ledger.open(database, f"ledger {next(LEDGER_NUMBERS)}")
    model = Model()
    answered: dict[UUID, Written] = {}
    for batch in batches:
        results = await ledger.post(*batch)
        assert [word(result) for result in results] == [model.apply(operation) for operation in batch]
        for operation, result in zip(batch, results, strict=True):
            match result:
                case Posted(_, _, written):
                    answered[written.id] = written
                case Replayed(_, Written() as written):
                    answered[written.id] = written
            if isinstance(operation, PartialPost) and isinstance(result, Posted):
                answered.pop(result.written.partially_posts or result.transaction_id, None)  # it was changed too
    assert await ledger.findings() == []
    await compare(ledger, model)
    async with database.transaction() as connection:
        shown = await stored(connection, ledger, set(answered))
        every = await store.transactions_of(connection, ledger.id, {})
    assert {key: comparable(one) for key, one in shown.items()} == {
        key: comparable(one) for key, one in answered.items()
    }
    described = [(t.external_id, t.status, t.description, sorted(t.metadata.items())) for t in every]
    expected = [(t.name, t.status, t.description, sorted(t.metadata.items())) for t in model.transactions]
    assert sorted(described, key=str) == sorted(expected, key=str)


async def compare(ledger: Ledger, model: Model) -> None:
    """Every balance, now and at every moment that matters."""
    for account in (CASH, LOAN, REVENUE):
        shown = await ledger.balance(account)
        assert shown.sums == model.sums(account)
        for moment in (*MOMENTS, *(moment + timedelta(microseconds=1) for moment in MOMENTS), END_OF_TIME):
            assert await sums_before(ledger, shown.account_id, moment) == model.sums(account, moment)


async def sums_before(ledger: Ledger, account_id: UUID, moment: datetime) -> Sequence[int]:
    async with ledger.database.connection() as connection:
        return tuple(await connection.fetchrow("select * from ledger_sums_before($1, $2)", account_id, moment))
