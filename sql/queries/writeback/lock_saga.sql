-- Until this transaction ends nobody else decides about the saga: a person's word and the next request take turns.
select state from sagas where id = $1 for update
