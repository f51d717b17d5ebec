-- One line of a step's history.
insert into step_attempts (step_id, at, key_generation, action, outcome, detail)
values ($1, $2, $3, $4, $5, $6)
