"""The gate: Codat's limits hold for all replicas together, whatever dies, and nobody waits long in it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import asyncpg
import pytest

from tests.codat.conftest import COMPANY
from worker.codat import store
from worker.codat.gate import Gate, Limits
from worker.codat.gate_session import GateSession
from worker.codat.quota import LONGEST_CLOSING, Quota
from worker.database import Connection, Database
from worker.errors import DatabaseUnavailable

OTHER_COMPANY = UUID("00000000-0000-4000-8000-000000000001")
REPLICAS = 3


@pytest.fixture
async def replicas(database_url: str) -> AsyncIterator[list[Database]]:
    """Pools of several processes on one database."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Database.open(database_url)) for _ in range(REPLICAS)]


class Crowd:
    """Counts who is inside at once."""

    def __init__(self) -> None:
        self.inside: Counter[UUID] = Counter()
        self.most: Counter[UUID] = Counter()
        self.admitted = 0
        self.refused: list[timedelta] = []

    async def visit(self, gate: Gate, company: UUID, turns: int = 5) -> None:
        async with gate.admit(company) as wait:
            if wait is not None:
                self.refused.append(wait)
                return
            self.admitted += 1
            self.inside[company] += 1
            self.most[company] = max(self.most[company], self.inside[company])
            for _ in range(turns):
                await asyncio.sleep(0)
            self.inside[company] -= 1


async def test_never_more_than_ten_requests_of_a_company_are_under_way_over_all_replicas(
    replicas: list[Database],
) -> None:
    crowd = Crowd()
    limits = Limits(patience=timedelta(seconds=30))
    async with AsyncExitStack() as stack:
        gates = [await stack.enter_async_context(Gate.open(database, limits)) for database in replicas]
        await asyncio.gather(
            *(
                crowd.visit(gate, company, 50)
                for gate in gates
                for company in (COMPANY, OTHER_COMPANY)
                for _ in range(40)
            )
        )
    assert crowd.admitted == REPLICAS * 2 * 40
    assert set(crowd.most) == {COMPANY, OTHER_COMPANY}
    assert max(crowd.most.values()) == 10
    assert not +crowd.inside


async def test_a_company_whose_places_stay_taken_is_told_to_come_again(replicas: list[Database]) -> None:
    limits = Limits(in_flight_per_company=1, patience=timedelta(milliseconds=200))
    async with Gate.open(replicas[0], limits) as one, Gate.open(replicas[1], limits) as other:
        async with one.admit(COMPANY) as wait:
            assert wait is None
            async with other.admit(COMPANY) as refused, other.admit(OTHER_COMPANY) as admitted:
                assert refused is not None
                assert admitted is None
        async with other.admit(COMPANY) as first:
            assert first is None or first > timedelta(0)


async def test_an_idle_place_is_given_to_other_replicas(replicas: list[Database]) -> None:
    limits = Limits(in_flight_per_company=1, patience=timedelta(seconds=10))
    async with Gate.open(replicas[0], limits) as one, Gate.open(replicas[1], limits) as other:
        async with one.admit(COMPANY) as wait:
            assert wait is None
        async with other.admit(COMPANY) as wait:
            assert wait is None


async def test_a_dead_process_leaves_its_places_to_the_others(replicas: list[Database], database_url: str) -> None:
    limits = Limits(in_flight_per_company=1, patience=timedelta(seconds=10))
    async with Gate.open(replicas[0], limits) as dying, Gate.open(replicas[1], limits) as other, dying.admit(COMPANY):
        await kill_advisory_lock_holders(database_url)
        async with other.admit(COMPANY) as wait:
            assert wait is None


async def test_a_process_that_lost_its_session_goes_on_within_its_own_limit(
    database: Database, database_url: str
) -> None:
    limits = Limits(in_flight_per_company=2, patience=timedelta(milliseconds=300))
    async with Gate.open(database, limits) as gate, gate.admit(COMPANY) as first:
        assert first is None
        await kill_advisory_lock_holders(database_url)
        async with AsyncExitStack() as stack:
            second = await admitted_at_last(stack, gate)
            assert second is None
            async with gate.admit(COMPANY) as third:
                assert third is not None, "the request under way still counts although its lock is gone"


async def test_a_visitor_cancelled_while_waiting_takes_nothing_with_it(replicas: list[Database]) -> None:
    limits = Limits(in_flight_per_company=2, patience=timedelta(seconds=10))
    crowd = Crowd()
    async with Gate.open(replicas[0], limits) as one, Gate.open(replicas[1], limits) as other:
        visits = [asyncio.create_task(crowd.visit(one, COMPANY, 20)) for _ in range(30)]
        for number, visit in enumerate(visits):
            await asyncio.sleep(0)
            if number % 2:
                visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)
        crowd.inside.clear()
        await asyncio.gather(*(crowd.visit(other, COMPANY) for _ in range(5)))
    assert crowd.admitted >= 5
    assert crowd.refused == []


