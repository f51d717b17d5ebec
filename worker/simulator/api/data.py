"""Reads: what Codat's last sync saw, and the queueing of syncs."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from worker.simulator.api.lookup import company_of, connection_of, simulator_of
from worker.simulator.books import Statement
from worker.simulator.rules import DataType
from worker.simulator.wire import CodatError, Document, page_of, respond, stamp
from worker.simulator.world import Company, Connection

_COMPANY_SCOPED: Final = {
    "accounts": DataType.ACCOUNTS,
    "suppliers": DataType.SUPPLIERS,
    "taxRates": DataType.TAX_RATES,
}
_CONNECTION_SCOPED: Final = {
    "bankAccounts": DataType.BANK_ACCOUNTS,
    "transfers": DataType.TRANSFERS,
    "directCosts": DataType.DIRECT_COSTS,
    "directIncomes": DataType.DIRECT_INCOMES,
}


async def list_company_records(request: web.Request) -> web.Response:
    """Accounts, suppliers or tax rates, which Codat serves for a company."""
    company = company_of(request)
    return page_of(request, _documents(request, company, None, _COMPANY_SCOPED[request.match_info["records"]]))


async def get_company_record(request: web.Request) -> web.Response:
    """One account, supplier or tax rate."""
    company = company_of(request)
    return _one(request, _documents(request, company, None, _COMPANY_SCOPED[request.match_info["records"]]))


async def list_connection_records(request: web.Request) -> web.Response:
    """Bank accounts, transfers, direct costs or incomes, which Codat serves for a connection."""
    company, connection = _accounting_connection_of(request)
    data_type = _CONNECTION_SCOPED[request.match_info["records"]]
    return page_of(request, _documents(request, company, connection, data_type))


async def get_connection_record(request: web.Request) -> web.Response:
    """One bank account, transfer, direct cost or income."""
    company, connection = _accounting_connection_of(request)
    data_type = _CONNECTION_SCOPED[request.match_info["records"]]
    return _one(request, _documents(request, company, connection, data_type))


async def list_bank_transactions(request: web.Request) -> web.Response:
    """The lines of the statement behind a bank account; some platforms do not let them be read."""
    company, connection = _accounting_connection_of(request)
    if not connection.platform.bank_lines_readable:
        raise CodatError(404, f"Data type bankTransactions is not supported by {connection.platform.name}.")
    account_id = request.match_info["account_id"]
    if account_id not in company.books.accounts:
        raise CodatError(404, f"No data available for bankTransactions for ID {account_id}")
    seen = simulator_of(request).views[company.id].lines
    lines = [
        line.document(account_id, statement.currency)
        for statement in _statements_of(company, account_id)
        for line in statement.lines[: seen.get(statement.account_id, 0)]
    ]
    return page_of(request, lines)


async def queue_sync(request: web.Request) -> web.Response:
    """Starts reading one data type."""
    company = company_of(request)
    simulator = simulator_of(request)
    name = request.match_info["data_type"]
    if name not in set(DataType):
        raise CodatError(400, f"{name} is not a data type this simulator keeps.")
    data_type = DataType(name)
    connection_id = request.query.get("connectionId", next(iter(company.connections)))
    if connection_id not in company.connections:
        raise CodatError(404, f"Data connection {connection_id} not found")
    if data_type in simulator.views[company.id].running:
        raise CodatError(400, "DatasetAlreadyInProgressException: this data set is being synchronized.")
    simulator.sync(company, company.connections[connection_id], (data_type,))
    return respond(
        {
            "id": simulator.guid(),
            "companyId": company.id,
            "connectionId": connection_id,
            "dataType": data_type,
            "status": "Queued",
            "statusDescription": "Queued",
            "requested": stamp(simulator.clock.now()),
            "progress": 0,
            "isCompleted": False,
            "isErrored": False,
        }
    )


async def queue_all(request: web.Request) -> web.Response:
    """Starts reading everything that is not being read already."""
    company = company_of(request)
    simulator = simulator_of(request)
    running = simulator.views[company.id].running
    waiting = tuple(data_type for data_type in DataType if data_type not in running)
    simulator.sync(company, next(iter(company.connections.values())), waiting)
    return web.Response(status=204)


async def data_status(request: web.Request) -> web.Response:
    """How fresh each data type is."""
    view = simulator_of(request).views[company_of(request).id]
    return respond({data_type.value: view.status(data_type) for data_type in DataType})


def _accounting_connection_of(request: web.Request) -> tuple[Company, Connection]:
    company, connection = connection_of(request)
    if connection.platform.source_type != "Accounting":
        raise CodatError(404, f"{connection.platform.name} holds no accounting data.")
    return company, connection


def _documents(
    request: web.Request, company: Company, connection: Connection | None, data_type: DataType
) -> list[Document]:
    view = simulator_of(request).views[company.id]
    if data_type not in view.synced_at:
        raise CodatError(409, "The data set has not been requested.")
    match data_type:
        case DataType.ACCOUNTS:
            return [account.document(balance) for account, balance in view.accounts(company, data_type)]
        case DataType.BANK_ACCOUNTS:
            hidden = connection is not None and connection.platform.bank_balances_hidden
            accounts = view.accounts(company, data_type)
            return [a.bank_document(None if hidden else balance) for a, balance in accounts if a.is_bank]
        case _:
            return [record.document() for record in view.records(company, data_type)]


def _one(request: web.Request, documents: list[Document]) -> web.Response:
    wanted = request.match_info["record_id"]
    for document in documents:
        if document["id"] == wanted:
            return respond(document)
    raise CodatError(404, f"No data available for {request.match_info['records']} for ID {wanted}")


def _statements_of(company: Company, account_id: str) -> list[Statement]:
    """The plain statement of an account and those of the feeds mapped to it."""
    feeds = [
        source.id
        for connection in company.connections.values()
        for source in connection.sources.values()
        if source.target == account_id
    ]
    statements = company.books.statements
    return [statements[name] for name in (account_id, *feeds) if name in statements]


def add_routes(app: web.Application) -> None:
    """Registers these endpoints."""
    company, connection = "/companies/{company_id}", "/companies/{company_id}/connections/{connection_id}"
    scoped = "{records:" + "|".join(_COMPANY_SCOPED) + "}"
    app.router.add_get(f"{company}/data/{scoped}", list_company_records)
    app.router.add_get(f"{company}/data/{scoped}/{{record_id}}", get_company_record)
    scoped = "{records:" + "|".join(_CONNECTION_SCOPED) + "}"
    app.router.add_get(f"{connection}/data/{scoped}", list_connection_records)
    app.router.add_get(f"{connection}/data/bankAccounts/{{account_id}}/bankTransactions", list_bank_transactions)
    app.router.add_get(f"{connection}/data/{scoped}/{{record_id}}", get_connection_record)
    app.router.add_post(f"{company}/data/queue/{{data_type}}", queue_sync)
    app.router.add_post(f"{company}/data/all", queue_all)
    app.router.add_get(f"{company}/dataStatus", data_status)
