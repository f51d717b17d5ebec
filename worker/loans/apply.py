"""The handler of loan events: a batch of jobs, one database transaction.

In this order, each a fixed number of statements however large the batch: fence the jobs, load what is known, decide,
lock the investors concerned, post the ledger, write what changed, end the waits of held events, create the sagas,
finish the jobs. The process may die after any of them: nothing is true before the commit, everything after it.

Loans need no locks of their own, their lane runs one event at a time. Investors' totals are changed from many loans'
lanes and from the investor's own, hence locked: whoever finds too little to distribute writes its hold under that
lock, and whoever adds to it looks for holds under the same lock, so that no wake-up is lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from worker.database import Connection, Database
from worker.errors import Bug, DatabaseUnavailable, Rejected, WritebackError, unforeseen
from worker.inbox.messages import APPLY_EVENT
from worker.inbox.store import Message, load_messages
from worker.jobs.job import Bury, Claim, Job, NewJob, Outcome, Retry, Settled, lane
from worker.jobs.store import enqueue_jobs, finish_jobs, hold_jobs
from worker.ledger import poster
from worker.ledger.store import NotAdoptedError, ensure_accounts
from worker.ledger.transaction import Posted, RefusalCode, Refused, Replayed
from worker.loans import store
from worker.loans.batch import Batch, Decided, Incoming, PostedEvents, Subject, SubjectKind
from worker.loans.decision import Apply, Duplicate, Hold, Refuse, settled
from worker.loans.event_text import parse_event
from worker.loans.events import CapitalContributed, CapitalDistributed, CashReceived, CashSwept, ExpenseIncurred
from worker.loans.loan import FactKey, Loan
from worker.loans.postings import Postings
from worker.loans.store import NewOutcome
from worker.writeback.movement import NewSaga

IMPOSSIBLE_EVENT: Final = "impossible_event"
"""Reason class of a dead letter whose event can never be right."""

LEDGER_REFUSED: Final = "ledger_refused"
"""Reason class of a dead letter whose transaction, or an account of it, the ledger did not accept."""

_log = structlog.get_logger(__name__)

CreateSagas = Callable[[Connection, Sequence[NewSaga]], Awaitable[Sequence[NewJob]]]
"""Stores sagas inside the caller's transaction and returns the jobs that drive them."""

PostEvents = Callable[[Connection, Sequence[Decided]], Awaitable[PostedEvents]]
"""Writes decided events into the lender's ledger, or into the outbox to it, inside the caller's transaction."""


class PostingError(WritebackError):
    """The ledger did not accept a transaction that the loan's own rules allow; its batch is rolled back."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(f"{refused.code}: {refused.detail}")
        self.code = refused.code


@dataclass(frozen=True, slots=True)
class _Read:
    """The jobs' messages as events, and the answers to those that are no events or took effect before."""

    incoming: tuple[Incoming, ...]
    answers: tuple[NewOutcome, ...]


class OwnLedger:
    """Posts events to the ledger in this very database, inside the transaction that applies them."""

    def __init__(self, ledger_id: UUID) -> None:
        self._ledger_id = ledger_id

    async def __call__(self, connection: Connection, decided: Sequence[Decided]) -> PostedEvents:
        """Post all operations together.

        Raises :class:`PostingError` when the ledger does not accept one of them, and
        :class:`~worker.ledger.store.NotAdoptedError` when an account of somebody else's is in the way.
        """
        accounts = [account for one in decided for account in one.posting.accounts]
        if accounts:
            await ensure_accounts(connection, self._ledger_id, accounts)
        owners = [one.incoming.message_id for one in decided for _ in one.posting.operations]
        operations = [operation for one in decided for operation in one.posting.operations]
        transaction_ids: dict[int, UUID] = {}
        results = await poster.post(connection, self._ledger_id, operations)
        for message_id, result in zip(owners, results, strict=True):
            match result:
                case Posted(transaction_id) | Replayed(transaction_id):
                    transaction_ids[message_id] = transaction_id
                case Refused():
                    raise PostingError(result)
        return PostedEvents(transaction_ids)


