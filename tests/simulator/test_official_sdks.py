"""Codat's own SDKs read every endpoint the worker uses."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from codat_lending import CodatLending
from codat_lending.models import errors, shared
from codat_lending.utils import BackoffStrategy, RetryConfig
from codat_platform import CodatPlatform
from codat_platform.models import shared as platform_shared
from codat_platform.utils import BackoffStrategy as PlatformBackoff
from codat_platform.utils import RetryConfig as PlatformRetryConfig

from tests.simulator.client import Client, Document, Open

T = TypeVar("T")
AUTHORIZATION = "Basic " + base64.b64encode(b"key").decode()


def lending_sdk(client: Client) -> CodatLending:
    return CodatLending(
        security=shared.Security(auth_header=AUTHORIZATION),
        server_url=client.url,
        retry_config=RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False),
    )


def platform_sdk(client: Client) -> CodatPlatform:
    return CodatPlatform(
        security=platform_shared.Security(auth_header=AUTHORIZATION),
        server_url=client.url,
        retry_config=PlatformRetryConfig("none", PlatformBackoff(1, 1, 1, 1), False),
    )


async def ask(method: Callable[..., T], **request: Any) -> T:
    """Calls a synchronous SDK method beside the event loop that serves it."""
    return await asyncio.to_thread(method, request=request)


def places(client: Client) -> Document:
    return {"company_id": client.company["id"], "connection_id": client.company["connectionId"]}


@pytest.fixture(params=["Xero", "QuickBooks", "Sage", "FreeAgent", "Sandbox", "QuickBooks Desktop", "Sage Intacct"])
async def client(request: pytest.FixtureRequest, open_company: Open) -> Client:
    return await open_company(request.param)


async def test_companies_and_connections_are_read(client: Client) -> None:
    sdk = lending_sdk(client)
    company_id = client.company["id"]
    companies = await ask(sdk.companies.list, query="name=" + client.company["name"])
    assert [c.id for c in companies.results] == [company_id]
    company = await ask(sdk.companies.get, company_id=company_id)
    assert company.data_connections[0].status == shared.DataConnectionStatus.LINKED
    connections = await ask(sdk.connections.list, company_id=company_id)
    assert connections.results[0].id == client.company["connectionId"]
    connection = await ask(sdk.connections.get, **places(client))
    assert connection.platform_name == client.company["connections"][0]["platform"]
    profile = await ask(sdk.company_info.get_accounting_profile, company_id=company_id)
    assert profile.base_currency == client.company["baseCurrency"]


async def test_a_connection_is_unlinked(client: Client) -> None:
    sdk = lending_sdk(client)
    body = {"status": "Unlinked"}
    connection = await ask(sdk.connections.unlink, **places(client), request_body=body)
    assert connection.status == shared.DataConnectionStatus.UNLINKED


async def write_transfer(client: Client, body: Document) -> str:
    """The push operation key of a transfer, written through the SDK wherever its model can say what is needed."""
    if client.company["connections"][0]["platform"] == "Xero":
        # Xero wants a status on both sides, for which the SDK's transfer has no field.
        reply = await client.call("POST", f"{client.connection}/push/transfers", body)
        return str(shared.AccountingCreateTransferResponse.model_validate(reply.json).push_operation_key)
    create = lending_sdk(client).loan_writeback.transfers.create
    created = await ask(create, **places(client), accounting_transfer=body)
    assert created.status == shared.PushOperationStatus.PENDING
    assert created.data.from_.amount == Decimal("12.34")
    return str(created.push_operation_key)


async def test_a_transfer_is_written_followed_and_read_back(client: Client) -> None:
    sdk = lending_sdk(client)
    key = await write_transfer(client, client.transfer("12.34"))
    await client.advance(10)
    company_id = client.company["id"]
    operation = await ask(sdk.loan_writeback.create_operations.get, company_id=company_id, push_operation_key=key)
    assert operation.status == shared.PushOperationStatus.SUCCESS
    record_id = operation.changes[0].record_ref.id
    operations_page = await ask(sdk.loan_writeback.create_operations.list, company_id=company_id)
    assert operations_page.results[0].push_operation_key == key
    transfer = await ask(sdk.transactions.transfers.get, **places(client), transfer_id=record_id)
    assert transfer.to.amount == Decimal("12.34")
    listed = await ask(sdk.transactions.transfers.list, **places(client))
    assert [t.id for t in listed.results] == [record_id]


async def test_a_direct_cost_is_written_and_read_back(client: Client) -> None:
    sdk = lending_sdk(client)
    body = client.cost("66.67")
    created = await ask(sdk.loan_writeback.direct_costs.create, **places(client), direct_cost_prototype=body)
    await client.advance(10)
    listed = await ask(sdk.transactions.direct_costs.list, **places(client))
    assert [cost.total_amount for cost in listed.results] == [Decimal("66.67")]
    cost = await ask(sdk.transactions.direct_costs.get, **places(client), direct_cost_id=listed.results[0].id)
    assert cost.line_items[0].account_ref.id == client.company["expenseAccountId"]
    assert created.data_type == shared.DataType.DIRECT_COSTS


async def test_tax_rates_are_synced_listed_and_named_by_a_direct_cost(client: Client) -> None:
    sdk = lending_sdk(client)
    company_id = client.company["id"]
    pull = await ask(sdk.manage_data.refresh.data_type, company_id=company_id, data_type="taxRates")
    assert pull.data_type == "taxRates"
    await client.advance(10)
    statuses = await ask(sdk.manage_data.get_status, company_id=company_id)
    assert statuses.tax_rates.last_successful_sync is not None
    # Neither SDK lists tax rates: the page is read as any other, and an item as what a line refers to.
    page = await client.get(f"{client.base}/data/taxRates?query=effectiveTaxRate%3D0")
    assert shared.Links.model_validate(page["_links"]).current.href
    rates = [shared.TaxRateRef.model_validate(rate) for rate in page["results"]]
    assert [(rate.id, rate.effective_tax_rate) for rate in rates] == [(client.company["taxRateId"], Decimal(0))]
    assert (await client.get(f"{client.base}/data/taxRates/{rates[0].id}"))["name"] == rates[0].name
    operation = await client.push(f"{client.connection}/push/directCosts", client.cost("66.67"))
    record_id = operation["changes"][0]["recordRef"]["id"]
    cost = await ask(sdk.transactions.direct_costs.get, **places(client), direct_cost_id=record_id)
    assert cost.line_items[0].tax_rate_ref.id == rates[0].id


async def test_suppliers_accounts_and_bank_accounts_are_read(client: Client) -> None:
    sdk = lending_sdk(client)
    company_id = client.company["id"]
    suppliers = await ask(sdk.accounts_payable.suppliers.list, company_id=company_id, query="supplierName~northgate")
    assert [s.id for s in suppliers.results] == [client.company["supplierId"]]
    supplier_id = client.company["supplierId"]
    supplier = await ask(sdk.accounts_payable.suppliers.get, company_id=company_id, supplier_id=supplier_id)
    assert supplier.status == shared.SupplierStatus.ACTIVE
    accounts = await ask(sdk.financial_statements.accounts.list, company_id=company_id, query="type=Expense")
    assert client.company["expenseAccountId"] in [a.id for a in accounts.results]
    account_id = client.company["expenseAccountId"]
    account = await ask(sdk.financial_statements.accounts.get, company_id=company_id, account_id=account_id)
    assert account.type == shared.AccountType.EXPENSE
    bank_accounts = await ask(sdk.accounting_bank_data.accounts.list, **places(client))
    assert client.company["borrowerAccountId"] in [a.id for a in bank_accounts.results]
    bank_account = await ask(
        sdk.accounting_bank_data.accounts.get, **places(client), account_id=client.company["borrowerAccountId"]
    )
    assert bank_account.currency == client.company["baseCurrency"]


async def test_a_supplier_is_created(client: Client) -> None:
    sdk = lending_sdk(client)
    body = {"supplier_name": "Bank of Dave", "contact_name": "Dave", "status": "Active"}
    await ask(sdk.loan_writeback.suppliers.create, **places(client), accounting_supplier=body)
    await client.advance(10)
    found = await ask(
        sdk.accounts_payable.suppliers.list, company_id=client.company["id"], query="supplierName=Bank of Dave"
    )
    assert found.total_results == 1


async def test_options_models_are_read(client: Client) -> None:
    sdk = lending_sdk(client)
    transfers = await ask(sdk.loan_writeback.transfers.get_create_model, **places(client))
    assert transfers.properties["from"].properties["accountRef"].properties["id"].required
    costs = await ask(sdk.loan_writeback.direct_costs.get_create_model, **places(client))
    assert costs.properties["lineItems"].properties["accountRef"].type == shared.PushOptionType.OBJECT
    suppliers = await ask(sdk.loan_writeback.suppliers.get_create_update_model, **places(client))
    assert suppliers.properties["supplierName"].required
    account_id = client.company.get("sourceAccountId") or client.company["lenderAccountId"]
    where = {**places(client), "connection_id": client.company.get("feedConnectionId", client.company["connectionId"])}
    lines = await ask(sdk.loan_writeback.bank_transactions.get_create_model, **where, account_id=account_id)
    assert lines.properties["transactions"].properties["amount"].required
    generic = await ask(platform_sdk(client).push_data.get_model_options, **places(client), data_type="transfers")
    assert generic.display_name == "Transfer"


async def test_bank_lines_are_written_to_a_connected_source_account(client: Client) -> None:
    sdk = lending_sdk(client)
    account_id = client.company.get("sourceAccountId") or client.company["lenderAccountId"]
    where = {**places(client), "connection_id": client.company.get("feedConnectionId", client.company["connectionId"])}
    body = client.lines(account_id, "-1000.00", "400.00")
    await ask(
        sdk.loan_writeback.bank_transactions.create,
        **where,
        account_id=account_id,
        accounting_create_bank_transactions=body,
    )
    await client.advance(10)
    statement = (await client.books())["statements"][0]
    assert (statement["balance"], statement["reportedBalance"]) == ("-600.00", "-600.00")


async def test_bank_lines_are_read_where_the_platform_lets_them_be(open_company: Open) -> None:
    client = await open_company("Sandbox")
    account_id = client.company["lenderAccountId"]
    lines = client.lines(account_id, "-1000.00")
    await client.push(f"{client.connection}/push/bankAccounts/{account_id}/bankTransactions", lines)
    read = await ask(
        lending_sdk(client).accounting_bank_data.list_transactions, **places(client), account_id=account_id
    )
    assert [line.amount for line in read.results] == [Decimal("-1000.00")]


async def test_an_account_and_a_bank_account_are_created(open_company: Open) -> None:
    client = await open_company("Sage")
    sdk = lending_sdk(client)
    account = {"nominal_code": "7905", "name": "Loan fees", "fully_qualified_category": "OVERHEADS"}
    created = await ask(sdk.loan_writeback.accounts.create, **places(client), account_prototype=account)
    assert created.data_type == shared.DataType.CHART_OF_ACCOUNTS
    bank_account = {"account_name": "Bank of Dave loan", "account_type": "Credit", "currency": "GBP"}
    await ask(sdk.loan_writeback.bank_accounts.create, **places(client), accounting_bank_account=bank_account)
    model = await ask(sdk.loan_writeback.bank_accounts.get_create_update_model, **places(client))
    assert model.properties["accountName"].validation.information[0].details == "At most 50 characters."
    assert (await ask(sdk.loan_writeback.accounts.get_create_model, **places(client))).properties["name"].required
    await client.advance(10)
    names = {account["name"] for account in (await client.books())["accounts"]}
    assert {"Loan fees", "Bank of Dave loan"} <= names


async def test_a_source_account_is_created_mapped_and_connected(open_company: Open) -> None:
    client = await open_company("Xero")
    sdk = lending_sdk(client).loan_writeback.source_accounts
    source = {
        "id": "bod-1",
        "account_name": "Bank of Dave loan",
        "account_type": "loan",
        "account_number": "66260701",
        "sort_code": "040004",
        "currency": "GBP",
        "balance": 0,
    }
    created = await ask(sdk.create, **places(client), request_body=shared.SourceAccountV2Prototype(**source))
    assert created.status.value == "pending"
    mapping = {"source_account_id": "bod-1"}
    mapped = await ask(sdk.create_mapping, **places(client), bank_feed_bank_account_mapping=mapping)
    assert mapped.status == "connecting"
    await client.advance(10)
    first = await ask(sdk.list_mappings, **places(client))
    await client.advance(10)
    second = await ask(sdk.list_mappings, **places(client))
    assert [m.status for m in first if m.source_account_id == "bod-1"] == ["connecting"]
    assert [(m.status, m.target_account_name) for m in second if m.source_account_id == "bod-1"] == [
        ("connected", "Bank of Dave loan")
    ]


async def test_source_accounts_are_listed_where_a_person_joins_them(open_company: Open) -> None:
    client = await open_company("QuickBooks")
    listed = await client.get(f"{client.feeds}/connectionInfo/bankFeedAccounts")
    (source,) = (shared.SourceAccountV2.model_validate(item) for item in listed)
    assert (source.id, source.status.value) == (client.company["sourceAccountId"], "connected")


async def test_syncs_are_queued_and_their_status_read(open_company: Open) -> None:
    client = await open_company("Sandbox")
    sdk = lending_sdk(client)
    company_id = client.company["id"]
    pull = await ask(sdk.manage_data.refresh.data_type, company_id=company_id, data_type="transfers")
    assert pull.data_type == "transfers"
    await client.advance(10)
    await ask(sdk.manage_data.refresh.all_data_types, company_id=company_id)
    statuses = await ask(sdk.manage_data.get_status, company_id=company_id)
    assert statuses.transfers.last_successful_sync is not None


async def test_webhook_consumers_are_created_listed_and_deleted(open_company: Open) -> None:
    client = await open_company("Sandbox")
    sdk = platform_sdk(client).webhooks
    prototype = platform_shared.WebhookConsumerPrototype(
        url="http://127.0.0.1:9/hook", event_types=["transfers.write.successful"], company_tags=["platform:mqjo"]
    )
    created = await asyncio.to_thread(sdk.create_consumer, request=prototype)
    listed = await asyncio.to_thread(sdk.list_consumers)
    assert [consumer.id for consumer in listed.results] == [created.id]
    await ask(sdk.delete_consumer, webhook_id=created.id)
    assert (await asyncio.to_thread(sdk.list_consumers)).results == []


async def test_push_operations_are_read_through_the_platform_sdk(client: Client) -> None:
    reply = await client.call("POST", f"{client.connection}/push/transfers", client.transfer("1.00"))
    sdk = platform_sdk(client).push_data
    company_id, key = client.company["id"], reply.json["pushOperationKey"]
    operation = await ask(sdk.get_operation, company_id=company_id, push_operation_key=key)
    assert operation.status == platform_shared.PushOperationStatus.PENDING
    listed = await ask(sdk.list_operations, company_id=company_id, query=f"pushOperationKey={key}")
    assert listed.total_results == 1


async def test_an_error_is_read_as_the_sdk_s_own_error(client: Client) -> None:
    with pytest.raises(errors.ErrorMessage) as raised:
        await ask(lending_sdk(client).companies.get, company_id="7b7a1f8e-0000-4000-8000-000000000000")
    assert raised.value.data.status_code == 404
    assert raised.value.data.service == "ClientsApi"
    assert len(raised.value.data.correlation_id) == 32
