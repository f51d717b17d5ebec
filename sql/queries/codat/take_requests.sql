-- Take a block of this minute's requests, so that most requests need no round trip of their own.
select granted, retry_after from take_codat_requests($1, $2, $3, $4, $5, $6, $7)
