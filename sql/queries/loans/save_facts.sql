-- Writes facts as they stand after a batch.
insert into loan_facts (loan_id, kind, fact_id, state, principal, interest, fees, overpayment, unapplied_cash, processing_cost)
select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[],
    $9::numeric[], $10::numeric[]
)
on conflict (loan_id, kind, fact_id) do update set
    state = excluded.state, principal = excluded.principal, interest = excluded.interest, fees = excluded.fees,
    overpayment = excluded.overpayment, unapplied_cash = excluded.unapplied_cash,
    processing_cost = excluded.processing_cost
