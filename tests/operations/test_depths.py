"""What monitoring reads of a database in which something waits: how much, and for how long."""

from __future__ import annotations

from datetime import timedelta

from tests.operations.borrower import lose_first_step
from tests.operations.conftest import Story
from worker.codat import store as codat_store
from worker.codat.gate import REQUESTS_PER_MINUTE, Limits
from worker.database import Database
from worker.depths import PER_MINUTE, read_depths
from worker.metrics import Metrics


async def test_dead_letters_show_how_many_there_are_and_the_age_of_the_oldest(database: Database, story: Story) -> None:
    depths = await read_depths(database)

    assert depths.dead_letters == {"impossible_event": 1}
    assert 0 < depths.dead_letter_oldest_age["impossible_event"] < timedelta(hours=1).total_seconds()


async def test_unknown_outcomes_show_the_age_of_the_oldest(database: Database, story: Story) -> None:
    async with database.connection() as connection:
        await connection.execute(
            """insert into connections (connection_id, company_id, platform, platform_name, status)
            select distinct connection_id, company_id, 'gbol', 'Xero', 'Linked' from sagas"""
        )
    await lose_first_step(database, 1)

    depths = await read_depths(database)

    assert depths.push_outcome_unknown == 1
    assert depths.push_outcome_unknown_oldest_age > 0


async def test_requests_taken_by_any_replica_are_missing_from_those_left(database: Database) -> None:
    before = await read_depths(database)
    async with database.connection() as connection:
        grant = await codat_store.take_requests(connection, 7, Limits().counted, None)

    after = await read_depths(database)

    assert (before.rate_limit_tokens, grant.granted) == ({PER_MINUTE: REQUESTS_PER_MINUTE}, 7)
    assert after.rate_limit_tokens == {PER_MINUTE: REQUESTS_PER_MINUTE - 7}


async def test_a_transaction_left_open_shows_its_age(database: Database) -> None:
    assert (await read_depths(database)).oldest_xmin_age == 0
    async with database.transaction() as connection:
        await connection.execute("set transaction isolation level repeatable read")
        await connection.fetchval("select 1")

        depths = await read_depths(database)

    assert depths.oldest_xmin_age > 0


async def test_ages_and_tokens_are_exported(database: Database, story: Story) -> None:
    metrics = Metrics("test")
    metrics.show(await read_depths(database))

    text = metrics.render().decode()

    assert 'writeback_dead_letter_oldest_age_seconds{class="impossible_event"} ' in text
    assert 'writeback_rate_limit_tokens{scope="minute"} 1000.0' in text
    assert "writeback_push_outcome_unknown_oldest_age_seconds 0.0" in text
    assert "writeback_db_oldest_xmin_age_seconds " in text
    assert "writeback_lease_lost_total 0.0" in text