class EventHandler:
    """Applies loan events; the queue's handler of ``apply_event`` jobs, whose subjects are inbox messages."""

    def __init__(
        self,
        database: Database,
        post_events: PostEvents,
        postings: Postings,
        create_sagas: CreateSagas,
        nudge: Callable[[], None],
    ) -> None:
        self._database = database
        self._post_events = post_events
        self._postings = postings
        self._create_sagas = create_sagas
        self._nudge = nudge

    async def __call__(self, claim: Claim) -> list[Outcome]:
        """One answer per job. Raises :class:`~worker.errors.DatabaseUnavailable`, which costs no job an attempt."""
        answers = await self._apply(claim.worker_id, claim.jobs)
        return [answers[job.id] for job in claim.jobs]

    async def _apply(self, worker_id: int, jobs: Sequence[Job]) -> dict[int, Outcome]:
        """Apply together what can be applied together; whatever fails is halved until it fails alone."""
        try:
            answers = await self._apply_together(worker_id, jobs)
        except Exception as error:
            if isinstance(error, DatabaseUnavailable):
                raise  # no event is to blame
            # Whatever else it is, it must not take its neighbours with it.
            _log.exception("events_not_applied", job_ids=[job.id for job in jobs])
            if len(jobs) == 1:
                return {jobs[0].id: _give_up(error)}
        else:
            self._nudge()
            return answers
        middle = len(jobs) // 2
        return await self._apply(worker_id, jobs[:middle]) | await self._apply(worker_id, jobs[middle:])

    async def _apply_together(self, worker_id: int, jobs: Sequence[Job]) -> dict[int, Outcome]:
        async with self._database.transaction() as connection:
            held = await hold_jobs(connection, worker_id, [job.id for job in jobs])
            mine = [job for job in jobs if job.id in held]
            read = await _read(connection, mine)
            batch = await _decide(connection, read.incoming, self._postings)
            posted = await self._post_events(connection, batch.decided)
            ids = posted.transaction_ids
            outcomes = [NewOutcome.of(one, ids.get(one.incoming.message_id)) for one in batch.decided]
            outcomes += read.answers
            await _write(connection, batch, outcomes)
            released = await store.release_held(connection, batch.news) if batch.news else []
            refused = _refused(outcomes)
            await _finish(connection, worker_id, [job for job in mine if job.subject not in refused])
            jobs_of_sagas = await self._create_sagas(connection, _sagas(batch, ids))
            # Lane locks come last and all at once, see the queue's lock order.
            again = [_job_of(message_id, subject) for message_id, subject in released]
            await enqueue_jobs(connection, [*again, *jobs_of_sagas, *posted.jobs])
        for one in batch.decided:
            _tell(one)
        return {job.id: refused.get(job.subject, Settled()) for job in jobs}


async def _read(connection: Connection, jobs: Sequence[Job]) -> _Read:
    message_ids = [job.subject for job in jobs]
    messages = await load_messages(connection, message_ids)
    applied = await store.find_applied(connection, message_ids)
    incoming, answers = [], []
    for message_id in message_ids:
        if message_id in applied:
            continue
        message = messages.get(message_id)
        if message is None:
            raise Bug(f"job of message {message_id}, which does not exist")
        try:
            incoming.append(Incoming(message_id, message.webhook_id, parse_event(message.body)))
        except Rejected as error:
            refusal = Refuse(error.field or "type", error.detail)
            answers.append(NewOutcome(message_id, _unread_subject(message), refusal))
    return _Read(tuple(incoming), tuple(answers))


def _unread_subject(message: Message) -> Subject:
    if message.loan_id is None:
        return Subject(SubjectKind.EVENT, message.webhook_id)
    return Subject(SubjectKind.LOAN, message.loan_id)


async def _decide(connection: Connection, incoming: Sequence[Incoming], postings: Postings) -> Batch:
    loan_ids = {one.subject.id for one in incoming if one.subject.kind is SubjectKind.LOAN}
    keys = [(one.subject.id, key) for one in incoming for key in one.keys]
    batch = Batch(
        await store.load_loans(connection, loan_ids) if loan_ids else {},
        await store.load_facts(connection, keys) if keys else {},
        await _reversals_in_hand(connection, keys),
        postings,
    )
    batch.decide_loans(incoming)
    concerned = batch.investors_concerned(incoming)
    batch.decide_investors(incoming, await store.lock_investors(connection, concerned) if concerned else {})
    return batch


