-- Has pgledger move three amounts, each from one account to another, in one call: a disbursement.
select *
from pgledger_create_transfers(
    array[($1::text, $2::text, $3::numeric), ($4::text, $5::text, $6::numeric), ($7::text, $8::text, $9::numeric)]
        ::transfer_request[],
    null::timestamptz,
    $10::jsonb
)
