"""The statements that load and use pgledger, which the user brings: SQL files that make a ledger out of functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from worker.bench.workload import ACCOUNTS, AMOUNTS, METADATA, Disbursement
from worker.database import Connection, query
from worker.errors import UsageError

FUNCTIONS: Final = (
    "pgledger_create_account(text, text, boolean, boolean)",
    "pgledger_create_transfers(transfer_request[], timestamp with time zone, jsonb)",
)
"""What the files have to create: the functions that are called here."""

CURRENCY: Final = "USD"
"""Currency of every account."""

_METADATA: Final = json.dumps(METADATA)


@dataclass(frozen=True, slots=True)
class Script:
    """A file of the user's copy of pgledger, and what is in it."""

    path: Path
    text: str


async def run_script(connection: Connection, script: Script) -> None:
    """Run a file's statements; raises :class:`~worker.errors.UsageError` with the server's words when one fails."""
    with _told_of(f"{script.path} fails"):
        await connection.execute(script.text)


async def require_functions(connection: Connection, scripts: Sequence[Script]) -> None:
    """Raise :class:`~worker.errors.UsageError` unless the files have created every function that is called."""
    rows = await connection.fetch(query("bench/missing_functions"), FUNCTIONS)
    if rows:
        names = ", ".join(str(script.path) for script in scripts)
        raise UsageError(
            f"--pgledger: {names} did not create the function {rows[0]['signature']}: "
            "give all files of a copy of pgledger that has it"
        )


async def create_accounts(connection: Connection) -> list[str]:
    """Create pgledger's accounts; returns their ids in the order of their numbers.

    Raises :class:`~worker.errors.UsageError` with the server's words when pgledger fails.
    """
    with _told_of("its accounts cannot be created"):
        rows = await connection.fetch(query("bench/create_pgledger_accounts"), list(ACCOUNTS), CURRENCY)
    return [row["id"] for row in rows]


async def try_transfers(connection: Connection, accounts: Sequence[str], disbursement: Disbursement) -> None:
    """Post a first disbursement; raises :class:`~worker.errors.UsageError` with the server's words when that fails."""
    with _told_of("it cannot post"):
        await create_transfers(connection, accounts, disbursement)


async def create_transfers(connection: Connection, accounts: Sequence[str], disbursement: Disbursement) -> None:
    """Post a disbursement as three transfers between two accounts each, the fewest that move the same."""
    principal, interest, cash, investor_interest, revenue = (accounts[n - 1] for n in disbursement.accounts)
    _, _, from_cash, from_investor_interest, from_revenue = AMOUNTS
    await connection.fetch(
        query("bench/create_pgledger_transfers"),
        *(cash, principal, from_cash),
        *(investor_interest, interest, from_investor_interest),
        *(revenue, interest, from_revenue),
        _METADATA,
    )


@contextmanager
def _told_of(failure: str) -> Iterator[None]:
    try:
        yield
    except asyncpg.PostgresError as error:
        raise UsageError(
            f"--pgledger: {failure}: {error.message}; give the files of your copy of pgledger in the order in which "
            "one needs the other, the ULID functions first"
        ) from error
