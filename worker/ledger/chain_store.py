"""A ledger's hash chain as it is stored, compared with the tables it seals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

import asyncpg

from worker.database import Connection, query
from worker.ledger.chain import ChainAudit, Link, StateName, digest_of, unsealed
from worker.ledger.content import NO_METADATA
from worker.ledger.reading import AUDIT_TIMEOUT_SECONDS, Finding
from worker.ledger.transaction import Direction, Ledgerable, Status
from worker.ledger.written import LedgerAccount, Written, WrittenEntry, sealed_text

_LINKS_AT_ONCE: Final = 100
"""Links compared in one round trip: some thousands of transactions."""


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
        names = (StateName(*pair) for pair in zip(row["transaction_ids"], row["versions"], strict=False))
        links.append(Link(row["position"], tuple(names), row["digests"], row["hash"]))
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
    names = [name for link in links for name in link.states]
    ids, versions = [name.transaction_id for name in names], [name.version for name in names]
    rows = await connection.fetch(query("ledger/sealed_states"), ids, versions, timeout=AUDIT_TIMEOUT_SECONDS)
    digests = {StateName(row["id"], row["version"]): digest_of(_written(row)) for row in rows}
    return [finding for link in links for finding in audit.follow(link, digests)]


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
        ledgerable=Ledgerable(row["ledgerable_type"], row["ledgerable_id"]) if row["ledgerable_id"] else None,
        reverses=row["reverses_ledger_transaction_id"],
        reversed_by=None,
        partially_posts=row["partially_posts_ledger_transaction_id"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["written_at"],
        entries=tuple(_entry(row, at) for at in range(len(row["numbers"] or ()))),
    )


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
