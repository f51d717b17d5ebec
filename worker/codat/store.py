"""The gate's rows: what all replicas together know about Codat's limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.codat.quota import LONGEST_CLOSING, Quota
from worker.database import Connection, query


@dataclass(frozen=True, slots=True)
class GateState:
    """What is known in front of Codat: shut until when, and what is left of today's quota."""

    closed_until: datetime | None
    quota: Quota


async def close_gate(connection: Connection, until: datetime, now: datetime) -> None:
    """Keep everybody from asking until then (Codat's webhook says the quota is used up), an hour at most."""
    await connection.execute(query("codat/close_gate"), min(until, now + LONGEST_CLOSING))


async def close_gate_for(connection: Connection, duration: timedelta) -> None:
    """Keep everybody from asking for so long, an hour at most."""
    await connection.execute(query("codat/close_gate_for"), min(duration, LONGEST_CLOSING))


async def open_gate(connection: Connection, quota_remaining: int | None) -> None:
    """Let everybody ask again (Codat's webhook says the quota was reset)."""
    await connection.execute(query("codat/open_gate"), quota_remaining)


async def read_gate(connection: Connection) -> GateState:
    """What the gate knows now."""
    row = await connection.fetchrow(query("codat/gate_state"))
    if row is None:
        return GateState(None, Quota(None, None, None))
    return GateState(row["closed_until"], Quota(row["quota_limit"], row["quota_remaining"], row["quota_resets_at"]))


@dataclass(frozen=True, slots=True)
class Grant:
    """How many requests were handed out, or how long until there are more."""

    granted: int
    retry_after: timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """No more than ``allowed`` requests within any ``span``, counted in slices of time."""

    allowed: int
    span: timedelta
    slice: timedelta


async def take_requests(connection: Connection, wanted: int, window: Window, told: Quota | None) -> Grant:
    """Take up to ``wanted`` requests out of the window shared by all replicas, in one round trip.

    ``told`` is what this process has heard of the daily quota since it last asked; it is kept for whoever watches.
    """
    quota = told or Quota(None, None, None)
    row = await connection.fetchrow(
        query("codat/take_requests"),
        wanted,
        window.allowed,
        window.span,
        window.slice,
        quota.limit,
        quota.remaining,
        quota.resets_at,
    )
    return Grant(row["granted"], row["retry_after"]) if row is not None else Grant(0, window.slice)


async def requests_left(connection: Connection, window: Window) -> int:
    """How many of the window's requests nobody has taken yet."""
    taken: int = await connection.fetchval(query("codat/count_requests"), window.span)
    return max(window.allowed - taken, 0)


async def take_place(connection: Connection, company: int, places: int, held: list[int]) -> int | None:
    """Lock one of the company's places for this session beyond those it holds; None when all are taken."""
    place: int | None = await connection.fetchval(query("codat/take_place"), company, places, held)
    return place


async def give_back_places(connection: Connection, places: list[tuple[int, int]]) -> None:
    """Unlock places (company, place) of this session."""
    companies, numbers = [company for company, _ in places], [place for _, place in places]
    await connection.execute(query("codat/give_back_places"), companies, numbers)
