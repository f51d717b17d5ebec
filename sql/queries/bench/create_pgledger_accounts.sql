-- Has pgledger create an account for each number; their ids, which it chooses, in the order of the numbers.
select account.id
from unnest($1::bigint[]) as wanted (number),
     lateral pgledger_create_account('account-' || number, $2) as account
order by number
