"""The outbox in PostgreSQL, and what is known of the ledger there. Services open the transactions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from worker.database import Connection, query
from worker.jobs.job import NewJob
from worker.loans.batch import Decided, PostedEvents
from worker.treasury.payloads import postings_of
from worker.treasury.posting import (
    KnownObject,
    NewPosting,
    ObjectKind,
    Posting,
    PostingKind,
    Wanted,
    read_wanted,
    wanted_document,
)
from worker.wire import decode_object

DELIVER_POSTING: Final = "deliver_posting"
"""Kind of the job that sends one row of the outbox; its subject is the row's id."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is still to be sent; ``oldest_age`` is seconds."""

    number: int
    oldest_age: float


async def write_out(connection: Connection, decided: Sequence[Decided]) -> PostedEvents:
    """Write events' operations into the outbox, inside the transaction that applies the events."""
    return PostedEvents(jobs=await insert_postings(connection, postings_of(decided)))


async def insert_postings(connection: Connection, postings: Sequence[NewPosting]) -> list[NewJob]:
    """Write rows inside the caller's transaction; the jobs it has to enqueue, in the rows' order.

    An event that was written out before adds nothing.
    """
    if not postings:
        return []
    rows = await connection.fetch(
        query("treasury/insert_postings"),
        [one.message_id for one in postings],
        [one.place for one in postings],
        [one.event_id for one in postings],
        [one.loan_id for one in postings],
        [one.kind.value for one in postings],
        [one.target for one in postings],
        [json.dumps(one.body) for one in postings],
        [json.dumps([wanted_document(account) for account in one.accounts]) for one in postings],
    )
    ids = {(row["message_id"], row["place"]): row["id"] for row in rows}
    return [
        NewJob(DELIVER_POSTING, one.lane, ids[one.message_id, one.place])
        for one in postings
        if (one.message_id, one.place) in ids
    ]


async def load_posting(connection: Connection, posting_id: int) -> Posting | None:
    """One row, or None when there is none of this id."""
    row = await connection.fetchrow(query("treasury/load_posting"), posting_id)
    if row is None:
        return None
    accounts = decode_object(f'{{"accounts": {row["accounts"]}}}'.encode())["accounts"]
    return Posting(
        id=row["id"],
        place=row["place"],
        event_id=row["event_id"],
        loan_id=row["loan_id"],
        kind=PostingKind(row["kind"]),
        target=row["target"],
        body=decode_object(row["body"].encode()),
        accounts=_read_accounts(accounts),
        is_delivered=row["is_delivered"],
    )


async def record_delivery(
    connection: Connection, posting_id: int, ledger_id: UUID, transaction_id: UUID | None
) -> None:
    """The row has taken effect there; recording it again changes nothing."""
    await connection.execute(query("treasury/record_delivery"), posting_id, ledger_id, transaction_id)


async def find_transaction(connection: Connection, ledger_id: UUID, external_id: str) -> UUID | None:
    """The id of the transaction that was last created there under this external id."""
    found: UUID | None = await connection.fetchval(query("treasury/find_transaction"), ledger_id, external_id)
    return found


async def find_ledger(connection: Connection, base_url: str, organization_id: str, name: str) -> UUID | None:
    """The ledger that was chosen for a name."""
    found: UUID | None = await connection.fetchval(query("treasury/find_ledger"), base_url, organization_id, name)
    return found


async def keep_ledger(connection: Connection, base_url: str, organization_id: str, name: str, ledger_id: UUID) -> None:
    """Choose a ledger for a name; the first choice stays."""
    await connection.execute(query("treasury/keep_ledger"), base_url, organization_id, name, ledger_id)


async def load_objects(
    connection: Connection, ledger_id: UUID, wanted: Iterable[Wanted]
) -> dict[tuple[ObjectKind, str], KnownObject]:
    """Those that are known to exist there, or to have existed."""
    keys = [one.key for one in wanted]
    kinds, external_ids = [kind.value for kind, _ in keys], [external_id for _, external_id in keys]
    rows = await connection.fetch(query("treasury/load_objects"), ledger_id, kinds, external_ids)
    return {
        (ObjectKind(row["kind"]), row["external_id"]): KnownObject(row["id"], frozenset(row["within"]), row["is_gone"])
        for row in rows
    }


async def keep_object(connection: Connection, ledger_id: UUID, wanted: Wanted, object_id: UUID) -> None:
    """It exists there, and is in every category it should be in."""
    within = sorted(category.external_id for category in wanted.within)
    await connection.execute(
        query("treasury/keep_object"), ledger_id, wanted.kind.value, wanted.external_id, object_id, within
    )


async def forget_object(connection: Connection, ledger_id: UUID, wanted: Wanted, object_id: UUID) -> None:
    """It exists there no more, and nothing is in it."""
    kind, external_id = wanted.kind.value, wanted.external_id
    await connection.execute(query("treasury/forget_object"), ledger_id, kind, external_id, object_id)


async def count_waiting(connection: Connection) -> Waiting:
    """How much is still to be sent, and since when; what was buried is not."""
    row = await connection.fetchrow(query("treasury/count_waiting"))
    return Waiting(row["postings"], row["oldest_seconds"]) if row is not None else Waiting(0, 0)


async def has_postings(connection: Connection) -> bool:
    """Whether events were ever written out for a ledger at Modern Treasury."""
    has: bool = await connection.fetchval(query("treasury/has_postings"))
    return has


def _read_accounts(value: object) -> tuple[Wanted, ...]:
    return tuple(read_wanted(one) for one in value) if isinstance(value, list) else ()
