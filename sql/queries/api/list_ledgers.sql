-- Ledgers, newest first, one more than a page shows; every filter may be left out.
select id, name, description, metadata, discarded_at, created_at, updated_at
from ledgers
where discarded_at is null
  and ($1::uuid[] is null or id = any($1::uuid[]))
  and ($2::jsonb is null or metadata @> $2::jsonb)
  and ($3::timestamptz is null or updated_at >= $3)
  and ($4::timestamptz is null or updated_at < $4)
  and ($5::uuid is null or (created_at, id) < (select c.created_at, c.id from ledgers c where c.id = $5))
order by created_at desc, id desc
limit $6
