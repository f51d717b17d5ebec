-- An account or category exists in a ledger no more. What is in a category that is gone has to join the one that follows it.
with gone as (
    update treasury_objects set is_gone = true
    where ledger_id = $1 and kind = $2 and external_id = $3 and id = $4
    returning kind, external_id
)
update treasury_objects o set within = array_remove(o.within, gone.external_id)
from gone where o.ledger_id = $1 and gone.kind = 'category' and gone.external_id = any(o.within)
