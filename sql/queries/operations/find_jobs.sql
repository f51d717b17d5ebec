-- One page of unfinished jobs, newest first, each filter left out when null.
select j.id
from jobs j
where ($1::text is null or j.kind = $1)
    and case $2::text
        when 'ready' then j.state = 0
        when 'running' then j.state = 1
        when 'blocked' then j.state = 2
        when 'delayed' then j.state = 3 and j.run_at < 'infinity'
        when 'parked' then j.state = 3 and j.run_at = 'infinity'
        else true
    end
    and ($3::bigint is null or j.id < $3)
order by j.id desc limit $4
