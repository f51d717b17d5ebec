-- What a batch of events writes, in the order given; an event that was written out before adds nothing.
insert into treasury_postings (message_id, place, event_id, loan_id, kind, target, body, accounts)
select n.message_id, n.place, n.event_id, n.loan_id, n.kind, n.target, n.body, n.accounts
from unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::jsonb[])
    with ordinality as n (message_id, place, event_id, loan_id, kind, target, body, accounts, number)
order by n.number
on conflict (message_id, place) do nothing
returning id, message_id, place
