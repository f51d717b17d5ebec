-- A person lets a refused step, or one that cannot be found, be tried again; the saga looks once more before it sends.
update steps
set resend_allowed = true, sync_requested_at = null, sync_baseline = null, syncs_seen = 0,
    revision = revision + 1, changed_at = now()
where id = $1
  and state in ('failed', 'unknown')
