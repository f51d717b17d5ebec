-- Discards an account that has no entries, and whose sums are therefore zero; another may have its external id.
update ledger_accounts a set discarded_at = now(), updated_at = now(), external_id = null
from ledger_accounts former
where a.id = $1 and former.id = a.id
returning a.id, a.ledger_id, former.external_id, a.name, a.description, a.normal_balance, a.currency,
          a.currency_exponent, a.metadata, a.ledgerable_type, a.ledgerable_id, a.discarded_at, a.created_at,
          a.updated_at, 0::bigint as lock_version, 0::numeric as posted_debits, 0::numeric as posted_credits,
          0::numeric as pending_debits, 0::numeric as pending_credits
