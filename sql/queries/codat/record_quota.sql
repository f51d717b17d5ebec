-- Keep what Codat last said about the daily quota, for whoever plans or watches.
update codat_gate set quota_limit = $1, quota_remaining = $2, quota_resets_at = $3
