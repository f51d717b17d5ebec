-- Remember what Codat said; an answer that was asked for earlier never overwrites a later one.
insert into connections (connection_id, company_id, platform, platform_name, status, lock_date, checked_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (connection_id) do update
set company_id = excluded.company_id, platform = excluded.platform, platform_name = excluded.platform_name,
    status = excluded.status, lock_date = excluded.lock_date, checked_at = excluded.checked_at
where connections.checked_at is null or connections.checked_at <= excluded.checked_at
