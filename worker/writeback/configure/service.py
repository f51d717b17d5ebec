"""Setting a connection's mapping: checked against the books, stored as a new version, created where it has no ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never
from uuid import UUID

from worker import wire
from worker.codat import options
from worker.codat.records import RecordKind
from worker.codat.replies import Denied, Found, NotFound, NotReady, RateLimited, Refused
from worker.codat.replies import Unavailable as Unread
from worker.database import Connection
from worker.errors import CredentialsRefused, Rejected, Unavailable
from worker.jobs.store import enqueue_jobs
from worker.money import AmountError, parse_minor
from worker.wire import JsonObject
from worker.writeback import statements, store
from worker.writeback.configure import checks
from worker.writeback.configure import store as configure_store
from worker.writeback.configure.creatable import new_records
from worker.writeback.configure.creation import steps_for
from worker.writeback.configure.feeds import read_feed
from worker.writeback.configure.request import (
    Existing,
    ExistingFeed,
    MappingRequest,
    NewBankAccount,
    NewExpenseAccount,
    NewFeed,
    NewSupplier,
)
from worker.writeback.configure.store import NewMapping, StoredMapping
from worker.writeback.configure.vetting import vet
from worker.writeback.connections import read_connection
from worker.writeback.desk import Desk
from worker.writeback.mapping import MappingState
from worker.writeback.plan import PlannedStep, Purpose, StepKind, reference
from worker.writeback.situation import KnownConnection

KEY_REFUSALS: Final = (401, 403)
"""Statuses with which Codat answers a key that is wrong, or one that may not do what was asked."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which connection of which company."""

    company_id: UUID
    connection_id: UUID


