-- Ledger account categories with their sums, newest first, one more than a page shows; filters may be left out.
with recursive around(id) as (
    -- The categories that contain the account asked for, directly or through their children.
    select category_id from ledger_account_category_members where account_id = $7
    union
    select n.parent_id from around join ledger_account_category_nestings n on n.child_id = around.id
)
select c.id, c.ledger_id, c.external_id, c.name, c.description, c.normal_balance, c.currency, c.currency_exponent,
       c.metadata, c.discarded_at, c.created_at, c.updated_at,
       s.posted_debits, s.posted_credits, s.pending_debits, s.pending_credits
from (
    select *
    from ledger_account_categories c
    where c.discarded_at is null
      and ($1::uuid[] is null or c.id = any($1::uuid[]))
      and ($2::text[] is null
           or exists (select from unnest($2::text[]) as part(of_name)
                      where position(lower(of_name) in lower(c.name)) > 0))
      and ($3::uuid is null or c.ledger_id = $3)
      and ($4::text is null or c.currency = $4)
      and ($5::text is null or c.external_id = $5)
      and ($6::uuid is null
           or c.id = any(array(select n.child_id from ledger_account_category_nestings n where n.parent_id = $6)))
      and ($7::uuid is null or c.id = any(array(select id from around)))
      and ($8::jsonb is null or c.metadata @> $8::jsonb)
      and ($11::uuid is null
           or (c.created_at, c.id) < (select p.created_at, p.id from ledger_account_categories p where p.id = $11))
    order by c.created_at desc, c.id desc
    limit $12
) as c
cross join lateral ledger_category_sums(c.id, $9, $10) as s
order by c.created_at desc, c.id desc
