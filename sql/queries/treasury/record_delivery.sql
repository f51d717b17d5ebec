-- A posting has taken effect at Modern Treasury; whoever records it second changes nothing.
update treasury_postings set delivered_at = now(), ledger_id = $2, transaction_id = $3
where id = $1 and delivered_at is null
