-- An account or category exists in a ledger, and is in these categories besides those known before.
insert into treasury_objects (ledger_id, kind, external_id, id, within) values ($1, $2, $3, $4, $5)
on conflict (ledger_id, kind, external_id) do update
set id = excluded.id, is_gone = false,
    within = case when treasury_objects.id <> excluded.id then excluded.within else
        array(select distinct category from unnest(treasury_objects.within || excluded.within) as category order by 1) end
