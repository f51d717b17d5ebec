"""The inbox table, one function per statement. No function opens a transaction; callers do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import asyncpg

from worker.database import Connection, query
from worker.inbox.messages import NewMessage, Source


@dataclass(frozen=True, slots=True)
class Recorded:
    """The message is durable and its job is queued."""

    message_id: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same message had been stored before; nothing was done."""

    message_id: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another body had been stored under the same identity; nothing was done."""

    message_id: int


Verdict: TypeAlias = Recorded | Duplicate | Conflict


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message. ``webhook_id`` is its sender's identity for it, ``body`` the bytes as received."""

    id: int
    source: Source
    webhook_id: str
    type: str
    loan_id: str | None
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages to list; ``None`` leaves a condition out."""

    source: Source | None = None
    loan_id: str | None = None
    type: str | None = None


async def record_messages(connection: Connection, messages: Sequence[NewMessage]) -> list[Verdict]:
    """Store what is new, queue its job, and say for each message in turn which of the three happened.

    One statement: outside a transaction it is durable on return. A caller inside one must hold no lane locks yet.
    """
    rows = await connection.fetch(
        query("inbox/record_messages"),
        [m.source.value for m in messages],
        [m.webhook_id for m in messages],
        [m.type for m in messages],
        [m.loan_id for m in messages],
        [m.digest for m in messages],
        [m.body for m in messages],
        [m.kind for m in messages],
        [m.lane for m in messages],
    )
    return [_verdict(row["verdict"], row["message_id"]) for row in rows]


async def load_messages(connection: Connection, message_ids: Iterable[int]) -> dict[int, Message]:
    """Those of the messages that exist, by id."""
    rows = await connection.fetch(query("inbox/load_messages"), list(message_ids))
    return {row["id"]: _message(row) for row in rows}


async def get_message(connection: Connection, message_id: int) -> Message | None:
    """One message by its id here."""
    return (await load_messages(connection, [message_id])).get(message_id)


async def find_message(connection: Connection, source: Source, webhook_id: str) -> Message | None:
    """One message by its sender's id."""
    row = await connection.fetchrow(query("inbox/find_message"), source.value, webhook_id)
    return _message(row) if row else None


async def list_messages(
    connection: Connection, which: MessageFilter, *, before_id: int | None = None, limit: int = 50
) -> list[Message]:
    """One page, newest first; pass the last one's id as ``before_id`` for the next."""
    source = which.source.value if which.source else None
    rows = await connection.fetch(query("inbox/list_messages"), source, which.loan_id, which.type, before_id, limit)
    return [_message(row) for row in rows]


def _message(row: asyncpg.Record) -> Message:
    return Message(**{**row, "source": Source(row["source"])})


def _verdict(verdict: str, message_id: int) -> Verdict:
    match verdict:
        case "recorded":
            return Recorded(message_id)
        case "duplicate":
            return Duplicate(message_id)
        case _:
            return Conflict(message_id)
