"""Everything that can be read, as documents: what ``/v1`` answers and the commands print.

Each answer is one snapshot of the database, and takes the same number of statements however much it shows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from worker.database import Connection, Database
from worker.errors import Rejected
from worker.inbox import store as inbox_store
from worker.inbox.messages import Source
from worker.jobs import store as jobs_store
from worker.ledger import store as ledger_store
from worker.ledger.reading import EVERY_ACCOUNT, AccountFilter, Statement
from worker.loans import store as loans_store
from worker.operations import store
from worker.operations.documents import (
    dead_letter_document,
    event_document,
    job_attempt_document,
    job_document,
    loan_document,
    page_document,
    saga_document,
    step_document,
)
from worker.operations.ledger_documents import (
    differences,
    statement_document,
    statements_document,
    trial_balance_document,
)
from worker.operations.ledgers import ledger_called
from worker.operations.shapes import (
    AccountStatement,
    AccountStatements,
    DeadLetterObject,
    DeadLetterWithAttempts,
    JobAttemptObject,
    JobObject,
    JobWithAttempts,
    Listed,
    LoanObject,
    LoanWithSagas,
    RecordedEvent,
    RecordedEventWithBody,
    SagaObject,
    SagaWithSteps,
    TrialBalance,
)
from worker.operations.views import (
    MAX_LIMIT,
    DeadLetterFilter,
    EventFilter,
    EventState,
    JobAttempt,
    JobFilter,
    Page,
    Party,
    SagaFilter,
)

MAX_STATEMENT_ENTRIES: Final = 10_000
"""Entries of one answer: a few megabytes of answer, and more than anybody reads."""


class Reader:
    """Reads across the stations. What does not exist raises :class:`~worker.errors.Rejected` (404).

    ``treasury_url`` is where the lender's ledger is when it is not in this database: then it cannot be read here (409).
    """

    def __init__(self, database: Database, treasury_url: str | None = None) -> None:
        self._database = database
        self._treasury_url = treasury_url

    async def list_events(self, which: EventFilter, page: Page[int]) -> Listed[RecordedEvent]:
        """Loan events, newest first."""
        async with self._snapshot() as connection:
            ids, following = page.cut(await store.find_events(connection, which, page))
            events = await store.load_events(connection, ids)
        return page_document([event_document(event) for event in events], following)

    async def show_event(self, webhook_id: str) -> RecordedEventWithBody:
        """One loan event with its body, exactly as it was signed."""
        async with self._snapshot() as connection:
            message = await inbox_store.find_message(connection, Source.LOANS, webhook_id)
            if message is None:
                raise missing("event", webhook_id)
            (event,) = await store.load_events(connection, [message.id])
        return {**event_document(event), "body": message.body.decode()}

    async def list_loans(self, page: Page[str]) -> Listed[LoanObject]:
        """Loans, in the order of their ids."""
        async with self._snapshot() as connection:
            ids, following = page.cut(await store.find_loans(connection, page))
            loans = await loans_store.load_loans(connection, ids)
        return page_document([loan_document(loans[loan_id]) for loan_id in ids], following)

    async def show_loan(self, loan_id: str) -> LoanWithSagas:
        """One loan with its newest held events and sagas; lists filtered by the loan have the rest."""
        newest: Page[int] = Page(limit=MAX_LIMIT)
        async with self._snapshot() as connection:
            loan = await loans_store.get_loan(connection, loan_id)
            if loan is None:
                raise missing("loan", loan_id)
            held, _ = newest.cut(await store.find_events(connection, EventFilter(loan_id, EventState.HELD), newest))
            sagas, _ = newest.cut(await store.find_sagas(connection, SagaFilter(loan_id), newest))
            return {
                **loan_document(loan),
                "held_events": [event_document(event) for event in await store.load_events(connection, held)],
                "sagas": [saga_document(saga) for saga in await store.load_sagas(connection, sagas)],
            }

    async def list_sagas(self, which: SagaFilter, page: Page[int]) -> Listed[SagaObject]:
        """Sagas, newest first."""
        async with self._snapshot() as connection:
            ids, following = page.cut(await store.find_sagas(connection, which, page))
            sagas = await store.load_sagas(connection, ids)
        return page_document([saga_document(saga) for saga in sagas], following)

    async def show_saga(self, saga_id: int) -> SagaWithSteps:
        """One saga with its steps, each with its history."""
        async with self._snapshot() as connection:
            sagas = await store.load_sagas(connection, [saga_id])
            steps = await store.load_steps(connection, saga_id)
            attempts = await store.load_step_attempts(connection, saga_id)
        if not sagas:
            raise missing("saga", saga_id)
        histories = [[one for one in attempts if one.step_id == step.id] for step in steps]
        documents = [step_document(step, history) for step, history in zip(steps, histories, strict=True)]
        return {**saga_document(sagas[0]), "steps": documents}

    async def list_jobs(self, which: JobFilter, page: Page[int]) -> Listed[JobObject]:
        """Unfinished jobs, newest first."""
        async with self._snapshot() as connection:
            ids, following = page.cut(await store.find_jobs(connection, which, page))
            jobs = await store.load_jobs(connection, ids)
        return page_document([job_document(job) for job in jobs], following)

    async def show_job(self, job_id: int) -> JobWithAttempts:
        """One unfinished job with its failed attempts."""
        async with self._snapshot() as connection:
            return await read_job(connection, job_id)

    async def list_dead_letters(self, which: DeadLetterFilter, page: Page[int]) -> Listed[DeadLetterObject]:
        """Dead letters nobody replayed yet, newest first."""
        async with self._snapshot() as connection:
            ids, following = page.cut(await store.find_dead_letters(connection, which, page))
            letters = await store.load_dead_letters(connection, ids)
        return page_document([dead_letter_document(letter) for letter in letters], following)

    async def show_dead_letter(self, dead_letter_id: int) -> DeadLetterWithAttempts:
        """One dead letter, replayed or not, with the failed attempts of its job."""
        async with self._snapshot() as connection:
            return await read_dead_letter(connection, dead_letter_id)

    async def trial_balance(
        self, as_of: date | None, party: Party | None = None, ledger: str | None = None
    ) -> TrialBalance:
        """A ledger's accounts, or a party's, now or as they stood at the end of a business day.

        The ledger here and below goes by its id or name; it is the lender's own when none is given.
        """
        which = party.accounts if party else EVERY_ACCOUNT
        async with self._ledger(ledger) as (connection, ledger_id):
            accounts = await ledger_store.trial_balance(connection, ledger_id, as_of, which)
            apart = None
            if party is None and differences(accounts):
                apart = await ledger_store.count_dated_apart(connection, ledger_id, as_of)
        if party and not accounts:
            raise missing(party.noun, party.name)
        return trial_balance_document(accounts, as_of, apart)

    async def statement(self, account: str, first: date, last: date, ledger: str | None = None) -> AccountStatement:
        """One account, by external id or id, over a period of business days, both included.

        Refused (400) when it has too many entries.
        """
        statements = await self._statements(AccountFilter([account]), first, last, ledger)
        if not statements and (account_id := _as_id(account)) is not None:
            statements = await self._statements(AccountFilter(account_id=account_id), first, last, ledger)
        if not statements:
            raise missing("ledger account", account)
        return statement_document(statements[0], first, last)

    async def party_statements(
        self, party: Party, first: date, last: date, ledger: str | None = None
    ) -> AccountStatements:
        """Every account of a party over the same period; refused (400) when they have too many entries."""
        statements = await self._statements(party.accounts, first, last, ledger)
        if not statements:
            raise missing(party.noun, party.name)
        return statements_document(statements, first, last)

    async def _statements(self, which: AccountFilter, first: date, last: date, ledger: str | None) -> list[Statement]:
        async with self._ledger(ledger) as (connection, ledger_id):
            openings = await ledger_store.trial_balance(connection, ledger_id, first - timedelta(days=1), which)
            ids = [account.account_id for account in openings]
            most = MAX_STATEMENT_ENTRIES
            if await store.count_statement_entries(connection, ids, (first, last), most + 1) > most:
                raise Rejected(400, f"must be earlier: a statement has at most {most} entries", field="to")
            return await ledger_store.statements(connection, openings, first, last)

    @asynccontextmanager
    async def _ledger(self, called: str | None) -> AsyncIterator[tuple[Connection, UUID]]:
        """A snapshot of a ledger."""
        if self._treasury_url is not None:
            raise ledger_elsewhere(self._treasury_url)
        async with self._database.connection() as connection:
            ledger_id, _ = await ledger_called(connection, called)
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await store.begin_reading(connection)
                yield connection, ledger_id

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Connection]:
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await store.begin_reading(connection)
            yield connection


async def read_job(connection: Connection, job_id: int) -> JobWithAttempts:
    """One unfinished job with its failed attempts; raises :class:`~worker.errors.Rejected` (404)."""
    jobs = await store.load_jobs(connection, [job_id])
    if not jobs:
        raise missing("unfinished job", job_id)
    return {**job_document(jobs[0]), "attempts": await _attempts(connection, job_id)}


async def read_dead_letter(connection: Connection, dead_letter_id: int) -> DeadLetterWithAttempts:
    """One dead letter with the failed attempts of its job; raises :class:`~worker.errors.Rejected` (404)."""
    letters = await store.load_dead_letters(connection, [dead_letter_id])
    if not letters:
        raise missing("dead letter", dead_letter_id)
    return {**dead_letter_document(letters[0]), "attempts": await _attempts(connection, letters[0].job_id)}


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def ledger_elsewhere(url: str) -> Rejected:
    """The refusal to show a ledger that is not in this database."""
    return Rejected(409, f"the lender's ledger is at Modern Treasury, {url}: read it there", code="ledger_elsewhere")


def missing(noun: str, name: int | str) -> Rejected:
    """The refusal of a name nothing has."""
    return Rejected(404, f"there is no {noun} {name}", code="not_found")


async def _attempts(connection: Connection, job_id: int) -> list[JobAttemptObject]:
    attempts = await jobs_store.list_attempts(connection, job_id)
    return [
        job_attempt_document(JobAttempt(one.job_id, one.attempt, one.at, one.outcome, one.error)) for one in attempts
    ]
