-- Ends the wait of held events that need any of the news, and returns them to be queued again.
with met as (
    select distinct o.message_id
    from unnest($1::text[], $2::text[], $3::text[]) as news (subject_kind, subject_id, need)
    join event_outcomes o on o.subject_kind = news.subject_kind and o.subject_id = news.subject_id
    where o.state = 'held' and news.need = any(o.needs)
), freed as (
    update event_outcomes o set state = 'released' from met
    where o.message_id = met.message_id and o.state = 'held'
    returning o.message_id, o.subject_kind, o.subject_id
)
select message_id, subject_kind, subject_id from freed order by message_id
