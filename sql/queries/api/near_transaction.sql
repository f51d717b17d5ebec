-- The transaction so many places down from one of them, or from the newest; null when there are not so many.
select id from ledger_transactions where $1::uuid is null or id <= $1 order by id desc offset $2 limit 1
