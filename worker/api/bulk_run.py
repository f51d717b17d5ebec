"""Tries the resources of bulk requests: the handler of ``run_bulk_request``.

What a resource changes and what is put down about it are one commit, so that a process may be killed at any moment and
another goes on with exactly the resources that were not tried. Transactions of one ledger share their commits, each
with its own result; accounts have one each, because they take locks that posters wait for.

No resource stops its request. One that the database itself refuses fails the commit it shares, is then tried alone and
fails; one that keeps failing for any other reason is given up after :data:`TRIES`. Only an absent database is waited
for without end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never
from uuid import UUID, uuid4

import structlog

from worker.api import accounts, bulk_store, events_store, posting_store, transactions_store
from worker.api.body import Body
from worker.api.bulk import REQUEST
from worker.api.bulk_objects import (
    Action,
    BulkRequest,
    EntityType,
    Outcome,
    RequestStatus,
    ResourceType,
)
from worker.api.bulk_store import Resource
from worker.api.call import answer
from worker.api.changes import read_change
from worker.api.documents import error_outcome, render_bulk_request
from worker.api.loan_events import refuse_change
from worker.api.moments import show
from worker.api.objects import Account
from worker.api.outcomes import external_id_taken, refusal, shown
from worker.api.query import Window
from worker.api.refusals import Code, invalid, not_found, unknown
from worker.api.render import render_account, render_transaction
from worker.api.transaction_body import Wanted, read_create, read_update
from worker.database import Connection, Database
from worker.errors import DatabaseUnavailable, Rejected
from worker.jobs.job import Claim, Done, Job, Snooze
from worker.jobs.job import Outcome as JobOutcome
from worker.ledger import poster
from worker.ledger.transaction import UNSET, Create, NewEntry, Posted, Refused, Replayed, Result, Status, Update
from worker.strict_json import decode_object

TRANSACTIONS_AT_ONCE: Final = 100
"""Transactions that share a commit: tens of milliseconds, in which nobody else posts to the same accounts."""

COMMITS_PER_CALL: Final = 200
"""Commits of one handler call, far within its time limit; what is left is tried by the next."""

TRIES: Final = 10
"""Attempts at a resource that fails for reasons of ours, with some minutes of back-off between them altogether."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Posting:
    """A resource whose operation can be posted; ``was`` is the status of the transaction to be changed."""

    resource: Resource
    wanted: Wanted
    was: Status | None


