-- Keep what a webhook said of a push operation, for when the step learns its key; the last word is kept.
insert into push_webhooks (push_operation_key, status, heard_at)
values ($1, $2, $3)
on conflict (push_operation_key) do update
set status = excluded.status, heard_at = excluded.heard_at
