-- What a repayment's saga really wrote, for its reversal; no row at all when there is no such saga.
select s.id as saga_id, s.state as saga_state, s.mapping_version as saga_mapping_version,
       t.id, t.kind, t.purpose, t.amount, t.mapping_version, t.state
from sagas s
left join steps t on t.saga_id = s.id
where s.loan_id = $1
  and s.connection_id = $2
  and s.movement ->> 'type' = 'repayment'
  and s.movement ->> 'repayment_id' = $3
order by t.n
