-- Whose push operation this is.
select saga_id from steps where push_operation_key = $1
