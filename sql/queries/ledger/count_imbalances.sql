-- Currencies whose debits and credits differ over all accounts, posted or pending; anything but zero is a fault.
select count(*)
from (
    select a.ledger_id, a.currency, a.currency_exponent
    from ledger_account_balances b
    join ledger_accounts a on a.id = b.account_id
    group by a.ledger_id, a.currency, a.currency_exponent
    having sum(b.posted_debits) <> sum(b.posted_credits) or sum(b.pending_debits) <> sum(b.pending_credits)
) unbalanced
