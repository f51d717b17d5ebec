"""The simulator's own controls: look at the true books and the log, arrange faults, move time and connections."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
from aiohttp import web

from worker.money import format_major
from worker.simulator.api.feeds import connect_in_software
from worker.simulator.api.lookup import company_of, simulator_of
from worker.simulator.books import Books, Statement
from worker.simulator.faults import Fault
from worker.simulator.rules import DataType
from worker.simulator.wire import CodatError, Document, decode_object, read_date, read_number, respond, stamp
from worker.simulator.world import Company, ConnectionStatus


async def get_world(request: web.Request) -> web.Response:
    """The companies, what they start with and the faults arranged."""
    simulator = simulator_of(request)
    companies = [_company_document(company) for company in simulator.companies.values()]
    return respond({"seed": simulator.seed, "now": stamp(simulator.clock.now()), "companies": companies})


async def get_books(request: web.Request) -> web.Response:
    """The true books of one company, amounts as text."""
    company = company_of(request)
    books = company.books
    return respond(
        {
            "companyId": company.id,
            "name": company.name,
            "baseCurrency": books.base_currency,
            "accounts": [_account_document(books, account_id) for account_id in books.accounts],
            "statements": [_statement_document(company, statement) for statement in books.statements.values()],
            "records": {name.value: _record_documents(books, name) for name in _RECORDS},
        }
    )


async def get_requests(request: web.Request) -> web.Response:
    """Every Codat request received, oldest first."""
    entries = simulator_of(request).journal.entries
    return respond({"requests": [entry.document() for entry in entries]})


async def get_faults(request: web.Request) -> web.Response:
    """The faults still arranged."""
    return respond({"faults": msgspec.to_builtins(simulator_of(request).faults.arranged)})


async def post_faults(request: web.Request) -> web.Response:
    """Arranges more faults: a list of them, or an object with ``faults``."""
    body = await request.read()
    try:
        if body.lstrip().startswith(b"["):
            faults = msgspec.json.decode(body, type=list[Fault], strict=False)
        else:
            faults = msgspec.json.decode(body, type=_Faults, strict=False).faults
    except msgspec.MsgspecError as error:
        raise CodatError(400, f"Not a list of faults: {error}") from None
    simulator_of(request).faults.arrange(faults)
    return await get_faults(request)


async def delete_faults(request: web.Request) -> web.Response:
    """Calls every arranged fault off."""
    simulator_of(request).faults.clear()
    return web.Response(status=204)


async def post_clock(request: web.Request) -> web.Response:
    """Moves time forward; what falls due on the way happens on the way."""
    simulator = simulator_of(request)
    seconds = read_number(decode_object(await request.read()).get("advanceSeconds"))
    if seconds is None or seconds < 0:
        raise CodatError(400, "advanceSeconds must be a number of seconds, not negative.")
    await simulator.timetable.advance(timedelta(microseconds=int(seconds * 10**6)), simulator.post.settle)
    return respond({"now": stamp(simulator.clock.now())})


async def post_connection(request: web.Request) -> web.Response:
    """Puts a connection into another state, as its owner or its platform would."""
    simulator = simulator_of(request)
    status = decode_object(await request.read()).get("status")
    if status not in set(ConnectionStatus):
        raise CodatError(400, f"status must be one of {', '.join(ConnectionStatus)}.")
    wanted = request.match_info["connection_id"]
    for company in simulator.companies.values():
        if (connection := company.connections.get(wanted)) is not None:
            simulator.set_connection(company, connection, ConnectionStatus(status))
            return respond(connection.document(company.id))
    raise CodatError(404, f"No connection has the id {wanted}.")


async def post_connector(request: web.Request) -> web.Response:
    """Turns the office computer of an on-premise platform on or off."""
    simulator = simulator_of(request)
    is_on = decode_object(await request.read()).get("on")
    if not isinstance(is_on, bool):
        raise CodatError(400, "on must be true or false.")
    wanted = request.match_info["connection_id"]
    for company in simulator.companies.values():
        connection = company.connections.get(wanted)
        if connection is not None and connection.platform.on_premise:
            simulator.set_connector(connection, on=is_on)
            return respond({"connectionId": connection.id, "on": is_on, "waiting": len(connection.waiting)})
    raise CodatError(404, f"No connection to an on-premise platform has the id {wanted}.")


async def post_reset(request: web.Request) -> web.Response:
    """Starts over, with another seed when one is given."""
    await simulator_of(request).reset(await _seed_of(request))
    return await get_world(request)


async def post_companies(request: web.Request) -> web.Response:
    """Adds the companies of another seed to those there are, and shows the new ones."""
    seed = await _seed_of(request)
    if seed is None:
        raise CodatError(400, "seed is required: a whole number.")
    added = simulator_of(request).admit(seed)
    return respond({"companies": [_company_document(company) for company in added]})


async def post_company(request: web.Request) -> web.Response:
    """Changes a company's ledger lock date (null lifts it)."""
    company = company_of(request)
    text = decode_object(await request.read()).get("ledgerLockDate")
    if text is not None and read_date(text) is None:
        raise CodatError(400, "ledgerLockDate must be a date or null.")
    company.books.lock_date = read_date(text)
    return respond(_company_document(company))


