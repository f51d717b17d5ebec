-- The accounts of an id or, in any ledger, of an external id, with their sums; an id goes before external ids.
select a.id, a.ledger_id, a.external_id, a.name, a.description, a.normal_balance, a.currency, a.currency_exponent,
       a.metadata, a.ledgerable_type, a.ledgerable_id, a.discarded_at, a.created_at, a.updated_at, b.lock_version,
       s.posted_debits, s.posted_credits, s.pending_debits, s.pending_credits
from (
    select id, 0 as place from ledger_accounts where id = $1
    union
    select a.id, 1 from ledgers l join ledger_accounts a on a.ledger_id = l.id and a.external_id = $2
) as named
join ledger_accounts a on a.id = named.id and a.discarded_at is null
join ledger_account_balances b on b.account_id = a.id
cross join lateral ledger_account_sums(a.id, $3, $4) as s
order by named.place
limit 2
