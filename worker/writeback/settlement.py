"""Hearing Codat's webhooks. None is believed: a webhook only says when to look, and the saga looks for itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, assert_never

from worker import wire
from worker.codat import store as codat_store
from worker.database import Connection
from worker.errors import Rejected
from worker.inbox import store as inbox_store
from worker.inbox.codat_webhooks import (
    ConnectionChanged,
    Ignored,
    Notice,
    PushStatusChanged,
    RateLimit,
    parse_codat_webhook,
)
from worker.jobs.job import Bury, Claim, Done, Outcome
from worker.writeback import store
from worker.writeback.desk import Desk, logger

QUOTA_PAUSE: Final = timedelta(minutes=15)
"""How long nobody asks Codat anything when it says the daily quota is used up but not until when."""

PUSH_WEBHOOK_RETENTION: Final = timedelta(days=2)
"""How long a push webhook is kept for an answer it may have overtaken: twice the time a lost answer is looked for."""


class WebhookHandler:
    """Handler of the queue's ``codat_webhook`` jobs; a job's subject is the inbox message's id."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, claim: Claim) -> Sequence[Outcome]:
        """Act on each webhook of the claim; hearing one twice changes nothing."""
        return [await self.hear(job.subject) for job in claim.jobs]

    async def hear(self, message_id: int) -> Outcome:
        """Act on one stored webhook, in one transaction."""
        async with self._desk.database.transaction() as connection:
            message = await inbox_store.get_message(connection, message_id)
            if message is None:
                return Bury("missing_message", f"inbox message {message_id} is not stored")
            try:
                notice = parse_codat_webhook(message.body)
            except Rejected as error:
                return Bury("unreadable_webhook", str(error))
            await _heed(connection, notice, self._desk.clock())
        return Done()


async def _heed(connection: Connection, notice: Notice, now: datetime) -> None:
    match notice:
        case PushStatusChanged(push_operation_key=key, status=status):
            saga_id = await store.note_push_webhook(connection, key, status, now, PUSH_WEBHOOK_RETENTION)
            if saga_id is not None:
                await store.wake_sagas(connection, [saga_id])
            logger.info("push webhook heard", push_operation_key=str(key), status=status, saga_id=saga_id)
        case ConnectionChanged(connection_id=connection_id, status=status):
            await store.expire_connection(connection, connection_id)
            await store.wake_connection(connection, connection_id)
            logger.info("connection webhook heard", connection_id=str(connection_id), status=status)
        case RateLimit(reached=True, expires=expires):
            until = wire.moment({"expires": expires}, "expires") or now + QUOTA_PAUSE
            await codat_store.close_gate(connection, until, now)
        case RateLimit(quota_remaining=remaining):
            await codat_store.open_gate(connection, remaining)
        case Ignored():
            pass
        case _:
            assert_never(notice)
