"""Every trigger fires for everybody, and the audit names one that does not."""

from __future__ import annotations

import pytest

from worker.database import Database, sql_directory
from worker.ledger.guards import Guard, guards_of
from worker.migrations import load_migrations
from worker.operations.auditor import Auditor

TRIGGERS = """
    select c.relname, t.tgname, t.tgenabled::text from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where not t.tgisinternal order by 1, 2
"""


async def triggers(database: Database) -> list[tuple[str, str, str]]:
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(TRIGGERS)]


async def test_every_trigger_fires_in_a_session_that_plays_a_replica_too(database: Database) -> None:
    found = await triggers(database)
    assert len(found) > 50
    assert [one for one in found if one[2] != "A"] == []


async def test_the_guards_that_the_audit_looks_for_are_all_there_are_on_the_ledgers_tables(database: Database) -> None:
    guards = guards_of(migration.script for migration in load_migrations(sql_directory() / "migrations"))
    there = [Guard(relation, name) for relation, name, _ in await triggers(database)]
    assert guards == [guard for guard in there if guard.relation.startswith("ledger")]


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("drop trigger {name} on {relation}", "the trigger is missing"),
        ("alter table {relation} disable trigger {name}", "the trigger is switched off"),
        (
            "alter table {relation} enable trigger {name}",
            "the trigger does not fire in a session that plays a replica",
        ),
        (
            "alter table {relation} enable replica trigger {name}",
            "the trigger fires in no session but one that plays a replica",
        ),
    ],
)
async def test_a_guard_that_is_off_is_named(database: Database, statement: str, detail: str) -> None:
    assert (await Auditor(database).verify())["findings"] == []
    async with database.connection() as connection:
        await connection.execute(statement.format(relation="ledger_account_statements", name="refuse_change"))
    row = "pg_trigger (tgrelid, tgname) = (ledger_account_statements, refuse_change)"
    finding = {"ledger": None, "audit": "guards", "row": row, "detail": detail}
    assert (await Auditor(database).verify())["findings"] == [finding]
