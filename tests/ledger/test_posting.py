"""One posting path: each operation of a batch is decided on its own, in order."""

from __future__ import annotations

from datetime import date

import pytest

from tests.ledger.books import CASH, DAY, LOAN, REVENUE, Ledger, create, credit, debit, earn, reverse, spend
from worker.ledger import poster, store
from worker.ledger.book import midnight
from worker.ledger.transaction import (
    MAX_AMOUNT,
    MAX_ENTRIES,
    Archive,
    BalanceCondition,
    BalanceKind,
    Comparison,
    Create,
    NewEntry,
    Operation,
    Post,
    Posted,
    RefusalCode,
    Refused,
    Replayed,
    Result,
    Status,
)


def codes(results: list[Result]) -> list[str]:
    """Results in short: the status, ``replayed``, or the refusal's code."""
    short = []
    for result in results:
        match result:
            case Posted():
                short.append(str(result.status))
            case Replayed():
                short.append("replayed")
            case Refused():
                short.append(str(result.code))
    return short


async def test_one_bad_transaction_leaves_no_trace_and_its_neighbours_stand(ledger: Ledger) -> None:
    results = await ledger.post(
        earn("first", 100),
        create("bad", debit(CASH, 7), credit(REVENUE, 8)),
        spend("too much", 101),
        earn("last", 50),
        spend("enough", 150),
    )
    assert codes(results) == ["posted", "unbalanced", "balance_condition", "posted", "posted"]
    cash = await ledger.balance(CASH)
    assert (cash.posted, cash.lock_version) == (0, 3)
    assert await ledger.findings() == []


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], RefusalCode.ENTRY_COUNT),
        ([debit(CASH, 0)], RefusalCode.ENTRY_COUNT),
        ([debit(CASH, 0)] * MAX_ENTRIES + [credit(REVENUE, 0)], RefusalCode.ENTRY_COUNT),
        ([debit(CASH, 0), debit(LOAN, 0)], RefusalCode.UNBALANCED),
        ([debit(CASH, 1), credit("revenue-usd", 1)], RefusalCode.UNBALANCED),
        ([debit(CASH, -1), credit(REVENUE, -1)], RefusalCode.NEGATIVE_AMOUNT),
        ([debit(CASH, MAX_AMOUNT + 1), credit(REVENUE, MAX_AMOUNT + 1)], RefusalCode.AMOUNT_TOO_LARGE),
        ([debit(CASH, 1), credit("nobody", 1)], RefusalCode.UNKNOWN_ACCOUNT),
        ([debit(CASH, 1, lock_version=1), credit(REVENUE, 1)], RefusalCode.STALE_LOCK_VERSION),
    ],
)
async def test_an_impossible_transaction_is_refused_with_its_reason(
    ledger: Ledger, entries: list[NewEntry], code: RefusalCode
) -> None:
    assert codes(await ledger.post(create("t", *entries))) == [code]
    assert (await ledger.balance(CASH)).lock_version == 0


@pytest.mark.parametrize("together", [True, False])
async def test_the_same_content_under_the_same_external_id_is_a_replay_and_other_content_is_refused(
    ledger: Ledger, together: bool
) -> None:
    operations = [earn("t", 100), earn("t", 100), earn("t", 101), earn("t", 100, day=date(2024, 3, 2))]
    results = await ledger.post(*operations) if together else [r for o in operations for r in await ledger.post(o)]
    assert codes(results) == ["posted", "replayed", "external_id_taken", "external_id_taken"]
    assert isinstance(results[0], Posted)
    assert results[1] == Replayed(results[0].transaction_id)
    assert (await ledger.balance(CASH)).posted == 100


async def test_a_pending_transaction_posted_meanwhile_is_still_replayed(ledger: Ledger) -> None:
    pending = earn("t", status=Status.PENDING)
    await ledger.post(pending, Post("t"))
    assert codes(await ledger.post(pending, earn("t"))) == ["replayed", "external_id_taken"]


