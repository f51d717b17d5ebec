"""The books held against each other with SQL of the tests' own; every query names what is wrong, and finds nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

from worker.database import Connection

LIVE = """
    select e.account_id, e.direction, e.amount, e.effective_at, t.status
    from ledger_transactions t
    join ledger_entries e on e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
    where t.status <> 'archived'
"""

SUMS = """
    coalesce(sum(amount) filter (where direction = 'debit' and status = 'posted'), 0) as posted_debits,
    coalesce(sum(amount) filter (where direction = 'credit' and status = 'posted'), 0) as posted_credits,
    coalesce(sum(amount) filter (where direction = 'debit'), 0) as pending_debits,
    coalesce(sum(amount) filter (where direction = 'credit'), 0) as pending_credits
"""

WRITES = """
    select e.account_id, e.lock_version, e.direction,
           case when m.n is null and t.status = 'posted' then e.amount else 0 end as posted,
           case when m.n is null and t.status = 'archived' then 0 else e.amount end as pending,
           e.posted_debits, e.posted_credits, e.pending_debits, e.pending_credits
    from ledger_entries e
    join ledger_transactions t on t.id = e.transaction_id
    left join ledger_entry_transitions m using (transaction_id, n)
    union all
    select m.account_id, m.lock_version, e.direction,
           case m.to_status when 'posted' then e.amount else 0 end,
           case m.to_status when 'posted' then 0 else -e.amount end,
           m.posted_debits, m.posted_credits, m.pending_debits, m.pending_credits
    from ledger_entry_transitions m join ledger_entries e using (transaction_id, n)
