-- Shows one page of messages, newest first, each filter left out when null; the id of the last is the next page's $4.
select id, source, webhook_id, type, loan_id, body, received_at
from inbox_messages
where ($1::text is null or source = $1)
    and ($2::text is null or loan_id = $2)
    and ($3::text is null or type = $3)
    and ($4::bigint is null or id < $4)
order by id desc
limit $5