@pytest.mark.parametrize("together", [True, False])
async def test_a_pending_transaction_is_posted_once(ledger: Ledger, together: bool) -> None:
    operations: list[Operation] = [earn("t", status=Status.PENDING), Post("t"), Post("t"), Archive("t", "late")]
    results = await ledger.post(*operations) if together else [r for o in operations for r in await ledger.post(o)]
    assert codes(results) == ["pending", "posted", "replayed", "not_pending"]
    cash = await ledger.balance(CASH)
    assert (cash.posted, cash.pending, cash.lock_version) == (100, 100, 2)
    assert await ledger.findings() == []


@pytest.mark.parametrize("together", [True, False])
async def test_an_archived_transaction_gives_back_what_was_pending_and_frees_its_external_id(
    ledger: Ledger, together: bool
) -> None:
    operations: list[Operation] = [
        earn("t", 100, Status.PENDING),
        Archive("t", "returned"),
        Archive("t", "returned"),
        Post("t"),
        earn("t", 30),
    ]
    results = await ledger.post(*operations) if together else [r for o in operations for r in await ledger.post(o)]
    assert codes(results) == ["pending", "archived", "replayed", "not_pending", "posted"]
    cash = await ledger.balance(CASH)
    assert (cash.posted, cash.pending) == (30, 30)
    async with ledger.database.connection() as connection:
        found = await store.transactions_of(connection, ledger.id, {"loanID": "1"})
    assert [(t.status, t.archived_reason) for t in found] == [(Status.ARCHIVED, "returned"), (Status.POSTED, None)]
    assert await ledger.findings() == []


async def test_a_transaction_posted_on_another_day_takes_effect_on_that_day(ledger: Ledger) -> None:
    settled = date(2024, 3, 9)
    assert codes(await ledger.post(earn("t", status=Status.PENDING))) == ["pending"]
    assert codes(
        await ledger.post(Post("t", midnight(settled)), Post("t", midnight(settled)), Post("t", midnight(DAY)))
    ) == [
        "posted",
        "replayed",
        "not_pending",
    ]
    assert (await ledger.balance(CASH, date(2024, 3, 8))).pending == 0
    assert (await ledger.balance(CASH, settled)).posted == 100
    assert codes(await ledger.post(reverse("t", "r"))) == ["posted"]
    assert (await ledger.balance(CASH)).posted == 0
    assert await ledger.findings() == []


@pytest.mark.parametrize("together", [True, False])
async def test_a_posted_transaction_is_reversed_once(ledger: Ledger, together: bool) -> None:
    operations: list[Operation] = [
        earn("t"),
        reverse("t", "r"),
        reverse("t", "r"),
        reverse("t", "r", date(2024, 3, 2)),
        reverse("t", "second"),
        reverse("r", "back again"),
    ]
    results = await ledger.post(*operations) if together else [r for o in operations for r in await ledger.post(o)]
    assert codes(results) == ["posted", "posted", "replayed", "external_id_taken", "already_reversed", "posted"]
    assert (await ledger.balance(CASH)).posted == 100
    assert await ledger.findings() == []


async def test_only_a_posted_transaction_is_reversed(ledger: Ledger) -> None:
    await ledger.post(
        earn("pending", status=Status.PENDING), earn("gone", status=Status.PENDING), Archive("gone", "returned")
    )
    results = await ledger.post(reverse("pending", "a"), reverse("gone", "b"), reverse("never", "c"))
    assert codes(results) == ["not_posted", "not_posted", "unknown_transaction"]


async def test_what_does_not_exist_is_neither_posted_nor_archived(ledger: Ledger) -> None:
    assert codes(await ledger.post(Post("t"), Archive("t", "x"))) == ["unknown_transaction", "unknown_transaction"]


async def test_a_transaction_may_be_archived_from_the_beginning(ledger: Ledger) -> None:
    assert codes(await ledger.post(earn("t", status=Status.ARCHIVED))) == ["archived"]
    assert (await ledger.balance(CASH)).pending == 0
    assert await ledger.findings() == []


