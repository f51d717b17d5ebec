-- This session's process, null unless the server runs on this machine, and the server's version.
select case when inet_server_addr() is null or inet_server_addr() << '127.0.0.0/8' or inet_server_addr() = '::1'
            then pg_backend_pid() end as pid,
       current_setting('server_version') as version
