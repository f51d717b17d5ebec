-- Reads the messages that a batch of jobs is about.
select id, source, webhook_id, type, loan_id, body, received_at from inbox_messages where id = any ($1::bigint[])
