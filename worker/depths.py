"""How much waits at every station and for how long, read in one go for the metrics."""

from __future__ import annotations

from typing import Final

from worker.codat.gate import Limits
from worker.codat.store import requests_left
from worker.database import Database
from worker.jobs.store import count_dead_letters, count_jobs
from worker.ledger.store import count_imbalances
from worker.loans.store import count_held
from worker.metrics import Depths
from worker.migrations import newest_applied
from worker.operations.store import oldest_snapshot_age
from worker.treasury.outbox_store import count_waiting
from worker.writeback.gauge_store import count_connections, count_open_pushes, count_waiting_sagas

READY = "ready"
"""The condition of jobs that could run now: their age is how far the queue is behind."""


PER_MINUTE: Final = "minute"
"""Scope of Codat's ceiling for one address; its daily quota is told by its replies."""


async def read_depths(database: Database) -> Depths:
    """The depths and oldest ages as of now; raises :class:`~worker.errors.DatabaseUnavailable`."""
    async with database.connection() as connection:
        jobs = await count_jobs(connection)
        held = await count_held(connection)
        sagas = await count_waiting_sagas(connection)
        pushes = await count_open_pushes(connection)
        pending = [one for one in pushes if one.state == "pending"]
        unknown = [one for one in pushes if one.state == "unknown"]
        letters = await count_dead_letters(connection)
        outbox = await count_waiting(connection)
        return Depths(
            jobs={(one.kind, one.condition): one.jobs for one in jobs},
            job_oldest_age={one.kind: one.oldest_seconds for one in jobs if one.condition == READY},
            dead_letters={one.reason_class: one.letters for one in letters},
            dead_letter_oldest_age={one.reason_class: one.oldest_seconds for one in letters},
            events_held=held.events,
            event_held_oldest_age=held.oldest_seconds,
            sagas_waiting={one.waiting_for: one.number for one in sagas},
            saga_waiting_oldest_age={one.waiting_for: one.oldest_age for one in sagas},
            push_pending=sum(one.number for one in pending),
            push_pending_oldest_age={one.platform: one.oldest_age for one in pending},
            push_outcome_unknown=sum(one.number for one in unknown),
            push_outcome_unknown_oldest_age=max((one.oldest_age for one in unknown), default=0.0),
            rate_limit_tokens={PER_MINUTE: await requests_left(connection, Limits().counted)},
            connections=await count_connections(connection),
            ledger_imbalance=await count_imbalances(connection),
            ledger_outbox=outbox.number,
            ledger_outbox_oldest_age=outbox.oldest_age,
            oldest_xmin_age=await oldest_snapshot_age(connection),
            schema_version=await newest_applied(connection),
        )
