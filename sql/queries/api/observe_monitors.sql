-- Has the monitors of an account look at its balances, which must be locked.
select ledger_observe_monitors(array[$1::uuid])
