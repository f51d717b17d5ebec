-- An audit reads whole tables and a person pages through what it prints: this transaction may take as long as it takes.
select set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)