async def test_ids_keep_the_order_of_the_batch_and_leave_room_for_the_numbers_of_the_entries(ledger: Ledger) -> None:
    results = await ledger.post(*(earn(f"t{n}", n) for n in range(50)))
    ids = [result.transaction_id for result in results if isinstance(result, Posted)]
    assert ids == sorted(set(ids))
    assert len(ids) == 50
    assert {transaction_id.bytes[-2:] for transaction_id in ids} == {b"\0\0"}


async def test_no_operations_have_no_results(ledger: Ledger) -> None:
    assert await ledger.post() == []


async def test_the_largest_amounts_and_zero_are_exact(ledger: Ledger) -> None:
    results = await ledger.post(earn("a", MAX_AMOUNT), earn("b", MAX_AMOUNT - 1), earn("c", 0), earn("d", MAX_AMOUNT))
    assert codes(results) == ["posted"] * 4
    assert (await ledger.balance(CASH)).posted == 3 * MAX_AMOUNT - 1
    assert (await ledger.balance(CASH, DAY)).posted == 3 * MAX_AMOUNT - 1
    assert await ledger.findings() == []


async def test_an_account_may_stand_on_both_sides(ledger: Ledger) -> None:
    results = await ledger.post(create("t", debit(CASH, 70), credit(CASH, 50), credit(REVENUE, 20)))
    assert codes(results) == ["posted"]
    cash = await ledger.balance(CASH)
    assert (cash.sums.posted_debits, cash.sums.posted_credits, cash.lock_version) == (70, 50, 2)
    assert await ledger.findings() == []


async def test_available_is_what_is_settled_less_what_is_on_its_way_out(ledger: Ledger) -> None:
    await ledger.post(
        earn("in", 100),
        earn("coming", 40, Status.PENDING),
        create("going", debit(LOAN, 30), credit(CASH, 30), status=Status.PENDING),
        create("refund", debit(REVENUE, 5), credit(CASH, 5), status=Status.PENDING),
    )
    cash, revenue = await ledger.balance(CASH), await ledger.balance(REVENUE)
    assert (cash.posted, cash.pending, cash.available) == (100, 105, 65)
    assert (revenue.posted, revenue.pending, revenue.available) == (100, 135, 95)


@pytest.mark.parametrize(
    ("comparison", "amount", "holds"),
    [
        (Comparison.GT, 9, True),
        (Comparison.GT, 10, False),
        (Comparison.GTE, 10, True),
        (Comparison.GTE, 11, False),
        (Comparison.LT, 11, True),
        (Comparison.LT, 10, False),
        (Comparison.LTE, 10, True),
        (Comparison.LTE, 9, False),
        (Comparison.EQ, 10, True),
        (Comparison.EQ, 11, False),
    ],
)
async def test_a_condition_is_about_the_balance_after_the_whole_transaction(
    ledger: Ledger, comparison: Comparison, amount: int, holds: bool
) -> None:
    condition = BalanceCondition(BalanceKind.POSTED, comparison, amount)
    results = await ledger.post(create("t", debit(CASH, 4, condition), debit(CASH, 6), credit(REVENUE, 10)))
    assert codes(results) == ["posted" if holds else "balance_condition"]


async def test_an_expected_version_is_met_by_the_batch_before_it(ledger: Ledger) -> None:
    def expecting(external_id: str, version: int) -> Create:
        return create(external_id, debit(CASH, 1, lock_version=version), credit(REVENUE, 1))

    results = await ledger.post(expecting("a", 0), expecting("b", 0), expecting("c", 1), expecting("d", 2))
    assert codes(results) == ["posted", "stale_lock_version", "posted", "posted"]


async def test_what_the_caller_rolls_back_never_happened(ledger: Ledger) -> None:
    class CallerFailedError(Exception):
        pass

    async def post_and_fail() -> None:
        async with ledger.database.transaction() as connection:
            await poster.post(connection, ledger.id, [earn("t")])
            raise CallerFailedError

    with pytest.raises(CallerFailedError):
        await post_and_fail()
    assert (await ledger.balance(CASH)).lock_version == 0
    assert codes(await ledger.post(earn("t"))) == ["posted"]
