-- The newest transactions of the entries within bounds, that many at most and older than one of them.
select ledger_newest_within($1, $2, $3, $4, $5, $6, $7, $8)
