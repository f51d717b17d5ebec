-- Remember since when a saga gets nowhere, so that a wait that lasts is shown whatever process comes to see it.
update sagas
set stalled_since = $2
where id = $1
  and state in ('queued', 'running', 'waiting')
  and stalled_since is null
