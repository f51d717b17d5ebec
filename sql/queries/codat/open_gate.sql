-- Codat says its quota is whole again, so a closing because of the quota ends now.
update codat_gate set closed_until = '-infinity', quota_remaining = coalesce($1, quota_remaining)
