-- Reads the message that its sender knows under this id.
select id, source, webhook_id, type, loan_id, body, received_at from inbox_messages where source = $1 and webhook_id = $2
