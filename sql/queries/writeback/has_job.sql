-- Whether a saga's job is still in one of these lanes: then there is something to wake.
select exists (select from jobs where lane = any ($1::bigint[]) and state <> 2 and kind = 'advance_saga' and subject = $2)
    or exists (select from jobs where lane = any ($1::bigint[]) and state = 2 and kind = 'advance_saga' and subject = $2)
