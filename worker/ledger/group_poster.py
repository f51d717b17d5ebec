"""Group commit for the ledger: operations that arrive together are posted together, each with its own result.

There is no waiting for company. A ledger's first operation starts a batch at once; those that come while it is under
way form the next one. One batch per ledger is being written at a time, in one process, and another may be decided
meanwhile (:mod:`worker.ledger.foresight`), by the one process that was elected to (:mod:`worker.ledger.election`). What
keeps the books right are the locks and the checks in the database, whoever else posts there.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

import structlog

from worker.database import Connection, Database
from worker.errors import DatabaseUnavailable, Unavailable
from worker.ledger import poster
from worker.ledger.election import Election
from worker.ledger.foresight import Foreseen, foresee
from worker.ledger.lane import Lane, Waiting
from worker.ledger.memory import Memory
from worker.ledger.transaction import Operation, Result

WAITING_OPERATIONS: Final = 4_000
"""Most operations waiting, of all ledgers: about two seconds of work on a small machine."""

SHARE_OF_POOL: Final = Fraction(2, 5)
"""Connections that batches under way may hold, of all ledgers: the rest is for reading, which shall go on."""

CAREFUL_BATCHES: Final = 8
"""Batches of a ledger that go under locks at once after one was decided in vain: somebody else is posting there too."""

ATTEMPTS: Final = 2
"""Times a batch is tried before it is halved: a race with another process (an external id, a deadlock) is over then."""

ATTEMPTS_ALONE: Final = 4
"""Times an operation is tried once it is alone and might still be losing races."""

log = structlog.get_logger(__name__)

Ticket_contra = TypeVar("Ticket_contra", contravariant=True)
Reply_co = TypeVar("Reply_co", covariant=True)
Ticket = TypeVar("Ticket")
Reply = TypeVar("Reply")


class Companion(Protocol[Ticket_contra, Reply_co]):
    """What is read and written beside the ledger in a batch's own transaction, for operations that carry a ticket."""

    async def admit(self, connection: Connection, tickets: Sequence[Ticket_contra]) -> Sequence[Reply_co | None]:
        """Before posting: for each ticket the answer that stands instead of its operation, None to go on."""

    async def keep(self, connection: Connection, outcomes: Sequence[tuple[Ticket_contra, Result]]) -> None:
        """After posting: write what shall be remembered of the outcomes, in the same commit."""


class LedgerBusy(Unavailable):
    """More operations are waiting than this process holds; the caller should come back."""


class NotPosted(Unavailable):
    """The database refused the operation for a reason of ours; nothing was written, and it was logged."""


@dataclass(frozen=True, slots=True)
class _Flight(Generic[Ticket, Reply]):
    """A batch on its way into the books."""

    batch: Sequence[Waiting[Ticket, Reply]]
    foreseen: asyncio.Future[Foreseen | None]
    """What it will leave behind, as soon as that is known; None when nothing can be built on it."""
    landed: asyncio.Future[bool]
    """Done as soon as it is durable, which the one behind may wait for; False when it did not go as it was foreseen."""
    answered: asyncio.Future[None]
    """Done once everybody in it has an answer, and may have come back with the next operation."""

    @property
    def has_landed(self) -> bool:
        """Whether it is durable by now, as it was foreseen."""
        return self.landed.done() and self.landed.result()


class _NotAsForeseenError(Exception):
    """The batch can not be written as it was decided: it has to be posted under locks."""


class _OvertakenError(_NotAsForeseenError):
    """The batch was refused by the database: it does not go on from what is there."""


