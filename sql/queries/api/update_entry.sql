-- Merges metadata into an entry, and removes the keys named last; nothing else about an entry ever changes.
update ledger_entries
set metadata = (metadata || $3::jsonb) - $4::text[], edited_at = now()
where transaction_id = $1 and n = $2
returning true
