-- Events that wait, in order of arrival: all of them, or those about one loan or investor.
select o.message_id, m.webhook_id as event_id, m.type, o.subject_kind, o.subject_id, o.reason, o.needs, o.held_since
from event_outcomes o join inbox_messages m on m.id = o.message_id
where o.state = 'held' and o.message_id > $3
    and ($1::text is null or (o.subject_kind = $1 and o.subject_id = $2::text))
order by o.message_id limit $4
