"""Source accounts of bank feeds and their mapping to accounts in the books."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from worker.money import AmountError, parse_minor
from worker.simulator.api.lookup import connection_of, linked_connection_of, simulator_of
from worker.simulator.rules import Kind, Model, may, must
from worker.simulator.simulator import Simulator
from worker.simulator.validation import shape_errors, value_errors
from worker.simulator.wire import CodatError, Document, decode_object, read_date, respond
from worker.simulator.world import Company, Connection, FeedStatus, SourceAccount

_TYPES: Final = ("checking", "savings", "loan", "creditCard", "prepaidCard")
_TEXTS: Final = ("accountName", "accountType", "accountNumber", "sortCode", "currency")

_SHARED: Final = (
    may("sortCode", Kind.STRING),
    may("modifiedDate", Kind.DATE),
    may("routingInfo", Kind.OBJECT),
    may("accountInfo", Kind.OBJECT),
)
_FIRST: Final = Model(
    "Source account",
    (
        must("id", Kind.STRING),
        *(may(name, Kind.STRING) for name in _TEXTS),
        may("balance", Kind.NUMBER),
        may("modifiedDate", Kind.DATE),
    ),
)
"""The first version of a source account: only the id has to be sent, the type is free text."""

_SECOND: Final = Model(
    "Source account",
    (
        must("id", Kind.STRING),
        must("accountName", Kind.STRING),
        must("accountType", Kind.STRING, choices=_TYPES),
        must("accountNumber", Kind.STRING),
        must("currency", Kind.STRING),
        must("balance", Kind.NUMBER),
        *_SHARED,
    ),
)
"""The second version: recognised by its account type."""


async def create_source(request: web.Request) -> web.Response:
    """Adds a source account, at once; it takes no lines before it is mapped."""
    company, connection = _feed_connection_of(request)
    body = decode_object(await request.read())
    _check_source(company, body)
    if body["id"] in connection.sources:
        raise CodatError(400, f"A source account with the id {body['id']} exists already.")
    currency = body.get("currency") or company.books.base_currency
    source = SourceAccount(body["id"], body, currency)
    connection.sources[source.id] = source
    return respond(source.document())


async def list_sources(request: web.Request) -> web.Response:
    """A bare array, as Codat answers here."""
    _, connection = _feed_connection_of(request, may_be_unlinked=True)
    return respond([source.document() for source in connection.sources.values()])


async def patch_source(request: web.Request) -> web.Response:
    """Changes what a source account says about itself."""
    _, connection = _feed_connection_of(request)
    source = _source_of(request, connection)
    body = decode_object(await request.read())
    broken = shape_errors(_FIRST, "SourceAccount", body)
    if broken:
        raise CodatError(400, "The request body does not fit the data model.", errors=broken)
    source.body |= {name: value for name, value in body.items() if name in {*_TEXTS, "balance", "modifiedDate"}}
    return respond(source.document())


async def delete_source(request: web.Request) -> web.Response:
    """Switches the feed off; the account stays in the books."""
    company, connection = _feed_connection_of(request)
    source = _source_of(request, connection)
    simulator_of(request).disconnect_feed(company, connection, source)
    del connection.sources[source.id]
    return web.Response(status=204)


async def create_credentials(request: web.Request) -> web.Response:
    """What a borrower types into QuickBooks Online to link the feed."""
    simulator = simulator_of(request)
    _feed_connection_of(request)
    return respond({"username": f"feed-{simulator.guid()[:8]}", "password": simulator.guid()})


async def delete_credentials(request: web.Request) -> web.Response:
    """Withdraws all credentials of a feed."""
    _feed_connection_of(request)
    return web.Response(status=204)


async def list_mappings(request: web.Request) -> web.Response:
    """A bare array of every source account, where it leads, and where it could lead.

    Asking is what makes Xero open the account of a mapping that named none.
    """
    company, connection = _mappable_connection_of(request)
    simulator = simulator_of(request)
    for source in connection.sources.values():
        waits = source.status is FeedStatus.CONNECTING and source.target is None
        if waits and connection.platform.target_created_on_read:
            simulator.make_target(company, connection, source)
            simulator.connect_feed(company, connection, source)
    return respond([_mapping(company, source) for source in connection.sources.values()])


async def create_mapping(request: web.Request) -> web.Response:
    """Starts connecting a source account to a bank account of the books, or to a new one."""
    company, connection = _mappable_connection_of(request)
    body = decode_object(await request.read())
    source = connection.sources.get(str(body.get("sourceAccountId")))
    if source is None:
        raise CodatError(400, "sourceAccountId has to be the id of a source account of this connection.")
    if source.status not in {FeedStatus.PENDING, FeedStatus.DISCONNECTED}:
        raise CodatError(400, f"The source account is {source.status} already.")
    target = body.get("targetAccountId")
    if target is not None and target not in {option["id"] for option in _options(company, source)}:
        raise CodatError(400, "targetAccountId has to be one of the source account's targetAccountOptions.")
    if body.get("feedStartDate") is not None and read_date(body["feedStartDate"]) is None:
        raise CodatError(400, "feedStartDate has to be a date.")
    _start(simulator_of(request), (company, connection), source, target)
    source.start = read_date(body.get("feedStartDate")) or source.start
    return respond(
        {"sourceAccountId": source.id, "targetAccountId": target, "status": FeedStatus.CONNECTING, "error": None}
    )


async def feed_info(request: web.Request) -> web.Response:
    """What the software says about the company behind a feed."""
    company, _ = _feed_connection_of(request, may_be_unlinked=True)
    currency = company.books.base_currency
    return respond(
        {
            "companyName": company.name,
            "baseCurrency": currency,
            "planType": "Standard",
            "multicurrencyEnabled": False,
            "currencies": [currency],
        }
    )


def connect_in_software(
    simulator: Simulator, places: tuple[Company, Connection], source: SourceAccount, target: str | None
) -> None:
    """What a borrower does inside QuickBooks or Sage, where no endpoint maps a feed.

    Raises :class:`CodatError` 400 for a target that cannot be chosen.
    """
    if target is not None and target not in {option["id"] for option in _options(places[0], source)}:
        raise CodatError(400, "targetAccountId has to be a bank account of the same currency that no feed leads to.")
    _start(simulator, places, source, target)
    if places[1].platform.target_created_on_read and target is None:
        simulator.connect_feed(*places, source)


def _start(simulator: Simulator, places: tuple[Company, Connection], source: SourceAccount, target: str | None) -> None:
    source.status, source.target = FeedStatus.CONNECTING, target
    source.start = simulator.clock.now().date()
    if target is not None or not places[1].platform.target_created_on_read:
        simulator.connect_feed(*places, source)


def _check_source(company: Company, body: Document) -> None:
    model = _SECOND if body.get("accountType") in _TYPES else _FIRST
    broken = shape_errors(model, "SourceAccount", body) or value_errors(model, "SourceAccount", body)
    if broken:
        raise CodatError(400, "The request body does not fit the data model.", errors=broken)
    currency = body.get("currency") or company.books.base_currency
    if currency != company.books.base_currency:
        raise CodatError(400, f"Multi-currency is off: the source account has to be in {company.books.base_currency}.")
    if currency == "GBP" and model is _SECOND and not body.get("sortCode"):
        raise CodatError(400, "sortCode has to be provided for an account in GBP.")
    try:
        parse_minor(str(body.get("balance") or 0), currency)
    except AmountError as error:
        raise CodatError(400, f"balance: {error}") from None


def _mapping(company: Company, source: SourceAccount) -> Document:
    target = company.books.accounts.get(source.target or "")
    return {
        "sourceAccountId": source.id,
        "sourceAccountName": source.body.get("accountName"),
        "sourceAccountNumber": source.body.get("accountNumber"),
        "sourceBalance": source.body.get("balance"),
        "sourceCurrency": source.currency,
        "targetAccountId": source.target,
        "targetAccountName": None if target is None else target.name,
        "status": source.status,
        "targetAccountOptions": _options(company, source),
        "feedStartDate": source.document()["feedStartDate"],
    }


def _options(company: Company, source: SourceAccount) -> list[Document]:
    """Bank accounts of the same currency and kind that no feed leads to yet."""
    taken = {s.target for c in company.connections.values() for s in c.sources.values() if s is not source}
    kinds = {"checking": {"Debit"}, "savings": {"Debit"}, "Debit": {"Debit"}, "loan": {"Debit", "Credit"}}
    wanted = kinds.get(str(source.body.get("accountType")), {"Credit"})
    return [
        {
            "id": account.id,
            "name": account.name,
            "balance": None,
            "sortCode": account.details.get("sortCode"),
            "accountNumber": account.details.get("accountNumber"),
        }
        for account in company.books.accounts.values()
        if account.is_bank
        and not account.archived
        and account.currency == source.currency
        and account.bank_kind in wanted
        and account.id not in taken
    ]


def _source_of(request: web.Request, connection: Connection) -> SourceAccount:
    source = connection.sources.get(request.match_info["account_id"])
    if source is None:
        raise CodatError(404, f"No source account was found with ID {request.match_info['account_id']}")
    return source


def _feed_connection_of(request: web.Request, *, may_be_unlinked: bool = False) -> tuple[Company, Connection]:
    company, connection = connection_of(request) if may_be_unlinked else linked_connection_of(request)
    if connection.platform.feed is None:
        raise CodatError(404, f"{connection.platform.name} has no bank feeds on this connection.")
    return company, connection


def _mappable_connection_of(request: web.Request) -> tuple[Company, Connection]:
    company, connection = _feed_connection_of(request)
    if not connection.platform.mapped_through_api:
        raise CodatError(404, f"Accounts are mapped inside the software of {connection.platform.name}.")
    return company, connection


def add_routes(app: web.Application) -> None:
    """Registers these endpoints."""
    connection = "/companies/{company_id}/connections/{connection_id}"
    sources = f"{connection}/connectionInfo/bankFeedAccounts"
    app.router.add_post(sources, create_source)
    app.router.add_get(sources, list_sources)
    app.router.add_post(f"{sources}/credentials", create_credentials)
    app.router.add_delete(f"{sources}/credentials", delete_credentials)
    app.router.add_patch(f"{sources}/{{account_id}}", patch_source)
    app.router.add_delete(f"{sources}/{{account_id}}", delete_source)
    app.router.add_get(f"{connection}/bankFeedAccounts/mapping", list_mappings)
    app.router.add_post(f"{connection}/bankFeedAccounts/mapping", create_mapping)
    app.router.add_get(f"{connection}/bankFeeds/info", feed_info)
