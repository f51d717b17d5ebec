"""The client of Codat's API: one method per thing the writeback asks of it, values instead of exceptions."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import aiohttp

from worker import wire
from worker.codat import connection as parse
from worker.codat import interpret, paging
from worker.codat.connection import CompanyInfo, Connection, FeedAccount
from worker.codat.gate import Gate
from worker.codat.paging import Page
from worker.codat.push_operation import PushOperation, parse_push_operation
from worker.codat.records import RecordKind, list_path, options_path, segment
from worker.codat.replies import Found, PushReply, ReadReply, Refused, Unavailable
from worker.codat.transport import Request, Transport, always, read_reply_of
from worker.reply import Reply
from worker.wire import JsonObject, UnreadableReplyError

T = TypeVar("T")

SYNC_UNDER_WAY: Final = "DatasetAlreadyInProgress"
"""Beginning of the exception Codat's 400 names when the same data is already being read."""


class CodatClient:
    """Codat's API for one client key. Every method answers with a value, see :mod:`worker.codat.replies`.

    What raises is cancellation, :class:`~worker.errors.DatabaseUnavailable` (the gate is shared through PostgreSQL)
    and our own faults. Redirects are refused, replies are bounded, and the key appears in no log and no exception.
    """

    def __init__(self, session: aiohttp.ClientSession, base_url: str, api_key: str, gate: Gate) -> None:
        # Codat's scheme is Basic with the key itself as the credentials: there is no user and no colon.
        authorization = f"Basic {base64.b64encode(api_key.encode()).decode('ascii')}"
        self._transport = Transport(session, base_url, authorization, gate)

    async def push(
        self,
        company_id: UUID,
        connection_id: UUID,
        path: str,
        body: bytes,
        key: UUID,
        *,
        may_leave: Callable[[], bool] = always,
    ) -> PushReply:
        """Create a record: ``path`` from :func:`worker.codat.records.push_path`, ``body`` from ``payloads``.

        ``body`` is sent as it is. It is never repeated here once it may have been sent; whoever kept body and key may.
        ``may_leave`` is asked right before it leaves; a request that may not any more is :class:`Unsent`.
        """
        target = f"{_below(company_id, connection_id)}/{path}"
        return await self._push(Request(company_id, "POST", target, body, key, may_leave))

    async def delete_direct_cost(self, company_id: UUID, connection_id: UUID, record_id: str) -> PushReply:
        """Delete a direct cost where the platform can. It carries no key: a repetition finds the record missing."""
        target = f"{_below(company_id, connection_id)}/push/directCosts/{segment(record_id)}"
        return await self._push(Request(company_id, "DELETE", target))

    async def get_push_operation(self, company_id: UUID, key: UUID) -> ReadReply[PushOperation]:
        """The push operation as it stands: the one truth about a write."""
        return await self._read_object(company_id, f"companies/{company_id}/push/{key}", parse_push_operation)

    async def list_push_operations(self, company_id: UUID, since: datetime) -> ReadReply[list[PushOperation]]:
        """The company's push operations requested at ``since`` (with a zone) or later, newest first, all pages."""
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found = await self._read_pages(
            company_id, f"companies/{company_id}/push", query=f"requestedOnUtc>={moment}", order_by="-requestedOnUtc"
        )
        if not isinstance(found, Found):
            return found
        operations = [_push_operation_or_none(item) for item in found.value]
        return Found(
            [item for item in operations if item and (item.requested_at is None or item.requested_at >= since)]
        )

    async def list_records(
        self,
        kind: RecordKind,
        company_id: UUID,
        connection_id: UUID,
        query: str = "",
        *,
        bank_account_id: str | None = None,
    ) -> ReadReply[list[JsonObject]]:
        """Every record of a kind matching ``query`` (Codat's query language, not encoded), all pages.

        Only what Codat has synchronised is seen. Bank transactions are those of ``bank_account_id``.
        """
        target = list_path(kind, str(company_id), str(connection_id), bank_account_id=bank_account_id)
        return await self._read_pages(company_id, target, query=query)

    async def get_connection(self, company_id: UUID, connection_id: UUID) -> ReadReply[Connection]:
        """The connection as it stands."""
        return await self._read_object(company_id, _below(company_id, connection_id), parse.parse_connection)

    async def list_connections(self, company_id: UUID) -> ReadReply[list[Connection]]:
        """Every connection of the company; bank feeds of QuickBooks Online and Sage are connections of their own."""
        found = await self._read_pages(company_id, f"companies/{company_id}/connections")
        return _each(found, parse.parse_connection)

    async def company_info(self, company_id: UUID) -> ReadReply[CompanyInfo]:
        """Base currency and ledger lock date."""
        return await self._read_object(company_id, f"companies/{company_id}/data/info", parse.parse_company_info)

    async def options(
        self, kind: RecordKind, company_id: UUID, connection_id: UUID, *, bank_account_id: str | None = None
    ) -> ReadReply[JsonObject]:
        """The platform's own rules for writing this kind."""
        target = f"{_below(company_id, connection_id)}/{options_path(kind, bank_account_id=bank_account_id)}"
        return await self._read_object(company_id, target, _as_it_is)

    async def queue_sync(self, company_id: UUID, connection_id: UUID, kind: RecordKind) -> ReadReply[None]:
        """Ask Codat to read this kind from the platform again; one already under way is as good."""
        target = f"companies/{company_id}/data/queue/{kind.value}?{urlencode({'connectionId': str(connection_id)})}"
        outcome = await self._read(Request(company_id, "POST", target), lambda reply: None)
        if isinstance(outcome, Refused) and SYNC_UNDER_WAY in outcome.error.message:
            return Found(None)
        return outcome

    async def data_status(self, company_id: UUID) -> ReadReply[JsonObject]:
        """When each data type was last read: data type → {currentStatus, lastSuccessfulSync}."""
        return await self._read_object(company_id, f"companies/{company_id}/dataStatus", _as_it_is)

    async def create_source_account(
        self, company_id: UUID, connection_id: UUID, body: bytes, key: UUID
    ) -> ReadReply[JsonObject]:
        """Create the lender's source account of a bank feed (``payloads.source_account``); done when it answers.

        After :class:`Unavailable` the same body and key may be sent again for 90 minutes; ``NotReady`` means that the
        first request with this key is still under way.
        """
        target = f"{_below(company_id, connection_id)}/connectionInfo/bankFeedAccounts"
        return await self._read(Request(company_id, "POST", target, body, key), _body_object)

    async def list_mappings(self, company_id: UUID, connection_id: UUID) -> ReadReply[list[FeedAccount]]:
        """Every source account and the account it feeds."""
        found = await self._read_pages(company_id, f"{_below(company_id, connection_id)}/bankFeedAccounts/mapping")
        return _each(found, parse.parse_feed_account)

    async def list_source_accounts(self, company_id: UUID, connection_id: UUID) -> ReadReply[list[FeedAccount]]:
        """Every source account with its status; the only list where feeds are joined inside the platform."""
        target = f"{_below(company_id, connection_id)}/connectionInfo/bankFeedAccounts"
        return _each(await self._read_pages(company_id, target), parse.parse_source_account)

    async def create_mapping(
        self, company_id: UUID, connection_id: UUID, body: bytes, key: UUID
    ) -> ReadReply[JsonObject]:
        """Join a source account to an account of the books (``payloads.feed_mapping``); then poll the mappings."""
        target = f"{_below(company_id, connection_id)}/bankFeedAccounts/mapping"
        return await self._read(Request(company_id, "POST", target, body, key), _body_object)

    async def _push(self, request: Request) -> PushReply:
        reply = await self._transport.exchange(request)
        return interpret.push_reply(reply, datetime.now(UTC)) if isinstance(reply, Reply) else reply

    async def _read(self, request: Request, read: Callable[[Reply], T]) -> ReadReply[T]:
        reply = read_reply_of(await self._transport.exchange(request))
        if not isinstance(reply, Reply):
            return reply
        failure = interpret.read_failure(reply, datetime.now(UTC))
        if failure is not None:
            return failure
        try:
            return Found(read(reply))
        except UnreadableReplyError as error:
            return Unavailable(str(error))

    async def _read_object(self, company_id: UUID, target: str, read: Callable[[JsonObject], T]) -> ReadReply[T]:
        return await self._read(Request(company_id, "GET", target), lambda reply: read(_body_object(reply)))

    async def _read_pages(
        self, company_id: UUID, target: str, *, query: str = "", order_by: str = ""
    ) -> ReadReply[list[JsonObject]]:
        records: list[JsonObject] = []
        for number in range(1, paging.MAX_PAGES + 1):
            request = Request(company_id, "GET", paging.page_target(target, number, query=query, order_by=order_by))
            found = await self._read(request, lambda reply: paging.parse_page(wire.decode_json(reply.body)))
            if not isinstance(found, Found):
                return found
            page: Page = found.value
            records += page.records
            if not page.has_more(number):
                return Found(records)
        return Unavailable(f"{target} has more than {paging.MAX_PAGES} pages")


def _below(company_id: UUID, connection_id: UUID) -> str:
    return f"companies/{company_id}/connections/{connection_id}"


def _body_object(reply: Reply) -> JsonObject:
    return wire.decode_object(reply.body)


def _as_it_is(document: JsonObject) -> JsonObject:
    return document


def _push_operation_or_none(document: JsonObject) -> PushOperation | None:
    try:
        return parse_push_operation(document)
    except UnreadableReplyError:
        return None


def _each(found: ReadReply[list[JsonObject]], read: Callable[[JsonObject], T]) -> ReadReply[list[T]]:
    if not isinstance(found, Found):
        return found
    try:
        return Found([read(item) for item in found.value])
    except UnreadableReplyError as error:
        return Unavailable(str(error))
