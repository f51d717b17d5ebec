-- Writes what became of each event; one that is held again keeps the moment since when it waits.
insert into event_outcomes as o
    (message_id, subject_kind, subject_id, state, reason, field, needs, held_since, ledger_transaction_id)
select s.message_id, s.subject_kind, s.subject_id, s.state, s.reason, s.field,
    array(select jsonb_array_elements_text(s.needs)), case when s.state = 'held' then now() end, s.ledger_transaction_id
from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::uuid[])
    as s (message_id, subject_kind, subject_id, state, reason, field, needs, ledger_transaction_id)
on conflict (message_id) do update set
    state = excluded.state, reason = excluded.reason, field = excluded.field, needs = excluded.needs,
    held_since = coalesce(o.held_since, excluded.held_since),
    ledger_transaction_id = excluded.ledger_transaction_id, decided_at = excluded.decided_at
