-- A stretch of entries in the order asked for: the moment of the cursor, and the moment so many places on, null beyond
-- the end. Places are those of an account's versions or of transactions, which is near enough: what is wanted is a
-- stretch that holds about as many.
with cursor as (
    select c.created_at, c.effective_at, c.lock_version from ledger_entries c where c.transaction_id = $3 and c.n = $4
), start as materialized (
    select case when $1::text like 'created_at %' then (select created_at from cursor)
                else (select effective_at from cursor) end as moment
)
select moment as since,
       case
           when $1::text = 'created_at desc' and $2::uuid is not null then
               (select e.created_at from ledger_entries e
                where e.account_id = $2
                  and e.lock_version <= coalesce((select lock_version from cursor), 9223372036854775807)
                order by e.lock_version desc offset $5 limit 1)
           when $1::text = 'created_at asc' and $2::uuid is not null then
               (select e.created_at from ledger_entries e
                where e.account_id = $2 and e.lock_version >= coalesce((select lock_version from cursor), 0)
                order by e.lock_version offset $5 limit 1)
           when $1::text = 'created_at desc' then
               (select t.created_at from ledger_transactions t where t.created_at <= coalesce(moment, 'infinity')
                order by t.created_at desc offset $5 limit 1)
           when $1::text = 'created_at asc' then
               (select t.created_at from ledger_transactions t where t.created_at >= coalesce(moment, '-infinity')
                order by t.created_at offset $5 limit 1)
           when $1::text = 'effective_at desc' then
               (select t.effective_at from ledger_transactions t where t.effective_at <= coalesce(moment, 'infinity')
                order by t.effective_at desc offset $5 limit 1)
           when $1::text = 'effective_at asc' then
               (select t.effective_at from ledger_transactions t where t.effective_at >= coalesce(moment, '-infinity')
                order by t.effective_at offset $5 limit 1)
       end as until
from start
