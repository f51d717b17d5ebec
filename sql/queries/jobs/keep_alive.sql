-- Ask for any answer at all: a connection that died in silence gives none.
select 1
