"""One process at a time decides a ledger's batches ahead; the others post all the same."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.ledger.books import CASH, Ledger, earn
from worker.database import Database
from worker.ledger import election as election_module
from worker.ledger.election import CAMPAIGN, TERM, Election
from worker.ledger.foresight import Foreseen, foresee
from worker.ledger.group_poster import GroupPoster
from worker.ledger.transaction import Posted


class Clock:
    """A process's clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def until_next_request(self) -> None:
        self.seconds += CAMPAIGN.total_seconds()


async def answered(election: Election) -> None:
    """Until no request is under way."""
    while election._requests:
        await asyncio.gather(*election._requests)


async def end_terms(ledger: Ledger) -> None:
    async with ledger.database.connection() as connection:
        await connection.execute("update ledger_posters set term_ends_at = clock_timestamp() - interval '1 ms'")


async def terms(ledger: Ledger) -> int:
    async with ledger.database.connection() as connection:
        return int(await connection.fetchval("select count(distinct term_ends_at) from ledger_posters"))


async def won(election: Election, ledger: Ledger) -> bool:
    """The answer to a request made now."""
    election.is_won(ledger.id)
    await answered(election)
    return election.is_won(ledger.id)


async def test_the_first_to_ask_is_elected_and_others_follow_when_its_term_has_ended(ledger: Ledger) -> None:
    first_clock, second_clock = Clock(), Clock()
    first, second = Election(ledger.database, first_clock), Election(ledger.database, second_clock)
    assert await won(first, ledger)
    assert not await won(second, ledger)
    first_clock.until_next_request()
    second_clock.until_next_request()
    assert await won(first, ledger)
    assert not await won(second, ledger)
    await end_terms(ledger)
    second_clock.until_next_request()
    assert await won(second, ledger)
    first_clock.until_next_request()
    assert not await won(first, ledger)


async def test_each_ledger_has_an_election_of_its_own(ledger: Ledger) -> None:
    other = await Ledger.open(ledger.database, "other")
    first, second = Election(ledger.database), Election(ledger.database)
    assert await won(first, ledger)
    assert await won(second, other)
    assert await terms(ledger) == 2


async def test_the_next_term_is_asked_for_once_within_a_while(ledger: Ledger) -> None:
    clock = Clock()
    election = Election(ledger.database, clock)
    assert await won(election, ledger)
    for _ in range(5):
        assert election.is_won(ledger.id)
    assert not election._requests
    clock.until_next_request()
    assert election.is_won(ledger.id)
    assert len(election._requests) == 1
    await answered(election)
    assert election.is_won(ledger.id)
    assert not election._requests
    async with ledger.database.connection() as connection:
        left = await connection.fetchval("select term_ends_at - clock_timestamp() from ledger_posters")
    assert CAMPAIGN < left <= TERM


async def test_a_database_that_is_away_changes_nothing(ledger: Ledger) -> None:
    async with Database.open("postgresql://nobody@127.0.0.1:1/nothing") as away:
        election = Election(away)
        assert election.is_won(ledger.id)
        await answered(election)
        assert election.is_won(ledger.id)
        await election.close()


async def test_ledgers_posted_to_longest_ago_are_forgotten(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(election_module, "LEDGERS_REMEMBERED", 1)
    other = await Ledger.open(ledger.database, "other")
    rival, election = Election(ledger.database), Election(ledger.database)
    assert await won(rival, ledger)
    assert not await won(election, ledger)
    assert await won(election, other)
    assert election.is_won(ledger.id)  # as if it had never asked
    await answered(election)


async def test_who_was_not_elected_posts_under_locks(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    elected, other = GroupPoster[None, None](ledger.database), GroupPoster[None, None](ledger.database)
    ahead = list[Foreseen | None]()

    async def tell(*arguments: Any) -> Foreseen | None:
        ahead.append(await foresee(*arguments))
        return ahead[-1]

    for poster, name in ((elected, "elected"), (other, "other")):
        assert isinstance(await poster.submit(ledger.id, earn(name)), Posted)
        await answered(poster._election)
    monkeypatch.setattr("worker.ledger.group_poster.foresee", tell)
    for n in range(3):
        assert isinstance(await other.submit(ledger.id, earn(f"other {n}")), Posted)
    assert ahead == []
    assert isinstance(await elected.submit(ledger.id, earn("more")), Posted)
    assert len(ahead) == 1
    assert (await ledger.balance(CASH)).posted == 600
    assert await ledger.findings() == []
    await elected.close()
    await other.close()
