-- Creates a ledger.
insert into ledgers (name, description, metadata) values ($1, $2, $3::jsonb)
returning id, name, description, metadata, discarded_at, created_at, updated_at
