-- Merges metadata into an entry's own; null removes a key.
update ledger_entries
set metadata = jsonb_strip_nulls(metadata || $3::jsonb), edited_at = now()
where transaction_id = $1 and n = $2
returning true