"""
"""Every write to an account, what it adds to one side, and the sums it says that it led to."""

AUDITS = {
    "unbalanced": """
        with states as (
            select id, first_entry, last_entry from ledger_transactions
            union
            select transaction_id, first_entry, last_entry from ledger_transaction_versions
        )
        select s.id, a.currency
        from states s
        join ledger_entries e on e.transaction_id = s.id and e.n between s.first_entry and s.last_entry
        join ledger_accounts a on a.id = e.account_id
        group by s.id, s.first_entry, a.currency, a.currency_exponent
        having sum(case e.direction when 'debit' then e.amount else -e.amount end) <> 0
    """,
    "incomplete": """
        select t.id from ledger_transactions t
        where (select count(*) from ledger_entries e where e.transaction_id = t.id) <> t.last_entry
    """,
    "version gaps": f"""
        select b.account_id from ledger_account_balances b left join ({WRITES}) w using (account_id)
        group by b.account_id, b.lock_version
        having count(w.lock_version) <> b.lock_version or count(distinct w.lock_version) <> b.lock_version
            or coalesce(max(w.lock_version), 0) <> b.lock_version or min(w.lock_version) <> 1
    """,
    "running-balance breaks": f"""
        select account_id, lock_version from (
            select w.*,
                   sum(posted) filter (where direction = 'debit') over upto as all_posted_debits,
                   sum(posted) filter (where direction = 'credit') over upto as all_posted_credits,
                   sum(pending) filter (where direction = 'debit') over upto as all_pending_debits,
                   sum(pending) filter (where direction = 'credit') over upto as all_pending_credits
            from ({WRITES}) w
            window upto as (partition by account_id order by lock_version)
        ) as replayed
        where (posted_debits, posted_credits, pending_debits, pending_credits)
              <> (coalesce(all_posted_debits, 0), coalesce(all_posted_credits, 0), coalesce(all_pending_debits, 0),
                  coalesce(all_pending_credits, 0))
    """,
    "balances that are not their entries": f"""
        select b.account_id from ledger_account_balances b left join (
            select account_id, {SUMS} from ({LIVE}) as live group by account_id
        ) as s using (account_id)
        where (b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits)
              <> (coalesce(s.posted_debits, 0), coalesce(s.posted_credits, 0), coalesce(s.pending_debits, 0),
                  coalesce(s.pending_credits, 0))
    """,
    "days that are not their entries": f"""
        select coalesce(d.account_id, s.account_id), coalesce(d.day, s.day)
        from (select * from ledger_account_days
              where (posted_debits, posted_credits, pending_debits, pending_credits) <> (0, 0, 0, 0)) as d
        full join (
            select account_id, (effective_at at time zone 'UTC')::date as day, {SUMS}
            from ({LIVE}) as live group by 1, 2
        ) as s on s.account_id = d.account_id and s.day = d.day
        where (d.posted_debits, d.posted_credits, d.pending_debits, d.pending_credits) is distinct from
              (s.posted_debits, s.posted_credits, s.pending_debits, s.pending_credits)
          and (d.day is not null or (s.pending_debits, s.pending_credits) <> (0, 0))
    """,
    "categories that are not their members": """
        with recursive inside (category_id, account_id) as (
            select category_id, account_id from ledger_account_category_members
            union
            select n.parent_id, i.account_id
            from inside i join ledger_account_category_nestings n on n.child_id = i.category_id
        )
        select b.category_id
        from ledger_category_balances b
        left join inside i using (category_id)
        left join ledger_account_balances a using (account_id)
        group by b.category_id
        having (b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits)
               <> (coalesce(sum(a.posted_debits), 0), coalesce(sum(a.posted_credits), 0),
                   coalesce(sum(a.pending_debits), 0), coalesce(sum(a.pending_credits), 0))
    """,
    "duplicate external ids": """
        select ledger_id, external_id from ledger_transactions
        where status <> 'archived' and external_id is not null
        group by 1, 2 having count(*) > 1
    """,
    "reversed twice": """
        select reverses_ledger_transaction_id from ledger_transactions
        where status <> 'archived' and reverses_ledger_transaction_id is not null
        group by 1 having count(*) > 1
    """,
    "reversals that undo something else": """
        select r.id from ledger_transactions r
        cross join lateral (
            select array_agg((account_id, direction = 'debit', amount) order by n) as undone from ledger_entries
            where transaction_id = r.reverses_ledger_transaction_id
              and n >= (select first_entry from ledger_transactions o where o.id = r.reverses_ledger_transaction_id)
        ) as original
        cross join lateral (
            select array_agg((account_id, direction = 'credit', amount) order by n) as undoes
            from ledger_entries where transaction_id = r.id and n >= r.first_entry
        ) as reversal
        where r.reverses_ledger_transaction_id is not null and r.first_entry = 1 and original.undone <> reversal.undoes
    """,
    "settlements that are not their entries": """
        select s.id
        from ledger_account_settlements_shown s
        left join ledger_account_settlement_entries c on c.settlement_id = s.id
        left join ledger_entries e on e.transaction_id = c.transaction_id and e.n = c.n
        where s.status in ('pending', 'posted')
        group by s.id, s.amount
        having abs(coalesce(sum(case e.direction when 'debit' then e.amount else -e.amount end), 0)) <> s.amount
    """,
    "transactions sealed never or twice": """
        with sealed as (
            select s.id, s.version, c.ledger_id
            from ledger_chain c cross join lateral unnest(c.transaction_ids, c.versions) as s (id, version)
        ), states as (
            select id, version, ledger_id from ledger_transactions
            union all
            select v.transaction_id, v.version, t.ledger_id
            from ledger_transaction_versions v join ledger_transactions t on t.id = v.transaction_id
        )
        select coalesce(s.id, w.id), coalesce(s.version, w.version)
        from sealed s full join states w on (w.id, w.version, w.ledger_id) = (s.id, s.version, s.ledger_id)
        group by 1, 2 having count(s.id) <> 1 or count(w.id) <> 1
    """,
}


async def wrong(connection: Connection) -> dict[str, list[object]]:
    """What is wrong in all ledgers, by audit; empty when nothing is."""
    found: dict[str, list[object]] = {name: [*map(tuple, await connection.fetch(sql))] for name, sql in AUDITS.items()}
    found["broken chains"] = await _broken_chains(connection)
    return {name: rows for name, rows in found.items() if rows}


async def _broken_chains(connection: Connection) -> list[object]:
    broken: list[object] = []
    for head in await connection.fetch("select * from ledger_chain_heads"):
        links = await connection.fetch(
            "select position, digests, hash from ledger_chain where ledger_id = $1 order by position", head["ledger_id"]
        )
        hashes = [bytes(32), *(link["hash"] for link in links)]
        if [link["position"] for link in links] != list(range(1, head["position"] + 1)) or hashes[-1] != head["hash"]:
            broken.append(head["ledger_id"])
        for link, (before, after) in zip(links, pairwise(hashes), strict=True):
            if hashlib.sha256(before + link["digests"]).digest() != after:
                broken.append((head["ledger_id"], link["position"]))
    return broken


async def ever_below_zero(connection: Connection, accounts: Sequence[UUID], balance: str) -> list[object]:
    """Writes after which a balance (``posted_debits - pending_credits``, say) of one of the accounts was negative."""
    rows = await connection.fetch(
        f"select account_id, lock_version, {balance} from ({WRITES}) as w where account_id = any($1) and {balance} < 0",
        accounts,
    )
    return [tuple(row) for row in rows]
