-- Has whoever corrects or replays this event at the same moment wait for one another, before any of them looks at it.
select id from dead_letters where kind = $1 and subject = $2 order by id for no key update
