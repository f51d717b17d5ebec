-- Results of resources that were tried, the last ones of the newest request first, one more than a page
-- shows; every filter may be left out.
select r.id, r.request_id, r.status, r.params, r.entity_type, r.entity_id, r.entity, r.created_at, r.updated_at
from bulk_results r
join bulk_requests q on q.id = r.request_id
where r.status <> 'pending'
  and ($1::text is null or r.status = $1)
  and ($2::uuid is null or r.request_id = $2)
  and ($3::text is null or r.entity_type = $3)
  and ($4::uuid is null or r.entity_id = $4)
  and ($5::uuid is null
       or (q.sequence, r.place) < (select cq.sequence, c.place from bulk_results c
                                   join bulk_requests cq on cq.id = c.request_id where c.id = $5))
order by q.sequence desc, r.place desc
limit $6