class BulkHandler:
    """Runs bulk requests."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def __call__(self, claim: Claim) -> Sequence[JobOutcome]:
        """Try resources until there are none left, or for a while."""
        return [await self._run(job) for job in claim.jobs]

    async def _run(self, job: Job) -> JobOutcome:
        # After a failure one at a time, so that the one at fault stops no others before it.
        most = TRANSACTIONS_AT_ONCE if job.attempt == 1 else 1
        for _ in range(COMMITS_PER_CALL):
            try:
                if answered := await self.try_some(job.subject, most, is_last=job.attempt >= TRIES):
                    return answered
            except DatabaseUnavailable:
                raise
            except Exception as error:
                if most == 1:
                    raise
                log.warning("bulk_commit_split", job_id=job.id, error=str(error))
                most = 1
        return Snooze(timedelta(0))

    async def try_some(self, sequence: int, most: int, *, is_last: bool = False) -> JobOutcome | None:
        """Try the next resources in one commit; None when there are more, otherwise what becomes of the job.

        On the last try (``is_last``) a resource alone is given up whatever is wrong with it, and the next one has all
        its tries before it.
        """
        async with self._database.transaction() as connection:
            request = await bulk_store.lock_request(connection, sequence)
            if request is None or request.status is RequestStatus.COMPLETED:
                return Done()
            if request.resource_type is ResourceType.LEDGER_ACCOUNT:
                most = 1
            resources = await bulk_store.pending_resources(connection, request.id, most)
            if most > 1:
                outcomes = await self._post(connection, request, resources)
            else:
                outcomes = await self._try_alone(connection, request, resources[0], is_last=is_last)
            request = await bulk_store.save_outcomes(connection, request.id, outcomes)
            if request.status is RequestStatus.COMPLETED:
                document = render_bulk_request(request)
                await events_store.insert_event(connection, REQUEST, "completed", request.id, document)
                return Done()
        return Snooze(timedelta(0)) if is_last else None

    async def _try_alone(
        self, connection: Connection, request: BulkRequest, resource: Resource, *, is_last: bool
    ) -> dict[UUID, Outcome]:
        """Try one resource, and take back what it did when it fails. Raises what may pass unless it is the last try."""
        refused: Rejected | None = None
        for _ in range(2):  # what another process wrote at that very moment is seen the second time
            try:
                async with connection.transaction():
                    return await self._try(connection, request, resource)
            except Rejected as error:
                refused = error
                break
            except Exception as error:
                if bulk_store.is_refusal(error):
                    log.warning("bulk_resource_refused", result_id=str(resource.id), error=str(error))
                    refused = invalid("resources", f"The database refuses this: {error}")
                    continue
                if not is_last:
                    raise
                log.exception("bulk_resource_given_up", result_id=str(resource.id))
                refused = Rejected(500, "An unexpected error was recorded; nothing changed", code=Code.INTERNAL_ERROR)
                break
        assert refused is not None
        return {resource.id: self._failure(refused)}

    async def _try(self, connection: Connection, request: BulkRequest, resource: Resource) -> dict[UUID, Outcome]:
        match request.resource_type:
            case ResourceType.LEDGER_TRANSACTION:
                return await self._post(connection, request, [resource])
            case ResourceType.LEDGER_ACCOUNT:
                account = await _change_account(connection, request.action, _body(resource))
                entity = answer(render_account(account, Window())).content.decode()
                return {resource.id: Outcome(EntityType.LEDGER_ACCOUNT, account.id, entity)}
            case _:
                assert_never(request.resource_type)

    async def _post(
        self, connection: Connection, request: BulkRequest, resources: Sequence[Resource]
    ) -> dict[UUID, Outcome]:
        """Post the first resources that are of one ledger; those that cannot be read fail beside them."""
        outcomes: dict[UUID, Outcome] = {}
        postings: list[_Posting] = []
        ledger_id = None
        for resource in resources:
            try:
                wanted = _read_transaction(request.action, _body(resource))
                theirs, was = await _place_of(connection, wanted)
            except Rejected as refused:
                outcomes[resource.id] = self._failure(refused)
                continue
            if theirs != (ledger_id := ledger_id or theirs):
                break
            postings.append(_Posting(resource, wanted, was))
        if ledger_id is not None:
            results = await poster.post(connection, ledger_id, [posting.wanted.operation for posting in postings])
            for posting, result in zip(postings, results, strict=True):
                outcomes[posting.resource.id] = await self._outcome(connection, posting, result)
        return outcomes

    async def _outcome(self, connection: Connection, posting: _Posting, result: Result) -> Outcome:
        match result:
            case Posted(written=written):
                transaction = shown(written)
            case Refused():
                return self._failure(refusal(result, posting.was))
            case Replayed(transaction_id) if isinstance(posting.wanted.operation, Update):
                (transaction,) = await transactions_store.find_transactions(connection, str(transaction_id))
            case Replayed():
                return self._failure(external_id_taken())
        entity = answer(render_transaction(transaction)).content.decode()
        return Outcome(EntityType.LEDGER_TRANSACTION, transaction.id, entity)

    def _failure(self, refused: Rejected) -> Outcome:
        return error_outcome(refused, uuid4(), show(self._now()))


def _body(resource: Resource) -> Body:
    return Body(decode_object(resource.params.encode()))


async def _change_account(connection: Connection, action: Action, body: Body) -> Account:
    match action:
        case Action.CREATE:
            return await accounts.create_account(connection, *accounts.read_new(body))
        case Action.UPDATE:
            account_id = body.required_uuid("id")
            return await accounts.change_account(connection, account_id, read_change(body))
        case Action.DELETE:
            account_id = body.required_uuid("id")
            body.finish()
            return await accounts.discard_account(connection, account_id)
        case _:
            assert_never(action)


def _read_transaction(action: Action, body: Body) -> Wanted:
    if action is Action.CREATE:
        wanted = read_create(body)
        entries: tuple[NewEntry, ...] = ()
        if isinstance(wanted.operation, Create):
            entries = wanted.operation.transaction.entries
    else:
        wanted = read_update(body, body.required_uuid("id"))
        entries = ()
        if isinstance(wanted.operation, Update) and wanted.operation.entries is not UNSET:
            entries = wanted.operation.entries
    if any(wanted.shows_balances) or any(entry.conditions or entry.lock_version is not None for entry in entries):
        raise invalid(
            "ledger_entries",
            "Bulk requests take no lock_version, balance conditions or show_resulting_ledger_account_balances",
        )
    if isinstance(wanted.operation, Create | Update) and wanted.operation.category_locks:
        raise invalid("ledger_account_category_balance_locks", "Bulk requests take no category balance locks")
    return wanted


async def _place_of(connection: Connection, wanted: Wanted) -> tuple[UUID, Status | None]:
    """The ledger an operation belongs to, and the status of the transaction it changes."""
    if isinstance(wanted.operation, Update) and isinstance(wanted.operation.transaction, UUID):
        before = await posting_store.transaction_before(connection, wanted.operation.transaction)
        if before is None:
            raise not_found("Ledger transaction")
        refuse_change(before, wanted.operation)
        return before.ledger_id, before.status
    if not wanted.accounts:
        raise invalid("ledger_entries", "A ledger transaction has at least one debit and one credit")
    ledger_id = await posting_store.ledger_of_account(connection, wanted.accounts[0])
    if ledger_id is None:
        raise unknown("ledger_entries[0].ledger_account_id", "Ledger account")
    return ledger_id, None
