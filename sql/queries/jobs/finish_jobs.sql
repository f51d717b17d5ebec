-- Settle jobs this worker still holds: they are finished if, and only if, the surrounding transaction commits.
update jobs j set settled = true
from (
    select held.id from jobs held
    where held.id = any ($2::bigint[]) and held.worker is not distinct from $1::bigint
        and held.state = 1 and not held.settled
    order by held.id for no key update
) as mine
where j.id = mine.id
returning j.id
