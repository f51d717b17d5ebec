"""A program that posts with SQL of its own, as the tables allow it; and statements that they must refuse."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from worker.database import Connection
from worker.ledger.chain import digest_of
from worker.ledger.transaction import Direction, Status
from worker.ledger.written import LedgerAccount, Written, WrittenEntry, sealed_text

LOCK_ACCOUNTS = """
    select a.id, a.normal_balance, a.currency, a.currency_exponent, b.posted_debits, b.posted_credits, b.pending_debits,
           b.pending_credits, b.lock_version, now() as now
    from ledger_account_balances b join ledger_accounts a on a.id = b.account_id
    where b.account_id = any($1::uuid[])
    order by b.account_id
    for no key update of b
"""

LOCK_CATEGORIES = """
    select from ledger_category_balances
    where category_id in (select category_id from ledger_category_contents where account_id = any($1::uuid[]))
    order by category_id
    for no key update
"""

WRITE = """
    with whole as (
        insert into ledger_transactions
            (id, ledger_id, status, external_id, effective_at, posted_at, last_entry, content_digest)
        values ($1, $2, 'posted', $3, $4, now(), 2, '')
    ), lines as (
        select *
        from unnest($5::uuid[], $6::text[], $7::bigint[], $8::numeric[], $9::numeric[], $10::numeric[], $11::numeric[])
            with ordinality as line (account_id, direction, lock_version, posted_debits, posted_credits, pending_debits,
                                     pending_credits, n)
    ), entered as (
        insert into ledger_entries (transaction_id, n, posted_at_once, account_id, direction, amount, effective_at,
                                    lock_version, posted_debits, posted_credits, pending_debits, pending_credits)
        select $1, n, true, account_id, direction, $12, $4, lock_version, posted_debits, posted_credits,
               pending_debits, pending_credits
        from lines
    ), moved as (
        select account_id, case direction when 'debit' then $12::numeric else 0 end as debits,
               case direction when 'credit' then $12::numeric else 0 end as credits
        from lines
    ), days as (
        insert into ledger_account_days as d
        select account_id, ($4 at time zone 'UTC')::date, debits, credits, debits, credits from moved
        on conflict (account_id, day) do update
        set posted_debits = d.posted_debits + excluded.posted_debits,
            posted_credits = d.posted_credits + excluded.posted_credits,
            pending_debits = d.pending_debits + excluded.pending_debits,
            pending_credits = d.pending_credits + excluded.pending_credits
    ), categories as (
        update ledger_category_balances b
        set posted_debits = b.posted_debits + by.debits, posted_credits = b.posted_credits + by.credits,
            pending_debits = b.pending_debits + by.debits, pending_credits = b.pending_credits + by.credits
        from (select category_id, sum(debits) as debits, sum(credits) as credits
              from ledger_category_contents join moved using (account_id) group by category_id) as by
        where by.category_id = b.category_id
    ), head as (
        insert into ledger_chain_heads values ($2, 1, sha256(decode(repeat('00', 32), 'hex') || $13::bytea))
        on conflict (ledger_id) do update
        set position = ledger_chain_heads.position + 1, hash = sha256(ledger_chain_heads.hash || $13::bytea)
        returning *
    ), link as (
        insert into ledger_chain (ledger_id, position, transaction_ids, versions, digests, hash)
        select ledger_id, position, array[$1::uuid], array[0], $13, hash from head
    )
    update ledger_account_balances b
    set lock_version = lines.lock_version, posted_debits = lines.posted_debits, posted_credits = lines.posted_credits,
        pending_debits = lines.pending_debits, pending_credits = lines.pending_credits
    from lines where b.account_id = lines.account_id
"""


async def move(
    connection: Connection,
    ledger_id: UUID,
    transaction_id: UUID,
    external_id: str,
    sides: tuple[UUID, UUID],
    amount: int,
) -> bool:
    """Post an amount from the first account's debit to the second one's credit, in a transaction of the caller's.

    The second account has to have it: False, and nothing is written, when its available balance would be negative.
    """
    rows = {row["id"]: row for row in await connection.fetch(LOCK_ACCOUNTS, sides)}
    now: datetime = rows[sides[0]]["now"]
    if rows[sides[1]]["posted_debits"] - rows[sides[1]]["pending_credits"] < amount:
        return False
    await connection.fetch(LOCK_CATEGORIES, sides)
    entries = []
    for n, (account_id, direction) in enumerate(zip(sides, (Direction.DEBIT, Direction.CREDIT), strict=True), 1):
        row = rows[account_id]
        is_debit = direction is Direction.DEBIT
        sums = (
            row["posted_debits"] + amount * is_debit,
            row["posted_credits"] + amount * (not is_debit),
            row["pending_debits"] + amount * is_debit,
            row["pending_credits"] + amount * (not is_debit),
        )
        unit = (row["normal_balance"], row["currency"], row["currency_exponent"])
        account = LedgerAccount(
            *(account_id, ledger_id, None, *unit), discarded=False, sealed=sealed_text(account_id, *unit)
        )
        entries.append(
            WrittenEntry(
                *(transaction_id, n, account_id, direction, amount, now, "{}", row["lock_version"] + 1),
                *(*sums, now, now, account),
            )
        )
    state = Written(
        id=transaction_id,
        ledger_id=ledger_id,
        status=Status.POSTED,
        external_id=external_id,
        description=None,
        metadata="{}",
        effective_at=now,
        posted_at=now,
        archived_reason=None,
        ledgerable=None,
        reverses=None,
        reversed_by=None,
        partially_posts=None,
        version=0,
        created_at=now,
        updated_at=now,
        entries=tuple(entries),
    )
    await connection.execute(
        WRITE,
        transaction_id,
        ledger_id,
        external_id,
        now,
        [entry.account_id for entry in entries],
        [entry.direction for entry in entries],
        [entry.lock_version for entry in entries],
        *(list(column) for column in zip(*(entry.sums for entry in entries), strict=True)),
        amount,
        digest_of(state),
    )
    return True
