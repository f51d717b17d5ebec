-- Nothing, to see how long the way to the server and back is.
select 1
