"""Sending the outbox: one row of a lane after the other, each until it has certainly taken effect exactly once.

The row is read, the request is sent, the effect is recorded: three moments, between any two of which the process may
die. Whoever takes the job next sends the same request again. Within a day the same Idempotency-Key answers it as the
first time; later the external id is taken, and what is there is compared with what was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final, assert_never
from uuid import UUID

import structlog

from worker.database import Database
from worker.errors import Bug, DatabaseUnavailable, unforeseen
from worker.jobs.job import Claim, Done, Job, Outcome, Park, Retry, Settled, Snooze
from worker.jobs.store import finish_jobs
from worker.telemetry import about
from worker.treasury import outbox_store as store
from worker.treasury.chart import Chart
from worker.treasury.client import TreasuryClient
from worker.treasury.objects import Transaction, transaction_differences, way_out
from worker.treasury.payloads import posting_key, with_account_ids
from worker.treasury.posting import Posting, PostingKind
from worker.treasury.replies import (
    Found,
    NeedsPersonError,
    Refused,
    RefusedError,
    Reply,
    TreasuryDeniedError,
    TreasuryUnavailableError,
)

MOST_ATTEMPTS: Final = 9_999
"""Failures in a row before a posting is left to a person: seven weeks of an outage, tried at least every quarter of an
hour. It is one less than the queue itself allows, which would let the lane go on without it."""

ARCHIVED: Final = "archived"

_log = structlog.get_logger(__name__)


class DeliveryHandler:
    """Handler of the queue's ``deliver_posting`` jobs; a job's subject is the row's id.

    No posting ever becomes a dead letter by itself: its lane would go on with the loan's next one, out of order. One
    that cannot succeed is parked with its reason and keeps the lane until a person retries or buries its job.
    """

    def __init__(self, database: Database, client: TreasuryClient, chart: Chart) -> None:
        self._database = database
        self._client = client
        self._chart = chart

    async def __call__(self, claim: Claim) -> Sequence[Outcome]:
        """Deliver each row of the claim. Raises :class:`~worker.errors.DatabaseUnavailable`, which costs no attempt."""
        return [await self._attempt(claim.worker_id, job) for job in claim.jobs]

    async def _attempt(self, worker_id: int, job: Job) -> Outcome:
        try:
            return await self._deliver(worker_id, job)
        except DatabaseUnavailable:
            raise
        except TreasuryUnavailableError as error:
            _log.warning("posting_delayed", posting_id=job.subject, reason=str(error))
            outcome: Outcome = Snooze(error.wait) if error.wait else Retry(str(error))
        except TreasuryDeniedError as error:
            _log.error("posting_denied", posting_id=job.subject, reason=str(error))
            outcome = Retry(str(error))
        except NeedsPersonError as error:
            _log.error("posting_left_to_a_person", posting_id=job.subject, reason=str(error))
            outcome = Park(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the loan's order outlives it
            _log.exception("posting_failed", posting_id=job.subject, attempt=job.attempt)
            outcome = Retry(unforeseen(error, "posting_failed"))
        return Park(outcome.error) if isinstance(outcome, Retry) and job.attempt >= MOST_ATTEMPTS else outcome

    async def _deliver(self, worker_id: int, job: Job) -> Outcome:
        async with self._database.connection() as connection:
            posting = await store.load_posting(connection, job.subject)
        if posting is None:
            raise Bug(f"there is no posting {job.subject}")
        if posting.is_delivered:
            return Done()
        with _about(posting):
            ledger_id = await self._chart.ledger_id()
            transaction_id = await self._carry_out(ledger_id, posting)
            async with self._database.transaction() as connection:
                await store.record_delivery(connection, posting.id, ledger_id, transaction_id)
                # A job that somebody else has by now is theirs to finish; it was delivered all the same.
                await finish_jobs(connection, worker_id, [job.id])
            _log.info("posting_delivered", posting_id=posting.id, kind=posting.kind.value)
        return Settled()

    async def _carry_out(self, ledger_id: UUID, posting: Posting) -> UUID | None:
        """The transaction that the row created or changed."""
        try:
            return await self._send(ledger_id, posting)
        except RefusedError:
            # Perhaps an account was discarded there: whatever is gone is found or made anew.
            if not await self._chart.forget_missing(ledger_id, posting.accounts):
                raise
        return await self._send(ledger_id, posting)

    async def _send(self, ledger_id: UUID, posting: Posting) -> UUID | None:
        account_ids = await self._chart.account_ids(ledger_id, posting.accounts)
        match posting.kind:
            case PostingKind.OPEN:
                return None
            case PostingKind.CREATE:
                return await self._create(ledger_id, posting, account_ids)
            case PostingKind.POST | PostingKind.ARCHIVE:
                return await self._change(ledger_id, posting)
            case PostingKind.REVERSE:
                return await self._reverse(ledger_id, posting)
            case _:
                assert_never(posting.kind)

    async def _create(self, ledger_id: UUID, posting: Posting, account_ids: dict[str, UUID]) -> UUID:
        body = with_account_ids(posting.body, account_ids)
        reply = await self._client.create_transaction(body, _key(ledger_id, posting))
        created = await self._written(ledger_id, posting, str(posting.target), reply)
        if differences := transaction_differences(body, created):
            words = f"another transaction has the external id {posting.target}: {differences}"
            raise NeedsPersonError(f"{words}; {way_out(created)}")
        return created.id

    async def _change(self, ledger_id: UUID, posting: Posting) -> UUID:
        transaction_id = await self._id_of_target(ledger_id, posting)
        reply = await self._client.change_transaction(transaction_id, posting.body)
        refusal = ""
        if isinstance(reply, Refused):  # perhaps because it was changed before
            refusal, reply = f"{reply}; ", await self._client.get_transaction(transaction_id)
        if isinstance(reply, Refused):
            raise NeedsPersonError(f"transaction {posting.target} ({transaction_id}) cannot be read: {reply}")
        if differences := transaction_differences(posting.body, reply.value):
            words = f"{refusal}transaction {posting.target} ({transaction_id}): {differences}"
            raise NeedsPersonError(f"{words}; {way_out(reply.value)}")
        return transaction_id

    async def _reverse(self, ledger_id: UUID, posting: Posting) -> UUID:
        original_id = await self._id_of_target(ledger_id, posting)
        reply = await self._client.reverse_transaction(original_id, posting.body, _key(ledger_id, posting))
        reversal = await self._written(ledger_id, posting, str(posting.body["external_id"]), reply)
        differences = transaction_differences(posting.body, reversal)
        if reversal.reverses != original_id:
            differences = f"it reverses {reversal.reverses}, not {original_id}; {differences}".removesuffix("; ")
        if differences:
            words = f"another transaction has the external id {reversal.external_id}: {differences}"
            raise NeedsPersonError(f"{words}; {way_out(reversal)}")
        return reversal.id

    async def _written(
        self, ledger_id: UUID, posting: Posting, external_id: str, reply: Reply[Transaction]
    ) -> Transaction:
        """What a request created, now or when it was sent before."""
        match reply:
            case Found(transaction):
                return transaction
            case Refused():
                live = await self._find_live(ledger_id, external_id)
                if live is not None:
                    return live
                words = f"{posting.kind} of transaction {posting.target} is refused: {reply}"
                # What has the external id must be there: lists may lag behind for some seconds.
                raise TreasuryUnavailableError(words) if reply.is_external_id_taken else RefusedError(words)

    async def _find_live(self, ledger_id: UUID, external_id: str) -> Transaction | None:
        found = await self._client.find_transactions(ledger_id, external_id)
        return next((one for one in found if one.status != ARCHIVED), None)

    async def _id_of_target(self, ledger_id: UUID, posting: Posting) -> UUID:
        """The transaction to change: as this outbox created it, else as it is found there."""
        external_id = str(posting.target)
        async with self._database.connection() as connection:
            known = await store.find_transaction(connection, ledger_id, external_id)
        if known is not None:
            return known
        found = await self._client.find_transactions(ledger_id, external_id)
        candidates = [one for one in found if one.status != ARCHIVED or posting.kind is PostingKind.ARCHIVE]
        if not candidates:
            raise NeedsPersonError(f"there is no transaction {external_id} to {posting.kind}")
        return min(candidates, key=lambda one: one.status == ARCHIVED).id


def _about(posting: Posting) -> AbstractContextManager[None]:
    if posting.loan_id is None:
        return about(event_id=posting.event_id)
    return about(event_id=posting.event_id, loan_id=posting.loan_id)


def _key(ledger_id: UUID, posting: Posting) -> UUID:
    return posting_key(ledger_id, posting.event_id, posting.place)