async def post_feed(request: web.Request) -> web.Response:
    """Maps a source account inside the accounting software, as QuickBooks and Sage want it."""
    simulator = simulator_of(request)
    body = decode_object(await request.read())
    for company in simulator.companies.values():
        connection = company.connections.get(request.match_info["connection_id"])
        if connection is None:
            continue
        if (source := connection.sources.get(request.match_info["account_id"])) is not None:
            connect_in_software(simulator, (company, connection), source, body.get("targetAccountId"))
            return respond(source.document())
    raise CodatError(404, "No source account has this id.")


async def delete_record(request: web.Request) -> web.Response:
    """Deletes a record in the books, as a borrower may do by hand; Codat sees it at the next sync."""
    company = company_of(request)
    name, record_id = request.match_info["data_type"], request.match_info["record_id"]
    if name not in set(_RECORDS) or record_id not in company.books.records_of(DataType(name)):
        raise CodatError(404, f"No record of {name} has the id {record_id}.")
    company.books.remove(company.books.records_of(DataType(name))[record_id])
    return web.Response(status=204)


async def archive_account(request: web.Request) -> web.Response:
    """Archives an account in the books, as a borrower may do by hand."""
    account = company_of(request).books.accounts.get(request.match_info["account_id"])
    if account is None:
        raise CodatError(404, "No account has this id.")
    account.archived = True
    return web.Response(status=204)


async def _seed_of(request: web.Request) -> int | None:
    body = await request.read()
    seed = decode_object(body).get("seed") if body else None
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
        raise CodatError(400, "seed must be a whole number.")
    return seed


class _Faults(msgspec.Struct, forbid_unknown_fields=True):
    faults: list[Fault]


_RECORDS = (DataType.SUPPLIERS, DataType.TRANSFERS, DataType.DIRECT_COSTS, DataType.DIRECT_INCOMES)


def _company_document(company: Company) -> Document:
    lock_date = company.books.lock_date
    return {
        "id": company.id,
        "name": company.name,
        "platform": next(iter(company.connections.values())).platform.name,
        "baseCurrency": company.books.base_currency,
        "ledgerLockDate": None if lock_date is None else lock_date.isoformat(),
        **company.presets,
        "connections": [
            {
                "id": connection.id,
                "platform": connection.platform.name,
                "integrationKey": connection.platform.key,
                "sourceType": connection.platform.source_type,
                "status": connection.status,
                "sourceAccounts": [
                    {"id": source.id, "status": source.status, "targetAccountId": source.target}
                    for source in connection.sources.values()
                ],
            }
            for connection in company.connections.values()
        ],
    }


def _account_document(books: Books, account_id: str) -> Document:
    account = books.accounts[account_id]
    return {
        "id": account.id,
        "name": account.name,
        "type": account.kind,
        "currency": account.currency,
        "isBankAccount": account.is_bank,
        "status": account.status,
        "balance": format_major(account.balance, account.currency),
    }


def _statement_document(company: Company, statement: Statement) -> Document:
    sources = [source for c in company.connections.values() for source in c.sources.values()]
    target = next((source.target for source in sources if source.id == statement.account_id), statement.account_id)
    currency, reported = statement.currency, statement.reported_balance
    return {
        "accountId": statement.account_id,
        "targetAccountId": target,
        "currency": currency,
        "opening": format_major(statement.opening, currency),
        "balance": format_major(statement.balance, currency),
        "reportedBalance": None if reported is None else format_major(reported, currency),
        "lines": [
            {
                "id": line.id,
                "date": line.day.isoformat(),
                "amount": format_major(line.amount, currency),
                "balance": None if line.balance is None else format_major(line.balance, currency),
                "description": line.description,
                "transactionType": line.kind,
                "duplicateOf": line.duplicate_of,
            }
            for line in statement.lines
        ],
    }


def _record_documents(books: Books, data_type: DataType) -> list[Document]:
    return [
        {
            **_as_text(record.document()),
            "deleted": record.deleted,
            "moves": [
                {"accountId": account_id, "amount": format_major(amount, books.accounts[account_id].currency)}
                for account_id, amount in record.moves
            ],
        }
        for record in books.records_of(data_type).values()
    ]


def _as_text(value: Document) -> Document:
    return {name: _plain(item) for name, item in value.items()}


def _plain(value: object) -> object:
    match value:
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case bool():
            return value
        case int() | Decimal():
            return str(value)
        case _:
            return value


def add_routes(app: web.Application) -> None:
    """Registers the controls."""
    app.router.add_get("/_simulator/world", get_world)
    app.router.add_get("/_simulator/books/{company_id}", get_books)
    app.router.add_get("/_simulator/requests", get_requests)
    app.router.add_get("/_simulator/faults", get_faults)
    app.router.add_post("/_simulator/faults", post_faults)
    app.router.add_delete("/_simulator/faults", delete_faults)
    app.router.add_post("/_simulator/clock", post_clock)
    app.router.add_post("/_simulator/connections/{connection_id}", post_connection)
    app.router.add_post("/_simulator/connectors/{connection_id}", post_connector)
    app.router.add_post("/_simulator/companies", post_companies)
    app.router.add_post("/_simulator/companies/{company_id}", post_company)
    app.router.add_post("/_simulator/feeds/{connection_id}/{account_id}", post_feed)
    app.router.add_delete("/_simulator/records/{company_id}/{data_type}/{record_id}", delete_record)
    app.router.add_delete("/_simulator/accounts/{company_id}/{account_id}", archive_account)
    app.router.add_post("/_simulator/reset", post_reset)