async def _reversals_in_hand(connection: Connection, keys: Sequence[tuple[str, FactKey]]) -> dict[str, set[FactKey]]:
    reversible = {(loan_id, settled(key)): key for loan_id, key in keys if key.kind.reversible}
    waited_for = await store.find_needs_waited_for(connection, list(reversible)) if reversible else set()
    in_hand: dict[str, set[FactKey]] = {}
    for loan_id, need in waited_for:
        in_hand.setdefault(loan_id, set()).add(reversible[loan_id, need])
    return in_hand


async def _write(connection: Connection, batch: Batch, outcomes: Sequence[NewOutcome]) -> None:
    if batch.changed_loans:
        await store.save_loans(connection, [batch.loans[loan_id] for loan_id in sorted(batch.changed_loans)])
    if batch.changed_facts:
        facts = {loan_id: changed.values() for loan_id, changed in batch.changed_facts.items()}
        await store.save_facts(connection, facts)
    if batch.investors:
        await store.save_investors(connection, list(batch.investors.values()))
    if outcomes:
        await store.save_outcomes(connection, outcomes)


async def _finish(connection: Connection, worker_id: int, jobs: Sequence[Job]) -> None:
    asked = {job.id for job in jobs}
    if await finish_jobs(connection, worker_id, asked) != asked:
        raise Bug("jobs held by this transaction could not be finished in it")


def _refused(outcomes: Sequence[NewOutcome]) -> dict[int, Outcome]:
    """Answers to the refused messages: dead letters, so that a person sees them and can replay them."""
    return {
        outcome.message_id: Bury(IMPOSSIBLE_EVENT, f"{outcome.decision.field}: {outcome.decision.reason}")
        for outcome in outcomes
        if isinstance(outcome.decision, Refuse)
    }


def _job_of(message_id: int, subject: Subject) -> NewJob:
    return NewJob(APPLY_EVENT, lane(subject.kind.value, subject.id), message_id)


def _sagas(batch: Batch, transaction_ids: Mapping[int, UUID]) -> list[NewSaga]:
    return [
        _saga(one, one.decision.loan, transaction_ids)
        for one in batch.decided
        if one.movement and isinstance(one.decision, Apply) and one.decision.loan
    ]


def _saga(one: Decided, loan: Loan, transaction_ids: Mapping[int, UUID]) -> NewSaga:
    if one.movement is None:
        raise Bug(f"event {one.incoming.event_id} moves no money")
    return NewSaga(
        message_id=one.incoming.message_id,
        event_id=one.incoming.event_id,
        loan_id=loan.loan_id,
        company_id=loan.company_id,
        connection_id=loan.connection_id,
        currency=loan.currency,
        effective_date=one.incoming.event.effective_date,
        movement=one.movement,
        ledger_transaction_id=transaction_ids.get(one.incoming.message_id),
    )


def _give_up(error: Exception) -> Outcome:
    if isinstance(error, NotAdoptedError):
        return Bury(LEDGER_REFUSED, str(error))
    if isinstance(error, PostingError) and error.code is not RefusalCode.BALANCE_CONDITION:
        return Bury(LEDGER_REFUSED, str(error))
    return Retry(unforeseen(error, "events_not_applied"))


def _tell(one: Decided) -> None:
    log = _log.bind(event_id=one.incoming.event_id, type=one.incoming.event.type)
    match one.incoming.event:
        case CapitalContributed() | CapitalDistributed() | CashReceived() | CashSwept() | ExpenseIncurred():
            pass
        case event:
            log = log.bind(loan_id=event.loan_id)
    match one.decision:
        case Apply():
            log.info("event_applied")
        case Duplicate(note):
            log.info("event_told_before", reason=note)
        case Hold(reason):
            log.info("event_held", reason=reason)
        case Refuse(field, reason):
            log.warning("event_refused", field=field, reason=reason)
