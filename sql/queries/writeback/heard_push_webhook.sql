-- Whether a webhook overtook the answer that names its push operation.
select exists (select from push_webhooks where push_operation_key = $1)
