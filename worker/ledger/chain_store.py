"""A ledger's hash chain as it is stored, compared with the tables it seals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from types import MappingProxyType
from typing import Final
from uuid import UUID

import asyncpg

from worker.database import Connection, query
from worker.ledger.chain import UNREADABLE, ChainAudit, Link, StateName, Told, digest_of, unsealed
from worker.ledger.content import NO_METADATA
from worker.ledger.reading import AUDIT_TIMEOUT_SECONDS, Finding
from worker.ledger.transaction import Direction, Ledgerable, Status
from worker.ledger.written import LedgerAccount, Written, WrittenEntry, sealed_text

_LINKS_AT_ONCE: Final = 100
"""Links compared in one round trip: some thousands of transactions."""

_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class ChainReport:
    """How far a ledger's chain reaches, its last hash, and what in it does not hold."""

    position: int
    hash: bytes
    findings: list[Finding]


async def verify_chain(
    connection: Connection, ledger_id: UUID, kept: Mapping[int, bytes] = MappingProxyType({})
) -> ChainReport:
    """Recompute a ledger's chain from its first link, in one REPEATABLE READ transaction of the caller's.

    ``kept`` are hashes of links by position that somebody wrote down, and that must still be in it.
    """
    audit, findings, links = ChainAudit(ledger_id, kept), [], []
    rows = connection.cursor(query("ledger/chain_links"), ledger_id, prefetch=_LINKS_AT_ONCE)
    async for row in rows:
        links.append(_link(row))
        if len(links) == _LINKS_AT_ONCE:
            findings += await _follow(connection, audit, links)
            links = []
    findings += await _follow(connection, audit, links)
    head = await connection.fetchrow(query("ledger/chain_head"), ledger_id)
    findings += audit.end(None if head is None else (head["position"], head["hash"]))
    left = await connection.fetch(query("ledger/unsealed_states"), ledger_id, timeout=AUDIT_TIMEOUT_SECONDS)
    findings += unsealed(StateName(row["transaction_id"], row["version"]) for row in left)
    return ChainReport(audit.position, audit.hash, findings)


async def _follow(connection: Connection, audit: ChainAudit, links: Collection[Link]) -> list[Finding]:
    told = await _told(connection, [name for link in links for name in link.states])
    return [finding for link in links for finding in audit.follow(link, told)]


async def _told(connection: Connection, names: Sequence[StateName]) -> dict[StateName, Told]:
    """What the tables tell of some states; one that cannot be read is found by halves and spoils no other."""
    ids, versions = [name.transaction_id for name in names], [name.version for name in names]
    try:
        rows = await connection.fetch(query("ledger/sealed_states"), ids, versions, timeout=AUDIT_TIMEOUT_SECONDS)
        return {StateName(row["id"], row["version"]): Told(digest_of(_written(row)), row["written_at"]) for row in rows}
    except (ValueError, OverflowError):  # an infinite moment, one beyond the calendar, an unheard-of word
        if len(names) == 1:
            return {names[0]: UNREADABLE}
    half = len(names) // 2
    return {**await _told(connection, names[:half]), **await _told(connection, names[half:])}


def _link(row: asyncpg.Record) -> Link:
    # A state without version, or the other way round, is one that nothing in the tables can be.
    pairs = zip_longest(row["transaction_ids"], row["versions"])
    names = tuple(
        StateName(transaction or _NOBODY, -1 if version is None else version) for transaction, version in pairs
    )
    return Link(row["position"], names, row["digests"], row["hash"], row["created_at"])


def _written(row: asyncpg.Record) -> Written:
    return Written(
        id=row["id"],
        ledger_id=row["ledger_id"],
        status=Status(row["status"]),
        external_id=row["external_id"],
        description=row["description"],
        metadata=row["metadata"],
        effective_at=row["effective_at"],
        posted_at=row["posted_at"],
        archived_reason=row["archived_reason"],
        ledgerable=_ledgerable(row),
        reverses=row["reverses_ledger_transaction_id"],
        reversed_by=None,
        partially_posts=row["partially_posts_ledger_transaction_id"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["written_at"],
        entries=tuple(_entry(row, at) for at in range(len(row["numbers"] or ()))),
    )


def _ledgerable(row: asyncpg.Record) -> Ledgerable | None:
    kind, identity = row["ledgerable_type"], row["ledgerable_id"]
    # Half of one was never written; whatever it is taken for is not what was sealed.
    return None if kind is None and identity is None else Ledgerable(kind or "", identity or _NOBODY)


def _entry(row: asyncpg.Record, at: int) -> WrittenEntry:
    """An entry with what a digest takes from it; the rest is left empty."""
    direction, moment = Direction(row["directions"][at]), row["moments"][at]
    account_id, side = row["accounts"][at], Direction(row["sides"][at])
    unit = (row["currencies"][at], row["exponents"][at])
    sealed = sealed_text(account_id, side, *unit)
    account = LedgerAccount(account_id, row["ledger_id"], None, side, *unit, discarded=False, sealed=sealed)
    return WrittenEntry(
        *(row["id"], row["numbers"][at], account_id, direction, row["amounts"][at], moment, NO_METADATA),
        *(row["lock_versions"][at], 0, 0, 0, 0),
        *(row["created_at"], row["written_at"], account),
    )
