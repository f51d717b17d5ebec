"""What may become of a transaction once it is written, and what every answer says about it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from tests.ledger.books import CASH, DAY, LOAN, REVENUE, Ledger, create, credit, debit, earn, reverse, spend
from worker.ledger import poster, posting_store
from worker.ledger.book import midnight
from worker.ledger.transaction import (
    BALANCE_LOCK_FAILURE,
    Archive,
    Create,
    Ledgerable,
    NewEntry,
    Operation,
    PartialPost,
    Post,
    Posted,
    RefusalCode,
    Refused,
    Replayed,
    Result,
    Reverse,
    Status,
    Update,
)
from worker.ledger.written import Written, split_entry_id

LATER = datetime(2024, 5, 6, 7, 8, 9, 10, tzinfo=UTC)


async def write(ledger: Ledger, operation: Operation) -> Written:
    """What one operation wrote."""
    (result,) = await ledger.post(operation)
    assert isinstance(result, Posted), result
    return result.written


async def refusal(ledger: Ledger, operation: Operation) -> tuple[RefusalCode, int | None]:
    (result,) = await ledger.post(operation)
    assert isinstance(result, Refused), result
    return result.code, result.place


def lines(written: Written) -> list[tuple[str, str, int]]:
    return [(entry.account.label, str(entry.direction), entry.amount) for entry in written.entries]


async def test_an_answer_says_all_there_is_to_show(ledger: Ledger) -> None:
    due = Ledgerable("expected_payment", uuid4())
    new = replace(earn("t", 7, Status.PENDING).transaction, ledgerable=due, effective_at=None)
    new = replace(new, entries=(replace(new.entries[0], metadata={"k": "v"}), new.entries[1]))
    written = await write(ledger, Create(new))
    assert (written.external_id, written.description, written.version) == ("t", "Transaction t", 0)
    assert written.effective_at == written.created_at == written.updated_at
    assert (written.posted_at, written.ledgerable, json.loads(written.metadata)) == (None, due, {"loanID": "1"})
    cash, revenue = written.entries
    assert split_entry_id(cash.id) == (written.id, 1)
    assert (json.loads(cash.metadata), json.loads(revenue.metadata)) == ({"k": "v"}, {})
    assert (cash.lock_version, cash.sums, cash.account.currency) == (1, (0, 0, 7, 0), "GBP")
    posted = await write(ledger, Post(written.id))
    assert (posted.status, posted.version, posted.posted_at) == (Status.POSTED, 1, posted.updated_at)
    assert [(entry.id, entry.lock_version, entry.sums) for entry in posted.entries] == [
        (cash.id, 2, (7, 0, 7, 0)),
        (revenue.id, 2, (0, 7, 0, 7)),
    ]


async def test_a_pending_transaction_takes_every_change(ledger: Ledger) -> None:
    before = await write(ledger, earn("t", 7, Status.PENDING))
    due = Ledgerable("return", uuid4())
    after = await write(
        ledger,
        Update(
            before.id,
            description=None,
            metadata={"loanID": "", "investorID": "9"},
            effective_at=LATER,
            external_id="renamed",
            ledgerable=due,
            entries=(debit(LOAN, 5), credit(REVENUE, 2), credit(CASH, 3)),
        ),
    )
    assert (after.id, after.version, after.external_id, after.description) == (before.id, 1, "renamed", None)
    assert (json.loads(after.metadata), after.effective_at, after.ledgerable) == ({"investorID": "9"}, LATER, due)
    assert lines(after) == [(LOAN, "debit", 5), (REVENUE, "credit", 2), (CASH, "credit", 3)]
    assert [entry.n for entry in after.entries] == [3, 4, 5]
    assert {entry.effective_at for entry in after.entries} == {LATER}
    assert (await ledger.balance(CASH)).sums == (0, 0, 0, 3)
    assert await refusal(ledger, Post("t")) == (RefusalCode.UNKNOWN_TRANSACTION, None)
    posted = await write(ledger, Update("renamed", Status.POSTED))
    assert lines(posted) == lines(after)
    assert await ledger.findings() == []


async def test_an_entry_with_a_moment_of_its_own_keeps_it_when_its_transaction_moves(ledger: Ledger) -> None:
    own = midnight(DAY).replace(year=2020)
    await ledger.post(create("t", debit(CASH, 1), replace(credit(REVENUE, 1), effective_at=own), status=Status.PENDING))
    moved = await write(ledger, Post("t", LATER))
    assert [entry.effective_at for entry in moved.entries] == [LATER, own]
    mirrored = await write(ledger, Reverse("t", None))
    assert [entry.effective_at for entry in mirrored.entries] == [LATER, own]
    assert await ledger.findings() == []


@pytest.mark.parametrize("status", [Status.POSTED, Status.ARCHIVED])
async def test_a_final_transaction_takes_metadata_only_and_may_be_told_what_it_is(
    ledger: Ledger, status: Status
) -> None:
    final = await write(ledger, earn("t", 7, status))
    same = (debit(CASH, 7), credit(REVENUE, 7))
    other = (debit(CASH, 8), credit(REVENUE, 8))
    for unchanged in (Update(final.id, status), Update(final.id, entries=same), Update(final.id, metadata={"x": None})):
        (result,) = await ledger.post(unchanged)
        assert isinstance(result, Replayed)
        assert result.written is not None
        assert json.loads(result.written.metadata) == json.loads(final.metadata)
        assert result.written._replace(metadata=final.metadata) == final
    for change in (
        Update(final.id, Status.PENDING),
        Update(final.id, description="x"),
        Update(final.id, effective_at=LATER),
        Update(final.id, external_id=None),
        Update(final.id, entries=other),
        PartialPost(final.id, (debit(CASH, 1), credit(REVENUE, 1))),
    ):
        assert await refusal(ledger, change) == (RefusalCode.NOT_PENDING, None)
    annotated = await write(ledger, Update(final.id, metadata={"note": "checked"}))
    assert (annotated.version, json.loads(annotated.metadata)) == (1, {"loanID": "1", "note": "checked"})
    assert (annotated.posted_at, annotated.entries) == (final.posted_at, final.entries)
    assert await ledger.findings() == []


async def test_several_become_final_between_two_new_ones_of_a_batch(ledger: Ledger) -> None:
    await ledger.post(*(earn(name, 1, Status.PENDING) for name in "abc"))
    results = await ledger.post(earn("d", 5), Post("a"), Archive("b", "x"), Post("c"), earn("e", 5))
    written = [result.written for result in results if isinstance(result, Posted)]
    assert [one.entries[0].lock_version for one in written] == [4, 5, 6, 7, 8]
    assert (await ledger.balance(CASH)).sums == (12, 0, 12, 0)
    assert await ledger.findings() == []


async def test_an_external_id_belongs_to_one_live_transaction(ledger: Ledger) -> None:
    await ledger.post(earn("a", status=Status.PENDING), earn("b", status=Status.PENDING))
    assert await refusal(ledger, Update("a", external_id="b")) == (RefusalCode.EXTERNAL_ID_TAKEN, None)
    swapped: list[Result] = await ledger.post(
        Update("a", external_id="c"), Update("b", external_id="a"), Update("c", external_id="b"), earn("c")
    )
    assert all(isinstance(result, Posted) for result in swapped)


@pytest.mark.parametrize("together", [True, False])
async def test_a_part_is_posted_and_the_rest_stays_pending(ledger: Ledger, together: bool) -> None:
    operations: list[Operation] = [
        create("t", debit(CASH, 10), credit(REVENUE, 4), credit(REVENUE, 6), status=Status.PENDING),
        PartialPost("t", (credit(REVENUE, 1), credit(REVENUE, 2), debit(CASH, 3)), "Part", LATER, {"k": "v"}),
        PartialPost("t", (debit(CASH, 5), credit(REVENUE, 2), credit(REVENUE, 3))),
        Post("t"),
    ]
    results = await ledger.post(*operations) if together else [r for o in operations for r in await ledger.post(o)]
    assert all(isinstance(result, Posted) for result in results)
    whole, first, _, last = (result.written for result in results if isinstance(result, Posted))
    assert (first.status, first.partially_posts, first.description) == (Status.POSTED, whole.id, "Part")
    assert (first.effective_at, first.external_id, json.loads(first.metadata)) == (LATER, None, {"k": "v"})
    assert lines(first) == [(REVENUE, "credit", 1), (REVENUE, "credit", 2), (CASH, "debit", 3)]
    assert first.entries[2].sums == (3, 0, 10, 0)
    assert (last.id, lines(last)) == (whole.id, [(CASH, "debit", 2), (REVENUE, "credit", 1), (REVENUE, "credit", 1)])
    assert (await ledger.balance(CASH)).sums == (10, 0, 10, 0)
    assert await ledger.findings() == []


@pytest.mark.parametrize(
    ("entries", "code", "entry"),
    [
        ((debit(CASH, 10), credit(REVENUE, 10)), RefusalCode.PARTIAL_AMOUNT, 0),
        ((debit(CASH, 1), credit(LOAN, 1)), RefusalCode.PARTIAL_ENTRIES, 1),
        ((debit(CASH, 1), debit(CASH, 1), credit(REVENUE, 2)), RefusalCode.PARTIAL_ENTRIES, 1),
        ((debit(CASH, 1), credit(REVENUE, 2)), RefusalCode.UNBALANCED, None),
        ((debit(CASH, 1, lock_version=0), credit(REVENUE, 1)), RefusalCode.STALE_LOCK_VERSION, 0),
    ],
)
async def test_a_part_that_is_no_part_is_refused(
    ledger: Ledger, entries: tuple[NewEntry, ...], code: RefusalCode, entry: int | None
) -> None:
    await ledger.post(earn("t", 10, Status.PENDING))
    assert await refusal(ledger, PartialPost("t", entries)) == (code, entry)


async def test_of_an_entry_of_nothing_nothing_is_posted(ledger: Ledger) -> None:
    whole = create("t", debit(CASH, 9), credit(REVENUE, 9), credit(LOAN, 0), debit(LOAN, 0), status=Status.PENDING)
    await ledger.post(whole)
    too_much = PartialPost("t", (debit(CASH, 4), credit(REVENUE, 5), credit(LOAN, 0), debit(LOAN, 1)))
    assert await refusal(ledger, too_much) == (RefusalCode.PARTIAL_AMOUNT, 3)
    part = await write(ledger, PartialPost("t", (debit(CASH, 4), credit(REVENUE, 4), credit(LOAN, 0), debit(LOAN, 0))))
    assert lines(part) == [(CASH, "debit", 4), (REVENUE, "credit", 4), (LOAN, "credit", 0), (LOAN, "debit", 0)]
    rest = await write(ledger, Post("t"))
    assert lines(rest) == [(CASH, "debit", 5), (REVENUE, "credit", 5), (LOAN, "credit", 0), (LOAN, "debit", 0)]
    assert (await ledger.balance(CASH)).sums == (9, 0, 9, 0)
    assert await ledger.findings() == []


async def test_a_part_leaves_no_entry_out(ledger: Ledger) -> None:
    await ledger.post(create("t", debit(CASH, 9), credit(REVENUE, 5), credit(LOAN, 4), status=Status.PENDING))
    part = PartialPost("t", (debit(CASH, 1), credit(REVENUE, 1)))
    assert await refusal(ledger, part) == (RefusalCode.PARTIAL_ENTRIES, None)


async def test_a_reversal_may_stay_pending_and_be_given_up(ledger: Ledger) -> None:
    original = await write(ledger, earn("t", 5))
    pending = await write(ledger, Reverse(original.id, None, status=Status.PENDING))
    assert (pending.reverses, pending.effective_at) == (original.id, original.effective_at)
    assert lines(pending) == [(CASH, "credit", 5), (REVENUE, "debit", 5)]
    assert await refusal(ledger, reverse("t", "again")) == (RefusalCode.ALREADY_REVERSED, None)
    (_, last) = await ledger.post(Archive(pending.id, "given up"), reverse("t", "again"))
    assert isinstance(last, Posted)
    (result,) = await ledger.post(Update(original.id))
    assert isinstance(result, Replayed)
    assert result.written is not None
    assert result.written.reversed_by == last.transaction_id
    assert await ledger.findings() == []


async def test_what_was_done_on_an_account_that_is_discarded_since_can_be_undone(ledger: Ledger) -> None:
    await write(ledger, earn("t", 5))
    async with ledger.database.connection() as connection:
        await connection.execute("update ledger_accounts set discarded_at = now() where external_id = $1", CASH)
    undone = await write(ledger, reverse("t", "undo"))
    assert lines(undone) == [(CASH, "credit", 5), (REVENUE, "debit", 5)]
    assert (await ledger.balance(CASH)).posted == 0
    assert await ledger.findings() == []


async def test_a_transaction_may_be_archived_where_its_conditions_fail(ledger: Ledger) -> None:
    bold = replace(spend("t", 5), archive_on_balance_lock_failure=True)
    written = await write(ledger, bold)
    assert (written.status, written.archived_reason, written.posted_at) == (
        Status.ARCHIVED,
        BALANCE_LOCK_FAILURE,
        None,
    )
    assert (await ledger.balance(CASH)).pending == 0
    unbalanced = replace(create("u", debit(CASH, 1), credit(REVENUE, 2)), archive_on_balance_lock_failure=True)
    assert await refusal(ledger, unbalanced) == (RefusalCode.UNBALANCED, None)
    assert (await write(ledger, spend("t", 0))).status is Status.POSTED
    assert await ledger.findings() == []


async def test_accounts_go_by_their_ids_too_and_a_wrong_one_is_named(ledger: Ledger) -> None:
    cash = (await ledger.balance(CASH)).account_id
    revenue = (await ledger.balance(REVENUE)).account_id
    other = await Ledger.open(ledger.database, "other")
    foreign = (await other.balance(REVENUE)).account_id
    written = await write(ledger, create("t", replace(debit(CASH, 1), account=cash), credit(REVENUE, 1)))
    assert [entry.account_id for entry in written.entries] == [cash, revenue]

    async def code(account: UUID | str) -> tuple[RefusalCode, int | None]:
        return await refusal(ledger, create("u", debit(CASH, 1), replace(credit(REVENUE, 1), account=account)))

    assert await code(uuid4()) == (RefusalCode.UNKNOWN_ACCOUNT, 1)
    assert await code(foreign) == (RefusalCode.OTHER_LEDGER, 1)
    async with ledger.database.connection() as connection:
        await connection.execute("update ledger_accounts set discarded_at = now() where id = $1", revenue)
    assert await code(revenue) == (RefusalCode.DISCARDED_ACCOUNT, 1)
    assert await code(REVENUE) == (RefusalCode.DISCARDED_ACCOUNT, 1)


async def test_transactions_without_an_external_id_are_never_replayed(ledger: Ledger) -> None:
    nameless = Create(replace(earn("t", 1).transaction, external_id=None))
    first, second = await ledger.post(nameless, nameless)
    assert isinstance(first, Posted)
    assert isinstance(second, Posted)
    assert first.transaction_id != second.transaction_id


async def test_metadata_of_an_entry_may_always_change(ledger: Ledger) -> None:
    written = await write(ledger, earn("t", 1))
    entry = written.entries[0]
    async with ledger.database.connection() as connection:
        assert await posting_store.edit_entry_metadata(connection, entry.id, {"a": "1", "b": "2"})
        assert await posting_store.edit_entry_metadata(connection, entry.id, {"a": "", "c": None})
        assert not await posting_store.edit_entry_metadata(connection, written.id, {"a": "1"})
    (result,) = await ledger.post(Update(written.id))
    assert isinstance(result, Replayed)
    assert result.written is not None
    assert [json.loads(one.metadata) for one in result.written.entries] == [{"b": "2"}, {}]
    assert result.written.entries[0].updated_at > entry.updated_at


async def test_a_writer_that_had_to_wait_writes_a_later_moment(ledger: Ledger) -> None:
    await ledger.post(earn("t", status=Status.PENDING))
    async with ledger.database.transaction() as connection:
        await connection.execute("select 1")  # its own time stands still from here on
        await ledger.post(Update("t", description="first"))
        (result,) = await poster.post(connection, ledger.id, [Post("t", LATER)])
    assert isinstance(result, Posted)
    async with ledger.database.connection() as connection:
        moments = await connection.fetch(
            "select created_at from ledger_transaction_versions order by version"
        ) + await connection.fetch("select updated_at from ledger_transactions")
        moved = await connection.fetchval("select max(created_at) from ledger_entry_transitions")
    assert [tuple(row) for row in moments] == sorted({tuple(row) for row in moments})
    assert moved == result.written.updated_at == moments[-1][0]
    assert await ledger.findings() == []
