"""The statements of the bare ledgers, on tables of their own in a scratch database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from worker.bench.bare import BareBalance, BareBatch
from worker.bench.workload import ACCOUNTS, AMOUNTS, METADATA, SIDES, Disbursement
from worker.database import Connection, query

CURRENCY: Final = "USD"
"""Currency of every account."""

_METADATA: Final = json.dumps(METADATA)


async def create_rivals(connection: Connection) -> None:
    """Create the tables of all comparisons, and the accounts of the bare ledger."""
    await connection.execute(query("bench/create_rivals"))
    await connection.execute(query("bench/create_bare_accounts"), list(ACCOUNTS), CURRENCY)


async def post_alone(connection: Connection, disbursement: Disbursement, at: datetime) -> int:
    """Post one transaction by one statement; returns the number of its entries."""
    accounts = list(disbursement.accounts)
    rows = await connection.fetch(
        query("bench/post_alone"), disbursement.external_id, at, _METADATA, accounts, SIDES, AMOUNTS
    )
    return len(rows)


async def lock_balances(connection: Connection, account_ids: Iterable[int]) -> list[BareBalance]:
    """Lock the balances of a batch until the transaction ends."""
    rows = await connection.fetch(query("bench/lock_bare"), sorted(account_ids))
    return [BareBalance(*row) for row in rows]


async def known(connection: Connection, external_ids: Sequence[str]) -> set[str]:
    """Those of the external ids that are taken."""
    return {row[0] for row in await connection.fetch(query("bench/known_bare"), external_ids)}


async def write(connection: Connection, batch: BareBatch, at: datetime) -> None:
    """Write a batch that was decided under the locks."""
    moved = [(one.account_id, one.debits, one.credits, one.lock_version) for one in batch.moved.values()]
    entries, balances = zip(*batch.entries, strict=True), zip(*moved, strict=True)
    await connection.execute(query("bench/write_bare"), batch.external_ids, at, _METADATA, *entries, *balances)
