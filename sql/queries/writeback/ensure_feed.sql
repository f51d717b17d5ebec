-- Open a lender account's statement with the balance it starts from; one that is already kept stays as it is.
insert into bank_feeds (connection_id, account_id, balance)
values ($1, $2, $3)
on conflict (connection_id, account_id) do nothing
