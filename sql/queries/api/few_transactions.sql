-- The transactions of the entries on an account or in a category; as many as asked for mean that there may be more.
select e.transaction_id
from ledger_entries e
where e.account_id = any(case when $1::uuid is null then array(select ledger_category_accounts($2)) else array[$1] end)
limit $3
