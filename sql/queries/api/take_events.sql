-- Takes the oldest events that nobody is charged with delivering yet; two dispatchers never take the same one.
with taken as (
    select sequence from ledger_events where not dispatched order by sequence limit $1 for update skip locked
), charged as (
    update ledger_events e set dispatched = true from taken where e.sequence = taken.sequence
    returning e.sequence, e.entity_id
)
select sequence, entity_id from charged order by sequence
