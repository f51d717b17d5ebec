-- Holds a ledger that was not discarded as it is, so that nothing is created in one that is being discarded.
select true from ledgers where id = $1 and discarded_at is null for share
