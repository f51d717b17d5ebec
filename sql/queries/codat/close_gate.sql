-- Nobody asks Codat before this time; an earlier closing that lasts longer stays.
update codat_gate set closed_until = greatest(closed_until, $1)
