-- Take a free place for one more request of this company, if any process has left one.
select take_codat_place($1, $2, $3)
