-- How many requests the replicas have taken together within the span that counts against the limit.
select coalesce(sum(taken), 0)::int from codat_request_slices where starts_at > clock_timestamp() - $1::interval
