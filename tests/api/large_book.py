"""A book too large to be posted by a test: written set by set, past the tables' own checks."""

from __future__ import annotations

from uuid import UUID

from worker.database import Database
from worker.ledger import store
from worker.ledger.transaction import AccountSpec, CategorySpec, Direction

FILLED = ("ledger_transactions", "ledger_entries", "ledger_account_balances", "ledger_account_days")

WRITE_TRANSACTIONS = """
with made as (
    select i, timestamptz '2024-01-01Z' + i * interval '10 seconds' as moment,
           case when i % 1000 = 0 then 'pending' when i % 1000 = 1 then 'archived' else 'posted' end as status
    from generate_series(1, $2::int) as i
)
insert into ledger_transactions
    (id, ledger_id, status, external_id, description, effective_at, posted_at, metadata, last_entry, content_digest,
     created_at, updated_at)
select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '7000' || '8000'
        || lpad(to_hex(i), 8, '0') || '0000')::uuid,
       $1, status, 'e' || i, 'of a large book', moment - (i % 7) * interval '1 hour',
       case status when 'posted' then moment end,
       jsonb_build_object('loanID', (i / 10)::text), 2, decode(md5(i::text) || md5(i::text), 'hex'), moment, moment
from made
"""
"""One every ten seconds, a thousandth of them pending and another archived; effective up to six hours earlier."""

WRITE_ENTRIES = """
with numbered as (
    select t.*, substring(external_id from 2)::int as i from ledger_transactions t
), made as (
    select id, 1 as n, $1::uuid as account_id, 'debit' as direction, i % 1000 + 1 as amount, status, effective_at,
           created_at
    from numbered
    union all
    select id, 2, ($2::uuid[])[1 + i % cardinality($2::uuid[])], 'credit', i % 1000 + 1, status, effective_at,
           created_at
    from numbered
)
insert into ledger_entries
    (transaction_id, n, posted_at_once, account_id, direction, amount, effective_at, created_at, lock_version,
     posted_debits, posted_credits, pending_debits, pending_credits)
select id, n, status = 'posted', account_id, direction, amount, effective_at, created_at, row_number() over account,
       coalesce(sum(amount) filter (where direction = 'debit' and status = 'posted') over account, 0),
       coalesce(sum(amount) filter (where direction = 'credit' and status = 'posted') over account, 0),
       coalesce(sum(amount) filter (where direction = 'debit' and status <> 'archived') over account, 0),
       coalesce(sum(amount) filter (where direction = 'credit' and status <> 'archived') over account, 0)
from made
window account as (partition by account_id order by id)
order by id, n
"""

WRITE_BALANCES = """
update ledger_account_balances b
set posted_debits = e.posted_debits, posted_credits = e.posted_credits, pending_debits = e.pending_debits,
    pending_credits = e.pending_credits, lock_version = e.lock_version
from (select distinct on (account_id) * from ledger_entries order by account_id, lock_version desc) as e
where e.account_id = b.account_id
"""

WRITE_DAYS = """
insert into ledger_account_days
select e.account_id, (e.effective_at at time zone 'UTC')::date,
       coalesce(sum(e.amount) filter (where e.direction = 'debit' and t.status = 'posted'), 0),
       coalesce(sum(e.amount) filter (where e.direction = 'credit' and t.status = 'posted'), 0),
       coalesce(sum(e.amount) filter (where e.direction = 'debit' and t.status <> 'archived'), 0),
       coalesce(sum(e.amount) filter (where e.direction = 'credit' and t.status <> 'archived'), 0)
from ledger_entries e
join ledger_transactions t on t.id = e.transaction_id
group by 1, 2
"""


async def write_large_book(database: Database, transactions: int, accounts: int) -> dict[str, UUID]:
    """Accounts by name: ``hot`` is debited by every transaction, each of ``a0``, ``a1``, … credited by some.

    All but ``hot`` are in one category, whose own sums are left at zero. Statistics are fresh.
    """
    async with database.transaction() as connection:
        ledger_id = await store.ensure_ledger(connection, "large")
        everyone = CategorySpec("everyone", "Everyone", Direction.CREDIT, "GBP")
        specs = [
            AccountSpec("hot", "hot", Direction.DEBIT, "GBP"),
            *(
                AccountSpec(f"a{n}", f"account {n}", Direction.CREDIT, "GBP", categories=(everyone,))
                for n in range(accounts)
            ),
        ]
        ids = await store.ensure_accounts(connection, ledger_id, specs)
        await connection.execute("set local statement_timeout = 0")
        for table in FILLED:
            await connection.execute(f"alter table {table} disable trigger user")
        others = [account_id for name, account_id in ids.items() if name != "hot"]
        await connection.execute(WRITE_TRANSACTIONS, ledger_id, transactions, timeout=600)
        await connection.execute("analyze ledger_transactions", timeout=600)
        await connection.execute(WRITE_ENTRIES, ids["hot"], others, timeout=600)
        await connection.execute(WRITE_BALANCES, timeout=600)
        await connection.execute(WRITE_DAYS, timeout=600)
        for table in FILLED:
            await connection.execute(f"alter table {table} enable trigger user")
    async with database.connection() as connection:
        await connection.execute("vacuum analyze", timeout=600)
    return ids
