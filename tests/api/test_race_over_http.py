"""128 callers, two processes and writers with SQL of their own, all on the same accounts: every audit finds nothing."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import aiohttp
import asyncpg

from tests.api.crowd import Caller, Chart, Doors, Fact, Tally, open_chart
from tests.effort import EFFORT, patient
from tests.ledger.direct_writer import move
from tests.ledger.own_audit import ever_below_zero, wrong
from worker.database import Database
from worker.demo.processes import free_port, running
from worker.ids import ENTROPY_BYTES, uuid7

CALLERS = 128
STORIES = 10 * EFFORT
"""Stories each caller goes through: the gate's few take some fifteen seconds."""

WRITERS = 4
KEY = ("the-lender", "a-key-of-the-race")

FORBIDDEN = (
    ("update ledger_account_balances set posted_debits = 0 where account_id = $1", "LW004"),
    ("update ledger_account_balances set lock_version = lock_version - 1 where account_id = $1", "LW004"),
    ("delete from ledger_account_balances where account_id = $1", "LW002"),
    ("update ledger_entries set amount = amount + 1 where account_id = $1", "LW002"),
    ("delete from ledger_entries where account_id = $1", "LW002"),
    ("update ledger_accounts set normal_balance = 'credit' where id = $1", "LW002"),
    (
        "insert into ledger_transactions (id, ledger_id, status, effective_at, posted_at, last_entry, content_digest) "
        "select gen_random_uuid(), ledger_id, 'posted', now(), now(), 2, '' from ledger_accounts where id = $1",
        "LW001",
    ),
    (
        "insert into ledger_entries (transaction_id, n, posted_at_once, account_id, direction, amount, effective_at, "
        "lock_version, posted_debits, posted_credits, pending_debits, pending_credits) "
        "select transaction_id, last_entry + 1, true, account_id, 'debit', 0, now(), 1000000000, 0, 0, 0, 0 "
        "from ledger_entries join ledger_transactions on id = transaction_id where account_id = $1 limit 1",
        "LW001",
    ),
)
"""What no program may do to an account's books, and the code it is refused with."""


class Writers:
    """Programs with SQL of their own, at work for as long as there are callers."""

    def __init__(self, database: Database, chart: Chart) -> None:
        self.database = database
        self.chart = chart
        self.facts: dict[str, Fact] = {}
        self.over = asyncio.Event()

    async def post(self, number: int) -> None:
        """Post straight into the tables, between the same accounts as everybody."""
        chance, n = random.Random(f"writer {number}"), 0
        ledger_id, cash = UUID(self.chart.ledger), UUID(self.chart.cash)
        while not self.over.is_set():
            n += 1
            sides = (UUID(chance.choice(self.chart.loans)), cash)
            amount, name = chance.randrange(1, 30), f"writer {number}-{n}"
            transaction_id = uuid7(n, chance.randbytes(ENTROPY_BYTES - 2) + bytes(2))
            async with self.database.transaction() as connection:
                moved = await move(connection, ledger_id, transaction_id, name, sides, amount)
            if moved:
                entries = ((str(sides[0]), "debit", amount), (str(cash), "credit", amount))
                self.facts[str(transaction_id)] = Fact("posted", name, None, None, tuple(sorted(entries)))

    async def trespass(self) -> None:
        """Do what the tables must refuse, whoever else writes at the time."""
        chance = random.Random("trespasser")
        while not self.over.is_set():
            statement, code = chance.choice(FORBIDDEN)
            account = UUID(chance.choice((self.chart.cash, *self.chart.loans)))
            assert await self._told(statement, account) in {code, "nothing to change"}, statement

    async def _told(self, statement: str, account: UUID) -> str:
        try:
            async with self.database.transaction() as connection:
                touched = await connection.execute(statement, account)
        except asyncpg.PostgresError as refused:
            return str(refused.sqlstate)
        return "nothing to change" if touched.endswith(" 0") else touched


