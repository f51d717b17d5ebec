"""Companies, connections and company information."""

from __future__ import annotations

from aiohttp import web

from worker.simulator.api.lookup import company_of, connection_of, simulator_of
from worker.simulator.query import QueryError, compile_query
from worker.simulator.wire import CodatError, decode_object, midnight, page_of, respond, stamp
from worker.simulator.world import ConnectionStatus


async def list_companies(request: web.Request) -> web.Response:
    """Every company, filtered and ordered as asked; ``tags`` is a query over a company's tags."""
    try:
        chosen = compile_query(request.query.get("tags", ""))
    except QueryError as error:
        raise CodatError(400, str(error)) from None
    companies = simulator_of(request).companies.values()
    return page_of(request, [company.document() for company in companies if chosen(company.tags)])


async def get_company(request: web.Request) -> web.Response:
    """One company."""
    return respond(company_of(request).document())


async def list_connections(request: web.Request) -> web.Response:
    """A company's connections."""
    company = company_of(request)
    return page_of(request, [connection.document(company.id) for connection in company.connections.values()])


async def get_connection(request: web.Request) -> web.Response:
    """One connection."""
    company, connection = connection_of(request)
    return respond(connection.document(company.id))


async def patch_connection(request: web.Request) -> web.Response:
    """Unlinks a connection: the one change of state Codat lets a client make."""
    company, connection = connection_of(request)
    if decode_object(await request.read()).get("status") != ConnectionStatus.UNLINKED:
        raise CodatError(400, "A connection's status can only be changed to Unlinked.")
    simulator_of(request).set_connection(company, connection, ConnectionStatus.UNLINKED)
    return respond(connection.document(company.id))


async def get_info(request: web.Request) -> web.Response:
    """What the accounting software says about the company, its lock date included."""
    company = company_of(request)
    year_start = company.created_at.date().replace(month=1, day=1)
    lock_date = company.books.lock_date
    return respond(
        {
            "companyName": company.name,
            "companyLegalName": company.name,
            "addresses": [],
            "phoneNumbers": [],
            "webLinks": [],
            "ledgerLockDate": None if lock_date is None else midnight(lock_date),
            "financialYearStartDate": midnight(year_start),
            "baseCurrency": company.books.base_currency,
            "createdDate": stamp(company.created_at),
        }
    )


def add_routes(app: web.Application) -> None:
    """Registers these endpoints."""
    app.router.add_get("/companies", list_companies)
    app.router.add_get("/companies/{company_id}", get_company)
    app.router.add_get("/companies/{company_id}/connections", list_connections)
    app.router.add_get("/companies/{company_id}/connections/{connection_id}", get_connection)
    app.router.add_patch("/companies/{company_id}/connections/{connection_id}", patch_connection)
    app.router.add_get("/companies/{company_id}/data/info", get_info)
