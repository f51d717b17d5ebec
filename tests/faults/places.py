"""Finding every place that something leads a process through, and killing a process at each."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from tests.faults.cradle import Cradle, open_cradle
from tests.flow.stack import Stack

ANOTHER_TELLING_AFTER_SECONDS = 4.0
"""One telling's way takes a second; it may have to wait for what a dead process holds by its lease."""

MOST_TELLINGS = 10
"""Tellings for one place before it counts as unreachable. Locks that the dead left are gone after two of them."""

SIGKILLED = -signal.SIGKILL

Telling = Callable[[], Coroutine[Any, Any, None]]
"""Tells the service something it has not heard yet, again and again until it acknowledges."""


def noted(notes: Path) -> set[str]:
    """The places written down so far."""
    return set(notes.read_text(encoding="utf-8").splitlines())


def file_of(place: str) -> str:
    """Where in the source a place is."""
    return place.partition(":")[0]


def subject_of(place: str) -> str:
    """What a process is about at this place, or nothing."""
    return place.partition(" ")[2]


def in_turns(places: Iterable[str]) -> list[str]:
    """The places mixed by what they are about, so that what the dead hold is in nobody's way for long."""
    by_subject: dict[str, list[str]] = {}
    for place in sorted(places):
        by_subject.setdefault(subject_of(place), []).append(place)
    return [place for place in chain.from_iterable(zip_longest(*by_subject.values())) if place is not None]


async def places_of(cradle: Cradle, stack: Stack, tell: Telling, notes: Path) -> set[str]:
    """Every place that a service passes on account of one telling, from hearing it until nothing is left to do."""
    ended = await cradle.record(notes)
    starting = noted(notes)
    await tell()
    await stack.settled()
    cradle.signal(signal.SIGKILL)
    assert await ended == SIGKILLED
    return noted(notes) - starting


@asynccontextmanager
async def after_a_death_at_each(
    stack: Stack, find_tellings: Callable[[Cradle], Awaitable[Mapping[str, Telling]]]
) -> AsyncIterator[None]:
    """Have processes die at every place found; in the block a service runs that has heard what was told them."""
    async with asyncio.TaskGroup() as tellers:
        async with open_cradle(stack) as cradle:
            told = await kill_at_each(cradle, await find_tellings(cradle), tellers)
        async with stack.replica(stack.port):
            await asyncio.gather(*told)
            yield


async def kill_at_each(
    cradle: Cradle, tellings: Mapping[str, Telling], tellers: asyncio.TaskGroup
) -> list[asyncio.Task[None]]:
    """Let one process after the other die at one place each; the next also recovers what those before it left.

    Answers the tellings, of which the last ones need another service to be heard.
    """
    told = []
    for place in in_turns(tellings):
        ended = await cradle.start(kill_at=place)
        for _ in range(MOST_TELLINGS):
            told.append(tellers.create_task(tellings[place]()))
            await asyncio.wait({ended}, timeout=ANOTHER_TELLING_AFTER_SECONDS)
            if ended.done():
                break
        assert ended.done(), f"{MOST_TELLINGS} tellings did not come to {place}"
        assert await ended == SIGKILLED, f"the process that was to die at {place} ended by itself"
    return told
