-- Categories that contain other accounts than their members and nestings say, or whose sums are not their accounts'.
with recursive reached(category_id, account_id) as (
    select m.category_id, m.account_id
    from ledger_account_category_members m
    join ledger_account_categories c on c.id = m.category_id
    where c.ledger_id = $1
    union
    select n.parent_id, r.account_id
    from reached r join ledger_account_category_nestings n on n.child_id = r.category_id
), sums as (
    select r.category_id, sum(b.posted_debits) as posted_debits, sum(b.posted_credits) as posted_credits,
           sum(b.pending_debits) as pending_debits, sum(b.pending_credits) as pending_credits
    from reached r
    join ledger_account_balances b on b.account_id = r.account_id
    group by r.category_id
)
select c.id, format('ledger_category_balances (category_id) = (%s)', c.id) as row,
       format('balance %s, accounts %s',
              row(b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits),
              row(sums.posted_debits, sums.posted_credits, sums.pending_debits, sums.pending_credits)) as detail
from ledger_account_categories c
left join ledger_category_balances b on b.category_id = c.id
left join sums on sums.category_id = c.id
where c.ledger_id = $1
  and row(b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits)
      is distinct from
      row(coalesce(sums.posted_debits, 0), coalesce(sums.posted_credits, 0), coalesce(sums.pending_debits, 0),
          coalesce(sums.pending_credits, 0))
union all
select coalesce(reached.category_id, kept.category_id),
       format('ledger_category_contents (account_id, category_id) = (%s, %s)',
              coalesce(reached.account_id, kept.account_id), coalesce(reached.category_id, kept.category_id)),
       case when kept.account_id is null then 'the account is in the category and is not counted'
            else 'the account is not in the category and is counted' end
from reached
full join (
    select k.category_id, k.account_id
    from ledger_category_contents k
    join ledger_account_categories c on c.id = k.category_id
    where c.ledger_id = $1
) as kept on kept.category_id = reached.category_id and kept.account_id = reached.account_id
where kept.account_id is null or reached.account_id is null
order by 1, 2
