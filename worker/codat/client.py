"""The client of Codat's API: one method per thing the writeback asks of it, values instead of exceptions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import aiohttp

from worker.codat.connection import CompanyInfo, Connection, FeedAccount
from worker.codat.gate import Gate
from worker.codat.push_operation import PushOperation
from worker.codat.records import RecordKind
from worker.codat.replies import PushReply, ReadReply
from worker.codat.wire import JsonObject


class CodatClient:
    """Codat's API for one client key. Every method answers with a value; only cancellation and bugs raise."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, api_key: str, gate: Gate) -> None: ...

    async def push(self, company_id: UUID, connection_id: UUID, path: str, body: bytes, key: UUID) -> PushReply:
        """Create a record: ``path`` from :func:`worker.codat.records.push_path`, ``body`` from ``payloads``."""
        raise NotImplementedError

    async def delete_direct_cost(self, company_id: UUID, connection_id: UUID, record_id: str) -> PushReply:
        """Delete a direct cost, where the platform can; carries no key, a repetition finds it gone."""
        raise NotImplementedError

    async def get_push_operation(self, company_id: UUID, key: UUID) -> ReadReply[PushOperation]:
        """The push operation as it stands."""
        raise NotImplementedError

    async def list_push_operations(self, company_id: UUID, since: datetime) -> ReadReply[list[PushOperation]]:
        """The company's push operations requested since then, newest first, all pages."""
        raise NotImplementedError

    async def list_records(
        self,
        kind: RecordKind,
        company_id: UUID,
        connection_id: UUID,
        query: str = "",
        *,
        bank_account_id: str | None = None,
    ) -> ReadReply[list[JsonObject]]:
        """Every record of a kind that matches the query, all pages."""
        raise NotImplementedError

    async def get_connection(self, company_id: UUID, connection_id: UUID) -> ReadReply[Connection]:
        """The connection as it stands."""
        raise NotImplementedError

    async def list_connections(self, company_id: UUID) -> ReadReply[list[Connection]]:
        """Every connection of the company."""
        raise NotImplementedError

    async def company_info(self, company_id: UUID) -> ReadReply[CompanyInfo]:
        """Base currency and ledger lock date."""
        raise NotImplementedError

    async def options(
        self, kind: RecordKind, company_id: UUID, connection_id: UUID, *, bank_account_id: str | None = None
    ) -> ReadReply[JsonObject]:
        """The platform's rules for writing this kind."""
        raise NotImplementedError

    async def queue_sync(self, company_id: UUID, connection_id: UUID, kind: RecordKind) -> ReadReply[None]:
        """Ask Codat to read this kind from the platform again; one already running counts as found."""
        raise NotImplementedError

    async def data_status(self, company_id: UUID) -> ReadReply[JsonObject]:
        """When each data type was last read: data type → {currentStatus, lastSuccessfulSync}."""
        raise NotImplementedError

    async def create_source_account(self, company_id: UUID, connection_id: UUID, body: bytes) -> ReadReply[JsonObject]:
        """Create the lender's source account of a bank feed (``payloads.source_account``); synchronous."""
        raise NotImplementedError

    async def list_mappings(self, company_id: UUID, connection_id: UUID) -> ReadReply[list[FeedAccount]]:
        """Every source account and what it feeds."""
        raise NotImplementedError

    async def create_mapping(self, company_id: UUID, connection_id: UUID, body: bytes) -> ReadReply[JsonObject]:
        """Join a source account to an account of the books (``payloads.feed_mapping``)."""
        raise NotImplementedError