class MappingService:
    """Reads and sets mappings."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def current(self, place: Place) -> StoredMapping:
        """The newest version; raises :class:`~worker.errors.Rejected` (404) when there is none."""
        async with self._desk.database.connection() as connection:
            mapping = await configure_store.newest_mapping(connection, place.connection_id)
        if mapping is None or mapping.company_id != place.company_id:
            raise Rejected(404, "this connection has no mapping yet", code="not_found")
        return mapping

    async def put(self, place: Place, request: MappingRequest) -> StoredMapping:
        """Store a new version unless the newest one is the same; ready at once when nothing has to be created.

        Raises :class:`~worker.errors.Rejected` naming the field, and :class:`~worker.errors.Unavailable` while Codat
        cannot tell what the books hold.
        """
        connection = await self._connection(place)
        checks.check_request(request, connection.traits)
        await self._check_against_options(connection, request)
        new, opening = await self._resolved(place, request)
        async with self._desk.database.transaction() as transaction:
            await configure_store.lock_mapping(transaction, place.connection_id)
            newest = await configure_store.newest_mapping(transaction, place.connection_id)
            if newest and newest.request == request and newest.state is not MappingState.FAILED:
                return newest
            state = MappingState.CREATING if request.creates else MappingState.READY
            version = await configure_store.insert_mapping(transaction, new, state, self._desk.clock())
            if new.lender_feed_id is not None:
                await statements.ensure_feed(transaction, place.connection_id, new.lender_feed_id, opening)
            await store.wake_connection(transaction, place.connection_id)
            if request.creates:
                await self._start_creation(transaction, new, version)
        return await self.current(place)

    async def _start_creation(self, transaction: Connection, new: NewMapping, version: int) -> None:
        """The saga that creates what has no id, in a lane of its own: loans never wait for it."""
        today = self._desk.clock().date()
        saga_id = await store.insert_mapping_saga(
            transaction, (new.company_id, new.connection_id), new.request.currency, today, version
        )
        scope = f"mapping {version}"
        steps = [
            (kind, reference(new.connection_id, scope, "mapping", PlannedStep(kind, Purpose.MAPPING, 0)))
            for kind in _kinds(new.request)
        ]
        await configure_store.insert_steps(transaction, saga_id, new, version, steps)
        await enqueue_jobs(transaction, [store.job_of_saga(saga_id, "mapping", str(new.connection_id))])

    async def _connection(self, place: Place) -> KnownConnection:
        reply = await read_connection(self._desk, place.company_id, place.connection_id)
        if not isinstance(reply, Found):
            raise _cannot("describe the connection", reply)
        if reply.value.status == "Missing":
            raise Rejected(404, "Codat knows no such company and connection", code="not_found")
        if not reply.value.is_linked:
            words = f"the connection is {reply.value.status}; it must be linked before it can be mapped"
            raise Rejected(409, words, code="not_linked")
        return reply.value

    async def _check_against_options(self, connection: KnownConnection, request: MappingRequest) -> None:
        """Refuse what the connection's own rules forbid; rules that cannot be read now are asked before sending."""
        for record in new_records(request, connection.traits):
            verdict = await vet(self._desk, connection, record)
            if isinstance(verdict, Rejected):
                raise verdict
        codat, company_id = self._desk.codat, connection.company_id
        reply = await codat.options(RecordKind.DIRECT_COST, company_id, connection.connection_id)
        model = reply.value if isinstance(reply, Found) else None
        if request.tax_rate_id is None and checks.tax_rate_needed(model, connection.traits):
            words = f"is required: {connection.platform_name} wants a tax rate on every direct cost, name one of 0 %"
            raise Rejected(422, words, field="tax_rate_id")
        if request.tax_rate_id is not None:
            rates = await self._records(Place(company_id, connection.connection_id), RecordKind.TAX_RATE)
            listed = options.choices(model, *checks.TAX_RATE_PATH) if model is not None else []
            checks.tax_rate(rates, request.tax_rate_id, listed)

    async def _resolved(self, place: Place, request: MappingRequest) -> tuple[NewMapping, int]:
        """The version with every id that is given checked, and the statement's opening balance in minor units."""
        banks = await self._records(place, RecordKind.BANK_ACCOUNT)
        checks.bank_account(banks, request.borrower_account_id, request.currency, "borrower_account.id")
        feed_connection = await self._feed_connection(place, request)
        account_id, feed_id, opening = await self._lender(place, request, banks, feed_connection)
        expense_id = supplier_id = None
        if isinstance(request.expense, Existing):
            accounts = await self._records(place, RecordKind.ACCOUNT)
            checks.expense_account(accounts, request.expense.id, "expense_account.id")
            expense_id = request.expense.id
        name = request.supplier.name if isinstance(request.supplier, NewSupplier) else ""
        if isinstance(request.supplier, Existing):
            suppliers = await self._records(place, RecordKind.SUPPLIER)
            record = checks.supplier(suppliers, request.supplier.id, "supplier.id")
            supplier_id, name = request.supplier.id, wire.text(record, "supplierName") or request.supplier.id
        new = NewMapping(
            place.company_id,
            place.connection_id,
            request,
            feed_connection,
            account_id,
            feed_id,
            expense_id,
            supplier_id,
            name,
        )
        return new, opening

    async def _lender(
        self, place: Place, request: MappingRequest, banks: list[JsonObject], feed_connection: UUID
    ) -> tuple[str | None, str | None, int]:
        """(account id, feed id, opening balance); ids that are still to be created are None."""
        match request.lender:
            case Existing(id=account_id):
                if account_id == request.borrower_account_id:
                    raise Rejected(422, "must differ from the borrower's account", field="lender_account.id")
                record = checks.bank_account(banks, account_id, request.currency, "lender_account.id")
                return account_id, account_id, _balance(record, request.currency)
            case ExistingFeed(source_account_id=source, target_account_id=target) as wanted:
                record = checks.bank_account(banks, target, request.currency, "lender_account.target_account_id")
                await self._check_feed(Place(place.company_id, feed_connection), wanted, request.currency)
                return target, source, _balance(record, request.currency)
            case NewFeed(target_account_id=target) if target is not None:
                field = "lender_account.create.target_account_id"
                checks.bank_account(banks, target, request.currency, field)
                return None, None, 0
            case NewFeed() | NewBankAccount():
                return None, None, 0
            case _:
                assert_never(request.lender)

    async def _check_feed(self, place: Place, wanted: ExistingFeed, currency: str) -> None:
        try:
            connection = await self._connection(place)
        except Rejected as error:
            raise Rejected(422, error.detail, field="lender_account.connection_id") from None
        reply = await read_feed(self._desk, connection, wanted.source_account_id, wanted.target_account_id)
        if isinstance(reply, Found):
            checks.feed(reply.value, wanted, currency)
        elif not isinstance(reply, NotFound | Refused):
            raise _cannot("list the bank feed's accounts", reply)

    async def _feed_connection(self, place: Place, request: MappingRequest) -> UUID:
        """Where statement lines go: the connection named, the company's only bank feed, or the books' own."""
        lender = request.lender
        if isinstance(lender, Existing | NewBankAccount):
            return place.connection_id
        if lender.connection_id is not None:
            return lender.connection_id
        reply = await self._desk.codat.list_connections(place.company_id)
        if not isinstance(reply, Found):
            raise _cannot("list the company's connections", reply)
        feeds = [item.id for item in reply.value if (item.source_type or "").casefold() == "bankfeed"]
        if len(feeds) > 1:
            raise Rejected(422, "is required: the company has several bank feeds", field="lender_account.connection_id")
        return feeds[0] if feeds else place.connection_id

    async def _records(self, place: Place, kind: RecordKind) -> list[JsonObject]:
        """The books as Codat last read them; a reading is asked for so that the next look is newer."""
        codat = self._desk.codat
        reply = await codat.list_records(kind, place.company_id, place.connection_id)
        await codat.queue_sync(place.company_id, place.connection_id, kind)
        match reply:
            case Found(records):
                return records
            case NotReady() | NotFound():
                raise Unavailable(f"Codat has not read the company's {kind.value} yet; it was asked to")
            case _:
                raise _cannot(f"list the company's {kind.value}", reply)


def _cannot(do: str, reply: RateLimited | Denied | NotFound | NotReady | Refused | Unread) -> Unavailable:
    """Why Codat does not do what was asked of it: try later, or correct the credentials."""
    if not isinstance(reply, Denied):
        return Unavailable(f"Codat cannot {do} now: {reply}")
    fix = "set CODAT_API_KEY to a valid key" if reply.status in KEY_REFUSALS else "see its words"
    return CredentialsRefused(f"Codat refuses this program's requests ({reply.status}: {reply.error.message}): {fix}")


def _kinds(request: MappingRequest) -> list[StepKind]:
    kinds = [StepKind.CREATE_SUPPLIER] if isinstance(request.supplier, NewSupplier) else []
    if isinstance(request.expense, NewExpenseAccount):
        kinds.append(StepKind.CREATE_ACCOUNT)
    return kinds + steps_for(request.lender)


def _balance(record: JsonObject, currency: str) -> int:
    """The account's balance where the platform tells it: its statement is taken to agree with its books."""
    balance = wire.number(record, "balance")
    try:
        return parse_minor(str(balance), currency) if balance is not None else 0
    except AmountError:
        return 0
