"""A stand-in for pgledger: functions with its names that only keep what they are told. One file needs the other."""

from __future__ import annotations

from pathlib import Path

IDS = "create function stand_in_id(number bigint) returns text language sql as $$ select 'stand-in-' || number $$;"

LEDGER = """
create table stand_in_accounts (number bigint generated always as identity, name text);
create table stand_in_moves (
    number bigint generated always as identity primary key,
    payer text, payee text, amount numeric, metadata jsonb, session integer default pg_backend_pid()
);
create type transfer_request as (payer text, payee text, amount numeric);

create function pgledger_create_account(name text, currency text, boolean default true, boolean default true)
returns table (id text) language sql
begin atomic
    insert into stand_in_accounts (name) values ($1) returning stand_in_id(number);
end;

create function pgledger_create_transfers(transfer_request[], timestamptz default null, jsonb default null)
returns setof stand_in_moves language sql
begin atomic
    insert into stand_in_moves (payer, payee, amount, metadata) select payer, payee, amount, $3 from unnest($1)
    returning *;
end;
"""


def write_stand_in(directory: Path) -> list[Path]:
    """The files, in their order."""
    paths = [directory / "ids.sql", directory / "ledger.sql"]
    for path, text in zip(paths, (IDS, LEDGER), strict=True):
        path.write_text(text)
    return paths
