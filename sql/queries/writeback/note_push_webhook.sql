-- Keep what a webhook said of a push operation, for when the step learns its key; the last word is kept. On the way a few
-- are forgotten that are too old to be ahead of any answer: more than come in, so that they never pile up.
with forgotten as (
    delete from push_webhooks where push_operation_key in (
        select old.push_operation_key from push_webhooks old
        where old.heard_at < $3::timestamptz - $4::interval and old.push_operation_key <> $1
        order by old.heard_at limit 10 for update skip locked
    )
)
insert into push_webhooks (push_operation_key, status, heard_at)
values ($1, $2, $3)
on conflict (push_operation_key) do update
set status = excluded.status, heard_at = excluded.heard_at
