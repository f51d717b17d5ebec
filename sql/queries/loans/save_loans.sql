-- Writes new loans and the new totals of known ones; a loan's terms never change.
insert into loans select l.* from jsonb_populate_recordset(null::loans, $1::jsonb) as l
on conflict (loan_id) do update set
    disbursed = excluded.disbursed, interest_recognised = excluded.interest_recognised,
    interest_rebated = excluded.interest_rebated,
    fees_charged = excluded.fees_charged, fees_waived = excluded.fees_waived,
    principal_repaid = excluded.principal_repaid, interest_repaid = excluded.interest_repaid,
    fees_repaid = excluded.fees_repaid, overpaid = excluded.overpaid,
    principal_reversed = excluded.principal_reversed, interest_reversed = excluded.interest_reversed,
    fees_reversed = excluded.fees_reversed, overpaid_reversed = excluded.overpaid_reversed,
    refunded = excluded.refunded, principal_written_off = excluded.principal_written_off,
    interest_written_off = excluded.interest_written_off, fees_written_off = excluded.fees_written_off,
    recovered = excluded.recovered, pending_repayments = excluded.pending_repayments, closed_on = excluded.closed_on
