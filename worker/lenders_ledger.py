"""Where the lender's ledger is: in this program's own database, or at Modern Treasury behind an outbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from worker.config import TreasurySettings
from worker.database import Connection, Database
from worker.errors import UsageError
from worker.jobs.job import Registration
from worker.ledger.store import ensure_ledger
from worker.loans.apply import OwnLedger, PostEvents
from worker.loans.postings import LEDGER_NAME
from worker.loans.store import has_posted
from worker.treasury.chart import Chart
from worker.treasury.client import TreasuryClient
from worker.treasury.deliver import MOST_ATTEMPTS, DeliveryHandler
from worker.treasury.outbox_store import DELIVER_POSTING, has_postings, write_out
from worker.treasury.pace import Pace
from worker.treasury.transport import Transport

DELIVERIES_AT_ONCE: Final = 20
"""Postings one process has under way together: at a tenth of a second each they come to more than Modern Treasury
allows in a second, so that the pace decides and not the waiting."""


async def choose_ledger(connection: Connection, treasury: TreasurySettings | None) -> PostEvents:
    """What applied events are written with.

    Raises :class:`~worker.errors.UsageError` when earlier ones were written to the other ledger: a loan's transactions
    must not be divided between two.
    """
    if treasury is None:
        if await has_postings(connection):
            raise UsageError(
                "LEDGER_BACKEND must stay modern-treasury: loans of this database have transactions there already"
            )
        return OwnLedger(await ensure_ledger(connection, LEDGER_NAME))
    if await has_posted(connection):
        raise UsageError(
            "LEDGER_BACKEND must stay postgres: loans of this database have transactions in its ledger already"
        )
    return write_out


@asynccontextmanager
async def delivery(
    database: Database, treasury: TreasurySettings | None, trace: aiohttp.TraceConfig
) -> AsyncIterator[list[Registration]]:
    """The handler that empties the outbox, if there is one to empty; ``trace`` hears of its requests."""
    if treasury is None:
        yield []
        return
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[trace]) as session:
        transport = Transport(session, treasury.base_url, treasury.organization_id, treasury.api_key, Pace())
        client = TreasuryClient(transport)
        handler = DeliveryHandler(database, client, Chart(database, client, treasury))
        yield [Registration(DELIVER_POSTING, handler, concurrency=DELIVERIES_AT_ONCE, max_attempts=MOST_ATTEMPTS + 1)]
