"""The loans station as the program runs it: webhooks into the real inbox, the real queue, ledger and saga tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self
from uuid import UUID

from tests.loans.books import POSTINGS, MemoryLedger
from tests.loans.events import Delivery
from worker.database import Database
from worker.inbox.messages import APPLY_EVENT, Source, loan_message
from worker.inbox.store import find_message, record_messages
from worker.jobs.job import Acknowledgement, Claim, Done, Outcome, Settled, acknowledge
from worker.jobs.store import DeadLetter, Pump, begin_session, list_dead_letters, pump, register_worker
from worker.ledger import store as ledger_store
from worker.ledger.book import midnight
from worker.ledger.transaction import Create, Direction, NewEntry, NewTransaction, Status
from worker.loans import store
from worker.loans.apply import CreateSagas, EventHandler, OwnLedger
from worker.loans.postings import LEDGER_NAME, Postings
from worker.loans.store import Outcome as EventOutcome
from worker.writeback.store import create_sagas

MAX_ATTEMPTS = 3
"""Attempts before a job is buried in these tests."""


@dataclass
class Worker:
    """One process's lease and handler, stepped by hand."""

    database: Database
    id: int
    session: int
    handler: EventHandler
    nudges: list[None]
    acknowledgements: list[Acknowledgement] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)

    async def claim(self, at_most: int = 100) -> Claim:
        """Acknowledge what is finished and claim what is ready."""
        told = Pump(
            self.id, self.session, settled=self.settled, answers=self.acknowledgements, wants={APPLY_EVENT: at_most},
            look_for_due=True,
        )  # fmt: skip
        async with self.database.connection() as connection:
            jobs = await pump(connection, told)
        self.settled, self.acknowledgements = [], []
        return Claim(self.id, tuple(jobs))

    async def handle(self, claim: Claim) -> Sequence[Outcome]:
        outcomes = await self.handler(claim)
        for job, outcome in zip(claim.jobs, outcomes, strict=True):
            if isinstance(outcome, Settled):
                self.settled.append(job.id)
            else:
                assert not isinstance(outcome, Done)
                self.acknowledgements.append(acknowledge(job, outcome, MAX_ATTEMPTS, jitter=0.0))
        return outcomes

    async def drain(self, at_most: int = 100) -> Self:
        """Work until nothing is ready any more."""
        while (claim := await self.claim(at_most)).jobs:
            await self.handle(claim)
        return self


@dataclass
class Station:
    """The database seen through the stations' stores."""

    database: Database
    ledger_id: UUID
    workers: int = 0

    @classmethod
    async def open(cls, database: Database) -> Self:
        async with database.connection() as connection:
            return cls(database, await ledger_store.ensure_ledger(connection, LEDGER_NAME))

    async def receive(self, *deliveries: Delivery) -> None:
        messages = [loan_message(delivery.webhook_id, delivery.body) for delivery in deliveries]
        async with self.database.transaction() as connection:
            await record_messages(connection, messages)

    async def worker(self, sagas: CreateSagas = create_sagas, postings: Postings = POSTINGS) -> Worker:
        """A new process with a lease of its own."""
        self.workers += 1
        async with self.database.connection() as connection:
            await register_worker(connection, self.workers, "test", timedelta(minutes=5))
            session = await begin_session(connection, self.workers, [])
        assert session is not None
        nudges: list[None] = []
        handler = EventHandler(self.database, OwnLedger(self.ledger_id), postings, sagas, lambda: nudges.append(None))
        return Worker(self.database, self.workers, session, handler, nudges)

    async def play(self, *deliveries: Delivery) -> Self:
        """Receive webhooks and apply them."""
        await self.receive(*deliveries)
        await (await self.worker()).drain()
        return self

    async def outcome(self, delivery: Delivery) -> EventOutcome | None:
        async with self.database.connection() as connection:
            message = await find_message(connection, Source.LOANS, delivery.webhook_id)
            assert message is not None
            return await store.get_outcome(connection, message.id)

    async def dead_letters(self) -> list[DeadLetter]:
        async with self.database.connection() as connection:
            return await list_dead_letters(connection)

    async def balances(self) -> dict[str, int]:
        """Posted balances by account name, each seen from its normal side; accounts at zero are left out."""
        async with self.database.connection() as connection:
            accounts = await ledger_store.trial_balance(connection, self.ledger_id)
            assert await ledger_store.verify(connection, self.ledger_id) == []
        return {account.name: account.posted for account in accounts if account.posted}

    async def ledger(self) -> MemoryLedger:
        """The ledger's live transactions, to be compared with the reference's."""
        async with self.database.connection() as connection:
            written = await ledger_store.transactions_of(connection, self.ledger_id, {})
        ledger = MemoryLedger()
        for one in written:
            assert one.external_id is not None
            entries = tuple(NewEntry(e.account, Direction(e.direction), e.amount) for e in one.entries)
            if one.status is Status.ARCHIVED:
                ledger.archived.append((one.external_id, one.archived_reason or ""))
            else:
                transaction = NewTransaction(
                    one.external_id, one.status, midnight(one.effective_date), one.description, one.metadata, entries
                )
                ledger.write(Create(transaction))
        return ledger

    async def movements(self) -> list[str]:
        """What must happen in the borrower's books, one saga each, as stored."""
        async with self.database.connection() as connection:
            rows = await connection.fetch("select movement::text as movement from sagas order by id")
        return [row["movement"] for row in rows]