async def test_never_more_requests_than_allowed_are_let_through_in_a_window(replicas: list[Database]) -> None:
    crowd = Crowd()
    limits = Limits(requests_per_window=100, patience=timedelta(milliseconds=100))
    companies = [uuid5(COMPANY, str(number)) for number in range(20)]
    async with AsyncExitStack() as stack:
        gates = [await stack.enter_async_context(Gate.open(database, limits)) for database in replicas]
        for _ in range(4):
            await asyncio.gather(*(crowd.visit(gate, company) for gate in gates for company in companies))
    lost = 16 * REPLICAS  # what is left of the blocks the last visitors had taken
    assert 100 - lost <= crowd.admitted <= 100
    assert crowd.refused
    assert max(crowd.refused) <= timedelta(seconds=67)
    assert min(crowd.refused) > timedelta(seconds=55), "requests become free one whole window after they were taken"


async def test_a_single_quiet_process_takes_requests_one_by_one_and_wastes_none(database: Database) -> None:
    crowd = Crowd()
    async with Gate.open(database) as gate:
        await crowd.visit(gate, COMPANY)
        async with database.connection() as connection:
            assert await connection.fetchval("select sum(taken) from codat_request_slices") == 1


async def test_a_busy_process_asks_the_database_far_less_than_once_a_request(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd()
    trips: list[object] = []
    run = GateSession.run

    async def counted(session: GateSession, work: Callable[[Connection], Awaitable[object]]) -> object:
        trips.append(work)
        return await run(session, work)

    monkeypatch.setattr(GateSession, "run", counted)
    async with Gate.open(database) as gate:
        for _ in range(40):
            await crowd.visit(gate, COMPANY)
    assert crowd.admitted == 40
    assert len(trips) <= 20


async def test_old_slices_of_the_window_are_forgotten(database: Database) -> None:
    crowd = Crowd()
    async with database.connection() as connection:
        await connection.execute(
            "insert into codat_request_slices"
            " values (now() - interval '67 seconds', 900), (now() - interval '9 seconds', 950)"
        )
        async with Gate.open(database) as gate:
            await crowd.visit(gate, COMPANY)
        assert await connection.fetchval("select sum(taken) from codat_request_slices") == 951


async def test_a_closed_gate_lets_nobody_in_and_the_longer_closing_counts(replicas: list[Database]) -> None:
    async with Gate.open(replicas[0]) as one, Gate.open(replicas[1]) as other:
        await one.close_for(timedelta(seconds=600))
        await other.close_for(timedelta(seconds=30))
        for gate in (one, other):
            async with gate.admit(COMPANY) as wait:
                assert wait is not None
                assert timedelta(seconds=500) < wait <= timedelta(seconds=600)


async def test_a_closing_ends_by_itself_and_a_short_one_is_waited_out(database: Database) -> None:
    async with Gate.open(database) as gate:
        await gate.close_for(timedelta(milliseconds=200))
        async with gate.admit(COMPANY) as wait:
            assert wait is None


async def test_a_used_up_quota_closes_the_gate_until_it_resets_but_no_longer_than_an_hour(database: Database) -> None:
    reset = datetime.now(UTC) + timedelta(hours=20)
    async with Gate.open(database) as gate:
        await gate.observe(Quota(2_000, 1, reset))
        async with gate.admit(COMPANY) as wait:
            assert wait is None
        await gate.observe(Quota(2_000, 0, reset))
        assert gate.quota == Quota(2_000, 0, reset)
        async with gate.admit(COMPANY) as wait:
            assert wait is not None
            assert timedelta(minutes=59) < wait <= LONGEST_CLOSING


async def test_codats_webhooks_close_the_gate_and_open_it_again(database: Database) -> None:
    now = datetime.now(UTC)
    async with database.connection() as connection, Gate.open(database) as gate:
        await store.close_gate(connection, now + timedelta(hours=20), now)
        async with gate.admit(COMPANY) as wait:
            assert wait is not None
            assert wait <= LONGEST_CLOSING
        await store.open_gate(connection, 2_000)
        async with gate.admit(COMPANY) as wait:
            assert wait is None
        state = await store.read_gate(connection)
        assert (state.closed_until, state.quota.remaining) == (None, 2_000)


async def test_the_quota_codat_last_told_is_kept_for_whoever_watches(database: Database) -> None:
    told = Quota(2_000, 1_234, datetime(2026, 1, 6, tzinfo=UTC))
    crowd = Crowd()
    async with database.connection() as connection, Gate.open(database) as gate:
        await gate.observe(told)
        await crowd.visit(gate, COMPANY)
        assert (await store.read_gate(connection)).quota == told


async def kill_advisory_lock_holders(database_url: str) -> None:
    """End the sessions that hold places, as PostgreSQL does when a process dies."""
    admin = await asyncpg.connect(database_url)
    try:
        holders = "select distinct pid from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
        await admin.execute(f"select pg_terminate_backend(pid, 5000) from ({holders}) as held")
    finally:
        await admin.close()


async def admitted_at_last(stack: AsyncExitStack, gate: Gate) -> timedelta | None:
    """Enter the gate; the first try may still meet the session that was lost."""
    try:
        return await stack.enter_async_context(gate.admit(COMPANY))
    except DatabaseUnavailable:
        return await stack.enter_async_context(gate.admit(COMPANY))
