"""Every hot statement reaches ``jobs`` through its own index, whatever the statistics say.

The statements live inside plpgsql functions. Each is taken from the installed function's source and planned as the
function would plan it for good: as a generic plan, under the function's own settings.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from tests.conftest import copied_database
from worker.database import Connection, Database
from worker.jobs import store
from worker.jobs.job import NewJob
from worker.jobs.store import Pump

WORKER = 1_001
LONG_LANE = 20_000

FUNCTION = """
select prosrc as source, coalesce(proconfig, '{}') as settings, proargnames[1:pronargs] as names,
    array(select format_type(t, null) from unnest(proargtypes) with ordinality as a (t, n) order by n) as types
from pg_proc where proname = $1
"""

STATEMENTS = [
    ("claim_jobs", "return query", {"jobs_ready", "jobs_pkey"}),
    ("finish_done_jobs", "delete from jobs", {"jobs_pkey"}),
    ("promote_jobs", "update jobs", {"jobs_blocked", "jobs_pkey"}),
    ("enqueue_jobs", "insert into jobs", {"jobs_head"}),
    ("wake_jobs", "update jobs", {"jobs_begun"}),
    ("ready_due_jobs", "update jobs", {"jobs_waiting", "jobs_pkey"}),
]
"""Function, what tells its statement apart, and the indexes of ``jobs`` that statement may use."""


@pytest.fixture
async def database_url(server_url: str, template: str, database_numbers: Iterator[int]) -> AsyncIterator[str]:
    """URL of a database nobody gathered statistics in."""
    async with copied_database(server_url, template, next(database_numbers)) as url:
        yield url


async def generic_plan(connection: Connection, function: str, fragment: str) -> str:
    row = await connection.fetchrow(FUNCTION, function)
    assert row is not None
    source = re.sub(r"--.*", "", row["source"])
    [statement] = [part for part in source.split(";") if fragment in part]
    statement = re.sub(r"\binto v_\w+(, v_\w+)*", "", statement.split("begin")[-1]).replace("return query", "")
    for number, name in enumerate(row["names"], start=1):
        statement = re.sub(rf"\b{name}\b", f"${number}", statement)
    await connection.execute("set plan_cache_mode = force_generic_plan")
    for setting in row["settings"]:
        name, value = setting.split("=")
        await connection.execute("select set_config($1, $2, false)", name, value)
    await connection.execute(f"prepare hot ({', '.join(row['types'])}) as {statement}")
    nulls = ", ".join(["null"] * len(row["types"]))
    return "\n".join(line[0] for line in await connection.fetch(f"explain execute hot({nulls})"))


async def fill(connection: Connection) -> None:
    """One lane that goes on for ever, many short ones, and some of everything else."""
    await connection.execute(
        "insert into jobs (kind, lane, subject, state) select 'work', 1, g, case g when 1 then 0 else 2 end"
        " from generate_series(1, $1::int) g",
        LONG_LANE,
    )
    await connection.execute(
        "insert into jobs (kind, lane, subject, state, worker, run_at)"
        " select 'work', g, g, case g % 5 when 0 then 3 else 0 end, case g % 5 when 0 then 7 end,"
        " clock_timestamp() + case g % 5 when 0 then interval '1 hour' else interval '0' end"
        " from generate_series(2, 5000) g"
    )
    await connection.execute("vacuum analyze jobs")


@pytest.mark.parametrize("table", ["large", "never analysed"])
@pytest.mark.parametrize(("function", "fragment", "indexes"), STATEMENTS)
async def test_a_hot_statement_uses_its_own_index_and_neither_scans_nor_sorts(
    database: Database, table: str, function: str, fragment: str, indexes: set[str]
) -> None:
    async with database.connection() as connection:
        if table == "large":
            await fill(connection)
        plan = await generic_plan(connection, function, fragment)
        await connection.reset()
    assert set(re.findall(r"jobs_(?:pkey|ready|head|blocked|begun|waiting)\b", plan)) == indexes, plan
    assert "Seq Scan on jobs" not in plan, plan
    assert "Bitmap" not in plan or function == "wake_jobs", plan
    assert "Sort" not in plan or function == "enqueue_jobs", plan  # which numbers the new rows of each lane


async def test_a_pump_on_a_large_table_never_scans_it(database: Database) -> None:
    async with database.connection() as connection:
        await fill(connection)
        await store.register_worker(connection, WORKER, "test")
        session = await store.begin_session(connection, WORKER, [])
        assert session is not None
        before = await scans(connection)
        for _ in range(20):  # more often than it takes to settle on a generic plan
            [job] = await store.pump(connection, Pump(WORKER, session, wants={"work": 1}, look_for_due=True))
            await store.wake_jobs(connection, "work", [job.subject])
            await store.enqueue_jobs(connection, [NewJob("work", job.lane, 0)])
            await store.pump(connection, Pump(WORKER, session, done=[job.id]))
        await store.rescue_expired(connection, timedelta(0))
        assert await scans(connection) == before


async def scans(connection: Connection) -> int:
    """How often the table was read from end to end so far."""
    await connection.execute("select pg_stat_force_next_flush()")
    return int(await connection.fetchval("select seq_scan from pg_stat_user_tables where relname = 'jobs'"))
