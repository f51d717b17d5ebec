"""The posters that the product is compared with do what they are compared for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from worker.bench import bare_store
from worker.bench.bare import BareBalance, decide
from worker.bench.draw import Draw
from worker.bench.rivals import Coalescing, OneStatement
from worker.bench.workload import ACCOUNTS, AMOUNTS, SIDES, Disbursement
from worker.database import Database, query

ONE = Disbursement("one", (4, 5, 1, 2, 3))
TWO = Disbursement("two", (6, 5, 1, 2, 3))


def zero(account_ids: Sequence[int], currency: str = "USD") -> list[BareBalance]:
    return [BareBalance(account_id, 0, 0, 0, currency) for account_id in account_ids]


def test_the_disbursement_balances() -> None:
    assert sum(side * amount for side, amount in zip(SIDES, AMOUNTS, strict=True)) == 0


def test_drawn_disbursements_are_all_new_and_on_known_accounts() -> None:
    draw = Draw("drawn")
    drawn = [draw.hot() for _ in range(100)] + [draw.spread() for _ in range(100)]
    assert len({one.external_id for one in drawn}) == 200
    assert all(len(set(one.accounts)) == 5 and set(one.accounts) <= set(ACCOUNTS) for one in drawn)


def test_a_batch_moves_each_balance_in_order() -> None:
    decided = decide([ONE, TWO], zero(range(1, 7)), set())
    cash = [(entry.place, entry.lock_version, entry.credits) for entry in decided.entries if entry.account_id == 1]
    assert cash == [(1, 1, 100_000), (2, 2, 200_000)]
    assert decided.moved[5].debits == 2_000
    assert decided.moved[5].lock_version == 2


def test_a_batch_leaves_out_what_is_known_and_what_does_not_balance() -> None:
    assert decide([ONE, TWO], zero(range(1, 7)), {"one"}).external_ids == ["two"]
    mixed = [*zero(range(1, 6)), *zero([6], "GBP")]
    assert decide([ONE, TWO], mixed, set()).accepted == [True, False]


async def test_both_rivals_keep_the_same_balances(database: Database) -> None:
    async with database.connection() as connection:
        await bare_store.create_rivals(connection)
    await OneStatement(database).post(ONE)
    async with Coalescing.open(database) as rival:
        await asyncio.gather(rival.post(TWO), rival.post(Disbursement("three", (6, 4, 1, 2, 3))))
    async with database.connection() as connection:
        rows = await connection.fetch(query("bench/lock_bare"), [1, 4, 5, 6])
    assert [tuple(row)[:4] for row in rows] == [
        (1, 0, 300_000, 3),
        (4, 101_000, 0, 2),
        (5, 2_000, 0, 2),
        (6, 200_000, 0, 2),
    ]
