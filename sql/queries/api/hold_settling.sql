-- Keeps everybody else from settling an account until the transaction ends.
insert into ledger_settlement_marks as m (account_id, lock_version)
values ($1, 0)
on conflict (account_id) do update set lock_version = m.lock_version