class GroupPoster(Generic[Ticket, Reply]):
    """Posts operations in shared commits. A ``companion`` may keep records of its own in each."""

    def __init__(self, database: Database, companion: Companion[Ticket, Reply] | None = None) -> None:
        self._database = database
        self._companion = companion
        self._lanes: dict[UUID, Lane[Ticket, Reply]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(max(1, int(SHARE_OF_POOL * database.max_connections)))
        self._election = Election(database)
        self._memory = Memory()
        self._careful: Counter[UUID] = Counter()
        self._waiting = 0
        self._closed = False

    async def submit(self, ledger_id: UUID, operation: Operation, ticket: Ticket | None = None) -> Result | Reply:
        """Post the operation and return its result once it is durable, or what the companion answered instead.

        Raises :class:`~worker.errors.DatabaseUnavailable` when the database is away, after which it is unknown whether
        the operation took effect; :class:`LedgerBusy` and :class:`NotPosted`, after which it did not. A caller that is
        cancelled leaves its operation in the batch.
        """
        if self._closed:
            raise Unavailable("the service is shutting down")
        if self._waiting >= WAITING_OPERATIONS:
            raise LedgerBusy(f"{self._waiting} operations are waiting to be posted")
        answer: asyncio.Future[Result | Reply] = asyncio.get_running_loop().create_future()
        self._waiting += 1
        lane = self._lanes.get(ledger_id)
        if lane is None:
            lane = self._lanes[ledger_id] = Lane()
            self._start(self._flush(ledger_id, lane))
        lane.add(Waiting(operation, ticket, answer))
        return await answer

    async def close(self) -> None:
        """Post what was accepted and take nothing more."""
        self._closed = True
        while self._tasks:
            await asyncio.gather(*self._tasks)
        await self._election.close()

    async def _flush(self, ledger_id: UUID, lane: Lane[Ticket, Reply]) -> None:
        """Post what waits, batch by batch; a batch worth it is decided while the one before it is being written."""
        ahead: _Flight[Ticket, Reply] | None = None
        try:
            while lane.waiting or ahead:
                if ahead is None:
                    ahead = self._launch(ledger_id, lane.take(None), None)
                behind = None
                if await ahead.foreseen and await lane.has_company(ahead.answered):
                    behind = self._launch(ledger_id, lane.take(len(ahead.batch)), ahead)
                await ahead.answered
                ahead = behind
        finally:
            # In the same step as the last look at what waits: an operation that comes later starts a lane of its own.
            del self._lanes[ledger_id]

    def _launch(
        self,
        ledger_id: UUID,
        batch: Sequence[Waiting[Ticket, Reply]],
        before: _Flight[Ticket, Reply] | None,
    ) -> _Flight[Ticket, Reply]:
        loop = asyncio.get_running_loop()
        flight = _Flight(batch, loop.create_future(), loop.create_future(), loop.create_future())
        self._start(self._fly(ledger_id, flight, before))
        return flight

    async def _fly(
        self, ledger_id: UUID, flight: _Flight[Ticket, Reply], before: _Flight[Ticket, Reply] | None
    ) -> None:
        """Post a batch as it was foreseen, or else under locks; answer everybody in it."""
        as_foreseen = False
        try:
            async with self._turns:
                self._waiting -= len(flight.batch)
                answers = await self._post_foreseen(ledger_id, flight, before)
                as_foreseen = answers is not None
                if answers is None:
                    await self._settle(ledger_id, flight.batch, ATTEMPTS)
                else:
                    flight.landed.set_result(True)  # before the answers: the batch behind goes ahead of new callers
                    _answer_all(flight.batch, answers)
        except DatabaseUnavailable as error:
            self._memory.clear()
            _fail(flight.batch, error)
        finally:
            _fail(flight.batch, Unavailable("the service is shutting down"))  # whoever is left, if it was cancelled
            if not flight.foreseen.done():
                flight.foreseen.set_result(None)
            if not flight.landed.done():
                flight.landed.set_result(as_foreseen)
            flight.answered.set_result(None)

    async def _post_foreseen(
        self, ledger_id: UUID, flight: _Flight[Ticket, Reply], before: _Flight[Ticket, Reply] | None
    ) -> Sequence[Result | Reply] | None:
        """What the batch came to; None when it can not be written as it was decided, and nothing was."""
        try:
            return await self._write_foreseen(ledger_id, flight, before)
        except _OvertakenError:
            if before is None or await before.landed:  # by somebody else than the batch before, decided anew
                self._careful[ledger_id] = CAREFUL_BATCHES
            return None
        except _NotAsForeseenError:
            return None
        except DatabaseUnavailable:
            raise
        except Exception:
            log.warning("ledger_batch_not_foreseen", operations=len(flight.batch), exc_info=True)
            return None

    async def _write_foreseen(
        self, ledger_id: UUID, flight: _Flight[Ticket, Reply], before: _Flight[Ticket, Reply] | None
    ) -> Sequence[Result | Reply]:
        batch = flight.batch
        if not self._election.is_won(ledger_id) or self._was_overtaken(ledger_id):
            raise _NotAsForeseenError
        async with self._connect(batch) as connection:
            told = await self._admit(connection, batch)
            operations = [each.operation for place, each in enumerate(batch) if place not in told]
            ahead = before.foreseen.result() if before else None
            foreseen = await foresee(connection, ledger_id, operations, ahead, self._memory)
            if foreseen is None:
                raise _NotAsForeseenError
            flight.foreseen.set_result(foreseen)
            # The tables let nothing stand that does not go on from the batch before; of the rest, it has to be known.
            waits = before is not None and not foreseen.rests_on_tables and not before.has_landed
            if not waits:
                await self._write(connection, batch, told, foreseen)
        if before and waits:
            told = await self._write_behind(before, batch, told, foreseen)
        self._memory.keep(foreseen.accounts.values())
        return _in_order(batch, told, foreseen.results)

    async def _write_behind(
        self,
        before: _Flight[Ticket, Reply],
        batch: Sequence[Waiting[Ticket, Reply]],
        told: Mapping[int, Reply],
        foreseen: Foreseen,
    ) -> dict[int, Reply]:
        """Write a batch once the one before it is durable; what its tickets are told by then.

        It waits without a connection, which the one before may need for another try, and without a transaction, which
        the server would end.
        """
        if not await before.landed:
            raise _NotAsForeseenError
        async with self._connect(batch) as connection:
            again = await self._admit(connection, batch)
            if again.keys() != told.keys():
                raise _NotAsForeseenError
            await self._write(connection, batch, again, foreseen)
        return again

    def _connect(self, batch: Sequence[Waiting[Ticket, Reply]]) -> AbstractAsyncContextManager[Connection]:
        """A connection, within a transaction if the companion is to read and write beside the batch."""
        recorded = self._companion is not None and any(each.ticket is not None for each in batch)
        return self._database.transaction() if recorded else self._database.connection()

    async def _write(
        self,
        connection: Connection,
        batch: Sequence[Waiting[Ticket, Reply]],
        told: Mapping[int, Reply],
        foreseen: Foreseen,
    ) -> None:
        if not await foreseen.write(connection, self._memory):
            self._memory.forget(foreseen.accounts)
            self._memory.forget_clock()
            raise _OvertakenError
        admitted = [each for place, each in enumerate(batch) if place not in told]
        await self._keep(connection, admitted, foreseen.results)

    def _was_overtaken(self, ledger_id: UUID) -> bool:
        """Whether a batch was decided in vain a few batches ago."""
        if not self._careful[ledger_id]:
            return False
        self._careful[ledger_id] -= 1
        return True

    async def _settle(self, ledger_id: UUID, batch: Sequence[Waiting[Ticket, Reply]], attempts: int) -> None:
        """Answer everybody in the batch; whatever fails is tried again, then halved until it fails alone."""
        try:
            answers = await self._post(ledger_id, batch)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            if attempts > 1:
                await self._settle(ledger_id, batch, attempts - 1)
            elif len(batch) > 1:
                log.warning("ledger_batch_split", operations=len(batch), error=str(error))
                middle = len(batch) // 2
                for half in (batch[:middle], batch[middle:]):
                    await self._settle(ledger_id, half, ATTEMPTS if len(half) > 1 else ATTEMPTS_ALONE)
            else:
                log.exception("ledger_operation_not_posted", operation=type(batch[0].operation).__name__)
                _fail(batch, NotPosted("the operation could not be posted: see ledger_operation_not_posted in the log"))
        else:
            _answer_all(batch, answers)

    async def _post(self, ledger_id: UUID, batch: Sequence[Waiting[Ticket, Reply]]) -> Sequence[Result | Reply]:
        async with self._database.transaction() as connection:
            told = await self._admit(connection, batch)
            admitted = [each for place, each in enumerate(batch) if place not in told]
            posted = await poster.post_batch(connection, ledger_id, [each.operation for each in admitted])
            await self._keep(connection, admitted, posted.results)
        self._memory.keep(posted.accounts)
        if posted.now is not None:
            self._memory.set_clock(posted.now)
        return _in_order(batch, told, posted.results)

    async def _admit(self, connection: Connection, batch: Sequence[Waiting[Ticket, Reply]]) -> dict[int, Reply]:
        tickets = [(place, each.ticket) for place, each in enumerate(batch) if each.ticket is not None]
        if not self._companion or not tickets:
            return {}
        told = await self._companion.admit(connection, [ticket for _, ticket in tickets])
        return {place: reply for (place, _), reply in zip(tickets, told, strict=True) if reply is not None}

    async def _keep(
        self, connection: Connection, admitted: Sequence[Waiting[Ticket, Reply]], results: Sequence[Result]
    ) -> None:
        outcomes = [
            (each.ticket, result) for each, result in zip(admitted, results, strict=True) if each.ticket is not None
        ]
        if self._companion and outcomes:
            await self._companion.keep(connection, outcomes)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _in_order(
    batch: Sequence[Waiting[Ticket, Reply]], told: Mapping[int, Reply], results: Sequence[Result]
) -> Sequence[Result | Reply]:
    if not told:
        return results
    posted = iter(results)
    return [told[place] if place in told else next(posted) for place in range(len(batch))]


def _answer_all(batch: Sequence[Waiting[Ticket, Reply]], answers: Sequence[Result | Reply]) -> None:
    for waiting, answer in zip(batch, answers, strict=True):
        if not waiting.answer.done():  # a caller that hung up cancelled its own wait, nobody else's
            waiting.answer.set_result(answer)


def _fail(batch: Sequence[Waiting[Ticket, Reply]], error: Unavailable) -> None:
    for each in batch:
        if not each.answer.done():
            each.answer.set_exception(type(error)(*error.args))