class Service:
    """A process of the service, which may be killed and started again where it was."""

    def __init__(self, stack: AsyncExitStack, name: str, role: str, database_url: str, directory: Path) -> None:
        self._stack = stack
        self._name = name
        self._role = role
        self._directory = directory
        self._port = free_port()
        self._environment = {
            "DATABASE_URL": database_url,
            "CODAT_API_KEY": "test-only",
            "LEDGER_API_KEYS": ":".join(KEY),
            "PORT": str(self._port),
        }
        self.url = f"http://127.0.0.1:{self._port}"

    async def start(self, session: aiohttp.ClientSession, life: int = 1) -> None:
        """Start it and return when it is ready."""
        arguments = ["serve", f"--role={self._role}"]
        name = f"{self._name}-{life}"
        started = running(name, arguments, self._environment, self._directory)
        self._process = await self._stack.enter_async_context(started)
        await self._process.answering(session, f"{self.url}/readyz")

    async def kill(self) -> None:
        """End it as a power cut would."""
        self._process.process.kill()
        await self._process.process.wait()


async def kill_one(service: Service, doors: Doors) -> None:
    """Kill a process in the midst of it all, and start it again."""
    await doors.tally.well_under_way.wait()
    doors.one_is_dying = True
    await service.kill()
    await service.start(doors.session, life=2)
    doors.one_is_dying = False


@patient
async def test_a_crowd_at_two_processes_of_which_one_is_killed_breaks_nothing_and_is_told_the_truth(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    tally = Tally()
    headers = {"Authorization": aiohttp.encode_basic_auth(*KEY)}
    async with (
        AsyncExitStack() as stack,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as session,
    ):
        services = [Service(stack, name, role, database_url, tmp_path) for name, role in (("a", "api"), ("b", "all"))]
        await asyncio.gather(*(service.start(session) for service in services))
        doors = Doors(session, [service.url for service in services], tally)
        chart = await open_chart(doors)
        writers = Writers(database, chart)
        async with asyncio.TaskGroup() as others:
            for number in range(WRITERS):
                others.create_task(writers.post(number))
            others.create_task(writers.trespass())
            async with asyncio.TaskGroup() as crowd:
                crowd.create_task(kill_one(services[1], doors))
                for number in range(CALLERS):
                    crowd.create_task(Caller(number, doors, chart).live(STORIES))
            writers.over.set()

    await audit(database, chart)
    assert await everything(database) == tally.facts | writers.facts
    accepted = {fact.external_id for fact in tally.facts.values()}
    assert tally.refused.isdisjoint(accepted)
    assert tally.broken_connections > 0, "nobody noticed that a process was killed"
    await verified(database_url)
    assert errors(tmp_path) == []


def errors(directory: Path) -> list[str]:
    """What the processes logged as an error."""
    lines = [line for log in directory.glob("*.log") for line in log.read_text().splitlines()]
    return [line for line in lines if '"level":"error"' in line]


async def audit(database: Database, chart: Chart) -> None:
    """Nothing is wrong in the books, cash was never overdrawn, and PostgreSQL broke no deadlock."""
    async with database.transaction() as connection:
        assert await wrong(connection) == {}
        assert await ever_below_zero(connection, [UUID(chart.cash)], "posted_debits - pending_credits") == []
        assert await ever_below_zero(connection, [UUID(chart.reserve)], "posted_debits - posted_credits") == []
        deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
        assert await connection.fetchval(deadlocks) == 0


async def everything(database: Database) -> dict[str, Fact]:
    """All transactions in the books."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            """
            select t.id, t.status, t.external_id, t.reverses_ledger_transaction_id as reverses,
                   t.partially_posts_ledger_transaction_id as parts,
                   json_agg(json_build_array(e.account_id, e.direction, e.amount))::text as entries
            from ledger_transactions t
            join ledger_entries e on e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
            group by t.id
            """
        )
    return {
        str(row["id"]): Fact(
            row["status"],
            row["external_id"],
            row["reverses"] and str(row["reverses"]),
            row["parts"] and str(row["parts"]),
            tuple(sorted((account, direction, amount) for account, direction, amount in json.loads(row["entries"]))),
        )
        for row in rows
    }


async def verified(database_url: str) -> None:
    """``writeback ledger verify`` finds nothing."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker.cli", "ledger", "verify"),
        env={**os.environ, "DATABASE_URL": database_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
