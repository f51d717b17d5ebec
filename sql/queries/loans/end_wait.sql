-- A person gives a held event up: nobody releases it any more.
update event_outcomes set state = 'released' where message_id = $1 and state = 'held' returning subject_kind, subject_id
