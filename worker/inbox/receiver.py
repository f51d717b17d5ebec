"""Group commit: messages that arrive together are stored together, and each is answered once its commit is durable.

There is no waiting for company. The first message starts a flush at once; those that come while it is on its way to
the disk form the next one. Under load batches grow by themselves, alone a message pays for nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from worker.database import Database
from worker.errors import DatabaseUnavailable, Unavailable
from worker.inbox import store
from worker.inbox.messages import NewMessage
from worker.inbox.store import Verdict

FLUSHES_IN_FLIGHT: Final = 2
"""While one waits for the disk the next can be sent; more would only make batches smaller."""

MESSAGES_PER_FLUSH: Final = 500
"""Longest batch: a few milliseconds of server time, so that nobody waits for strangers."""

WAITING_MESSAGES: Final = 4_000
"""Most messages waiting for a flush: about a quarter of a second of work on a small machine."""

WAITING_BYTES: Final = 32 * 1024 * 1024
"""Most bytes of bodies waiting, whatever their number: a bound on memory."""

log = structlog.get_logger(__name__)


class InboxFull(Unavailable):
    """More messages are waiting to be stored than this process holds; the sender should come back."""


class NotStored(Unavailable):
    """The database refused the message for a reason of ours; nothing was acknowledged, and it was logged."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    message: NewMessage
    answer: asyncio.Future[Verdict]


class Receiver:
    """Stores messages in shared commits. ``nudge`` is called after each commit that queued something."""

    def __init__(self, database: Database, nudge: Callable[[], None]) -> None:
        self._database = database
        self._nudge = nudge
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._flushes: set[asyncio.Task[None]] = set()
        self._flushing = 0
        self._closed = False

    async def accept(self, message: NewMessage) -> Verdict:
        """Returns once the message is durable, deduplicated and queued.

        Raises :class:`~worker.errors.Unavailable` when it is not: the database is away, too many are waiting, or the
        receiver is closed. A caller that is cancelled leaves its message in the batch.
        """
        if self._closed:
            raise Unavailable("the service is shutting down")
        if len(self._waiting) >= WAITING_MESSAGES or self._waiting_bytes + len(message.body) > WAITING_BYTES:
            raise InboxFull(f"{len(self._waiting)} messages are waiting to be stored")
        waiting = _Waiting(message, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._waiting_bytes += len(message.body)
        if self._flushing < FLUSHES_IN_FLIGHT:
            self._flushing += 1
            flush = asyncio.create_task(self._flush())
            self._flushes.add(flush)
            flush.add_done_callback(self._flushes.discard)
        return await waiting.answer

    async def close(self) -> None:
        """Stores what was accepted and takes nothing more."""
        self._closed = True
        while self._flushes:
            await asyncio.gather(*self._flushes)

    async def _flush(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MESSAGES_PER_FLUSH))]
                self._waiting_bytes -= sum(len(each.message.body) for each in batch)
                await self._store(batch)
        finally:
            # In the same step as the last look at what waits: a task only counts as done some steps later, and a
            # message that came in between would find nobody to store it.
            self._flushing -= 1

    async def _store(self, batch: Sequence[_Waiting]) -> None:
        try:
            async with self._database.connection() as connection:
                verdicts = await store.record_messages(connection, [each.message for each in batch])
        except DatabaseUnavailable as error:
            _fail(batch, error)
        except Exception as error:
            if len(batch) == 1:
                log.exception("message_not_stored", event_id=batch[0].message.webhook_id)
                _fail(batch, NotStored("the message could not be stored: see message_not_stored in the log"))
                return
            # One body the database chokes on must not fail its neighbours; a deadlock or a time-out dissolves likewise.
            log.warning("batch_split", messages=len(batch), error=str(error))
            for each in batch:
                await self._store([each])
        else:
            if any(isinstance(verdict, store.Recorded) for verdict in verdicts):
                self._nudge()
            for each, verdict in zip(batch, verdicts, strict=True):
                if not each.answer.done():  # a sender that hung up cancelled its own wait, nobody else's
                    each.answer.set_result(verdict)


def _fail(batch: Sequence[_Waiting], error: Unavailable) -> None:
    for each in batch:
        if not each.answer.done():
            each.answer.set_exception(type(error)(*error.args))
