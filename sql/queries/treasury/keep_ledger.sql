-- Choose a ledger for a name; the first choice stays.
insert into treasury_ledgers (base_url, organization_id, name, id) values ($1, $2, $3, $4) on conflict do nothing
