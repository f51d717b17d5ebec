-- Discards a ledger that holds nothing any more, unless it is the worker's own.
update ledgers
set discarded_at = now(), updated_at = now()
where id = $1 and external_id is null
  and not exists (select from ledger_accounts a where a.ledger_id = $1 and a.discarded_at is null)
  and not exists (select from ledger_account_categories c where c.ledger_id = $1 and c.discarded_at is null)
returning id, name, description, metadata, discarded_at, created_at, updated_at
