"""The client against a simulated Codat over real HTTP: every method, on every platform, through every kind of fault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from worker.codat import payloads
from worker.codat.client import CodatClient
from worker.codat.connection import ConnectionStatus
from worker.codat.gate import Gate
from worker.codat.matching import Match, fingerprint_of_body, match
from worker.codat.payloads import (
    AccountBody,
    BankAccountBody,
    BankTransactionBody,
    DirectCostBody,
    FeedMappingBody,
    SourceAccountBody,
    SupplierBody,
    TransferBody,
)
from worker.codat.platforms import Traits, traits_of
from worker.codat.profiles import Profile
from worker.codat.push_operation import PushOperation, PushStatus
from worker.codat.records import RecordKind, RecordRef, push_path
from worker.codat.replies import (
    Accepted,
    AmbiguityCause,
    Ambiguous,
    Denied,
    Found,
    KeyReused,
    Missing,
    NotFound,
    RateLimited,
)
from worker.simulator import SimulatorOptions, create_app

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
ENOUGH_SECONDS = 10
"""Simulated seconds after which whatever was asked for has happened."""

PLATFORMS = ["Sandbox", "Xero", "QuickBooks Online", "Sage", "FreeAgent", "QuickBooks Desktop"]
REFERENCE = "LW-L1-repayment-R1"


@dataclass
class Borrower:
    """One company of the simulator, and the client that writes to its books."""

    client: CodatClient
    session: aiohttp.ClientSession
    url: str
    document: Any
    traits: Traits

    @property
    def id(self) -> UUID:
        return UUID(self.document["id"])

    @property
    def connection(self) -> UUID:
        return UUID(self.document["connectionId"])

    @property
    def feeds(self) -> UUID:
        return UUID(self.document.get("feedConnectionId", self.document["connectionId"]))

    @property
    def statement(self) -> str:
        return str(self.document.get("sourceAccountId", self.document["lenderAccountId"]))

    @property
    def currency(self) -> str:
        return str(self.document["baseCurrency"])

    def transfer(self, profile: Profile = Profile.MATCHED) -> bytes:
        lender, borrower = self.document["lenderAccountId"], self.document["borrowerAccountId"]
        body = TransferBody(REFERENCE, "Repayment R1", TODAY, 40_000, self.currency, borrower, lender)
        return payloads.transfer(body, self.traits, profile)

    def cost(self, amount: int = 6_667, profile: Profile = Profile.MATCHED) -> bytes:
        supplier, expense = self.document["supplierId"], self.document["expenseAccountId"]
        lender = self.document["lenderAccountId"]
        body = DirectCostBody(REFERENCE, "Interest", TODAY, amount, self.currency, supplier, "Dave", expense, lender)
        return payloads.direct_cost(body, self.traits, profile)

    def line(self, profile: Profile = Profile.MATCHED) -> bytes:
        body = BankTransactionBody(REFERENCE, "Repayment R1", TODAY, 40_000, self.currency, self.statement, 40_000)
        return payloads.bank_transaction(body, self.traits, profile)

    async def push(self, kind: RecordKind, body: bytes, key: UUID | None = None) -> Any:
        is_line = kind is RecordKind.BANK_TRANSACTION
        path = push_path(kind, bank_account_id=self.statement if is_line else None)
        return await self.client.push(self.id, self.feeds if is_line else self.connection, path, body, key or uuid4())

    async def finished(self, kind: RecordKind, body: bytes) -> PushOperation:
        """Push and wait; the operation is read again because only that is to be believed."""
        reply = await self.push(kind, body)
        assert isinstance(reply, Accepted), reply
        await self.control("clock", {"advanceSeconds": ENOUGH_SECONDS})
        found = await self.client.get_push_operation(self.id, reply.operation.key)
        assert isinstance(found, Found), found
        return found.value

    async def synchronised(self, kind: RecordKind) -> list[Any]:
        assert await self.client.queue_sync(self.id, self.connection, kind) == Found(None)
        await self.control("clock", {"advanceSeconds": ENOUGH_SECONDS})
        account = self.document["lenderAccountId"] if kind is RecordKind.BANK_TRANSACTION else None
        found = await self.client.list_records(kind, self.id, self.connection, bank_account_id=account)
        assert isinstance(found, Found), found
        return found.value

    async def control(self, path: str, document: object) -> None:
        async with self.session.post(f"{self.url}/_simulator/{path}", json=document) as response:
            assert response.status == 200, await response.text()


Open = Callable[[str], Awaitable[Borrower]]


@pytest.fixture
async def borrower_on(gate: Gate) -> AsyncIterator[Open]:
    """Opens the preset company of a platform, of a fresh simulator."""
    async with AsyncExitStack() as stack:

        async def opened(platform: str) -> Borrower:
            server = await stack.enter_async_context(TestServer(create_app(SimulatorOptions(starts_at=START))))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            url = str(server.make_url("")).rstrip("/")
            async with session.get(f"{url}/_simulator/world") as response:
                companies = (await response.json())["companies"]
            document = next(c for c in companies if c["connections"][0]["platform"].startswith(platform))
            client = CodatClient(session, url, "key", gate)
            found = await client.get_connection(UUID(document["id"]), UUID(document["connectionId"]))
            assert isinstance(found, Found)
            assert found.value.status is ConnectionStatus.LINKED
            return Borrower(client, session, url, document, traits_of(found.value.platform))

        yield opened


@pytest.mark.parametrize("profile", [Profile.MATCHED, Profile.CODAT_2023])
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_every_record_of_a_repayment_is_accepted_written_and_found_again(
    borrower_on: Open, platform: str, profile: Profile
) -> None:
    borrower = await borrower_on(platform)
    for kind, body in [
        (RecordKind.TRANSFER, borrower.transfer(profile)),
        (RecordKind.DIRECT_COST, borrower.cost(profile=profile)),
        (RecordKind.BANK_TRANSACTION, borrower.line(profile)),
    ]:
        operation = await borrower.finished(kind, body)
        assert operation.status is PushStatus.SUCCESS, (operation.error_message, operation.errors)
        assert operation.created_record(kind) is not None
        if kind is RecordKind.BANK_TRANSACTION and platform == "Xero":
            continue  # Xero does not give its statement lines back
        expected = fingerprint_of_body(kind, REFERENCE, body)
        matches = [match(expected, record) for record in await borrower.synchronised(kind)]
        text_is_dropped = kind is RecordKind.TRANSFER and platform == "Sage"  # it keeps a deposit's only
        assert matches.count(Match.EXACT if expected.marks and not text_is_dropped else Match.LIKELY) == 1


async def test_a_cost_given_back_on_xero_is_the_direct_income_the_push_says(borrower_on: Open) -> None:
    borrower = await borrower_on("Xero")
    operation = await borrower.finished(RecordKind.DIRECT_COST, borrower.cost(-6_667))
    assert operation.status is PushStatus.SUCCESS, operation.errors
    made = operation.created_record(RecordKind.DIRECT_COST)
    assert made is not None
    assert made == RecordRef(made.id, "directIncomes")


async def test_what_a_mapping_creates_is_accepted(borrower_on: Open) -> None:
    borrower = await borrower_on("Sandbox")
    traits = borrower.traits
    for kind, body in [
        (RecordKind.SUPPLIER, payloads.supplier(SupplierBody("Bank of Dave", borrower.currency))),
        (
            RecordKind.ACCOUNT,
            payloads.account(AccountBody("Loan costs", "4290", "Expense.Overhead", None, borrower.currency), traits),
        ),
        (
            RecordKind.BANK_ACCOUNT,
            payloads.bank_account(BankAccountBody("Dave loan", borrower.currency, "12345678", "123456", "1250")),
        ),
    ]:
        operation = await borrower.finished(kind, body)
        assert operation.status is PushStatus.SUCCESS, (kind, operation.errors)
        assert operation.created_record(kind) is not None
        assert isinstance(await borrower.client.options(kind, borrower.id, borrower.connection), Found)


async def test_a_source_account_is_created_mapped_and_connected(borrower_on: Open) -> None:
    borrower = await borrower_on("Xero")
    source = payloads.source_account(SourceAccountBody("dave-1", "Dave", "66260701", borrower.currency, 0, "040004"))
    key = uuid4()
    for _ in range(2):
        created = await borrower.client.create_source_account(borrower.id, borrower.feeds, source, key)
        assert isinstance(created, Found), "the same key and body are the same source account"
    mapping = payloads.feed_mapping(FeedMappingBody("dave-1"))
    assert isinstance(await borrower.client.create_mapping(borrower.id, borrower.feeds, mapping, uuid4()), Found)
    await borrower.client.list_mappings(borrower.id, borrower.feeds)
    await borrower.control("clock", {"advanceSeconds": ENOUGH_SECONDS})
    found = await borrower.client.list_mappings(borrower.id, borrower.feeds)
    assert isinstance(found, Found)
    (feed,) = [feed for feed in found.value if feed.source_id == "dave-1"]
    assert feed.is_connected


async def test_a_companys_facts_and_history_are_read(borrower_on: Open) -> None:
    borrower = await borrower_on("QuickBooks Online")
    info = await borrower.client.company_info(borrower.id)
    assert isinstance(info, Found)
    assert info.value.base_currency == borrower.currency
    connections = await borrower.client.list_connections(borrower.id)
    assert isinstance(connections, Found)
    assert {borrower.connection, borrower.feeds} == {connection.id for connection in connections.value}
    assert isinstance(await borrower.client.data_status(borrower.id), Found)
    operation = await borrower.finished(RecordKind.TRANSFER, borrower.transfer())
    for since, keys in [(START - timedelta(days=1), [operation.key]), (START + timedelta(days=1), [])]:
        history = await borrower.client.list_push_operations(borrower.id, since)
        assert isinstance(history, Found)
        assert [one.key for one in history.value] == keys


async def test_the_query_reaches_codat_as_it_was_written(borrower_on: Open) -> None:
    borrower = await borrower_on("Sandbox")
    found = await borrower.client.list_records(
        RecordKind.ACCOUNT, borrower.id, borrower.connection, "type=Expense&&status=Active"
    )
    assert isinstance(found, Found)
    assert found.value
    assert {account["type"] for account in found.value} == {"Expense"}


async def test_the_same_key_is_one_record_and_another_body_is_refused(borrower_on: Open) -> None:
    borrower = await borrower_on("Sandbox")
    key = uuid4()
    first, second = [await borrower.push(RecordKind.TRANSFER, borrower.transfer(), key) for _ in range(2)]
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert first.operation.key == second.operation.key
    assert isinstance(await borrower.push(RecordKind.TRANSFER, borrower.transfer() + b" ", key), KeyReused)


async def test_a_server_error_after_the_write_is_replayed_and_recognised_by_its_correlation_id(
    borrower_on: Open,
) -> None:
    borrower = await borrower_on("Sandbox")
    await borrower.control("faults", [{"kind": "status_after", "status": 503, "match": {"method": "POST"}}])
    key = uuid4()
    first, replayed = [await borrower.push(RecordKind.TRANSFER, borrower.transfer(), key) for _ in range(2)]
    assert isinstance(first, Ambiguous)
    assert isinstance(replayed, Ambiguous)
    assert first.cause is AmbiguityCause.SERVER_ERROR
    assert first.error is not None
    assert replayed.error is not None
    assert first.error.correlation_id == replayed.error.correlation_id is not None


@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
async def test_a_cut_connection_is_ambiguous_and_the_same_key_makes_it_one_record(
    borrower_on: Open, fault: str
) -> None:
    borrower = await borrower_on("Sandbox")
    await borrower.control("faults", [{"kind": fault, "match": {"method": "POST"}}])
    key = uuid4()
    broken = await borrower.push(RecordKind.TRANSFER, borrower.transfer(), key)
    assert isinstance(broken, Ambiguous)
    assert broken.cause is AmbiguityCause.CONNECTION
    assert isinstance(await borrower.push(RecordKind.TRANSFER, borrower.transfer(), key), Accepted)
    await borrower.control("clock", {"advanceSeconds": ENOUGH_SECONDS})
    expected = fingerprint_of_body(RecordKind.TRANSFER, REFERENCE, borrower.transfer())
    records = await borrower.synchronised(RecordKind.TRANSFER)
    assert [match(expected, record) for record in records].count(Match.EXACT) == 1


async def test_a_rate_limit_is_obeyed_and_a_missing_company_and_a_wrong_key_are_told_apart(
    borrower_on: Open, gate: Gate
) -> None:
    borrower = await borrower_on("Sandbox")
    nobody = uuid4()
    assert isinstance(await borrower.client.company_info(nobody), NotFound)
    path = push_path(RecordKind.TRANSFER)
    missing = await borrower.client.push(nobody, borrower.connection, path, borrower.transfer(), uuid4())
    assert isinstance(missing, Missing)
    keyless = CodatClient(borrower.session, borrower.url, "", gate)
    assert isinstance(await keyless.company_info(borrower.id), Denied)
    await borrower.control("faults", [{"kind": "rate_limit", "retryAfter": "20"}])
    limited = await borrower.push(RecordKind.TRANSFER, borrower.transfer())
    assert limited == RateLimited(timedelta(seconds=20))
    assert gate.quota is not None
    assert gate.quota.remaining is not None


async def test_deleting_a_direct_cost_is_refused_where_the_platform_cannot(borrower_on: Open) -> None:
    borrower = await borrower_on("Xero")
    operation = await borrower.finished(RecordKind.DIRECT_COST, borrower.cost())
    made = operation.created_record(RecordKind.DIRECT_COST)
    assert made is not None
    reply = await borrower.client.delete_direct_cost(borrower.id, borrower.connection, made.id)
    assert not isinstance(reply, Accepted), "only QuickBooks Desktop deletes direct costs"
