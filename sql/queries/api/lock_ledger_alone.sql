-- Holds a ledger that was not discarded alone, to look whether it is empty after whoever was filling it has finished.
select true from ledgers where id = $1 and discarded_at is null for update
