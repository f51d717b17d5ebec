-- Locks the investors' totals in key order, opening those that do not exist; returns them as they are under the lock.
insert into investors as i (investor_id, currency)
select asked.investor_id, asked.currency
from unnest($1::text[], $2::text[]) as asked (investor_id, currency)
order by asked.investor_id, asked.currency
on conflict (investor_id, currency) do update set contributed = i.contributed
returning i.investor_id, i.currency, i.contributed, i.principal_distributed, i.interest_earned, i.interest_distributed
