-- Accounts and categories of a ledger, as far as they are known to exist there, or to have existed.
select o.kind, o.external_id, o.id, o.within, o.is_gone
from unnest($2::text[], $3::text[]) as asked (kind, external_id)
join treasury_objects o on o.ledger_id = $1 and o.kind = asked.kind and o.external_id = asked.external_id
