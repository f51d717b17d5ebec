"""The sums before any moment of a busy day equal those added up entry by entry, whatever became of the entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from tests.ledger.books import CASH, DAY, LOAN, REVENUE, Ledger, credit, debit, reverse
from tests.ledger.own_audit import LIVE, SUMS
from worker.ledger.book import midnight
from worker.ledger.transaction import Archive, Create, NewTransaction, Operation, PartialPost, Post, Status, Update

TRANSACTIONS = 400
"""Enough that before noon it matters whether what is left of the day is little or much."""

MINUTE = timedelta(minutes=1)
BEGINS = midnight(DAY)
ENDS = BEGINS + timedelta(days=1)
MOMENTS = [BEGINS - MINUTE, BEGINS, ENDS, ENDS + MINUTE, *(BEGINS + n * 47 * MINUTE for n in range(1, 31))]

EXPECTED = f"""
    select a.external_id, asked.moment, {SUMS}
    from ledger_accounts a cross join unnest($1::timestamptz[]) as asked (moment)
    left join ({LIVE}) as e on e.account_id = a.id and e.effective_at < asked.moment
    group by 1, 2 order by 1, 2
"""
READ = """
    select a.external_id, asked.moment, sums.*
    from ledger_accounts a cross join unnest($1::timestamptz[]) as asked (moment)
    cross join lateral {}(a.id, asked.moment) as sums order by 1, 2
"""


def entered(n: int, at: datetime) -> Create:
    """A transaction of some status at a moment, its second entry effective at another."""
    status = (Status.PENDING, Status.POSTED, Status.PENDING, Status.ARCHIVED)[n % 4]
    other = replace(credit(REVENUE, n), effective_at=BEGINS + (n * 613) % (24 * 60) * MINUTE)
    return Create(NewTransaction(f"t{n}", status, at, None, {}, (debit(CASH, n), other)))


def fates() -> Iterator[Operation]:
    """What becomes of transactions: they are posted, at once or in parts, moved, replaced, archived or reversed."""
    for n in range(4, TRANSACTIONS, 24):
        yield Post(f"t{n}")
        yield Post(f"t{n + 2}", BEGINS + n * MINUTE)
        yield Update(f"t{n + 4}", entries=(debit(LOAN, 3), debit(CASH, 4), credit(REVENUE, 7)))
        yield Update(f"t{n + 6}", Status.POSTED, entries=(debit(CASH, 5), credit(LOAN, 5)))
        yield PartialPost(f"t{n + 8}", (debit(CASH, 1), credit(REVENUE, 1)), effective_at=BEGINS + n * MINUTE)
        yield Archive(f"t{n + 10}", "returned")
        yield reverse(f"t{n + 1}", f"r{n}")


async def test_sums_before_any_moment_are_those_of_the_live_entries(ledger: Ledger) -> None:
    await ledger.post(*(entered(n, BEGINS + n % 300 * MINUTE) for n in range(TRANSACTIONS)))
    await ledger.post(*fates())
    async with ledger.database.connection() as connection:
        wanted = await connection.fetch(EXPECTED, MOMENTS)
        assert len({tuple(row)[2:] for row in wanted}) > len(MOMENTS)
        for function in ("ledger_sums_before", "ledger_sums_of_one_before"):
            assert await connection.fetch(READ.format(function), MOMENTS) == wanted
        told = await connection.fetch("select posted_at_once, count(*) from ledger_entries group by 1 order by 1")
    assert [at_once for at_once, _ in told] == [False, True]
    assert await ledger.findings() == []
