-- A person has decided that a step which cannot be found may be sent again once it is looked for once more.
update steps
set resend_allowed = true, revision = revision + 1, changed_at = now()
where id = $1
  and state = 'unknown'
