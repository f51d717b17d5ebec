"""Writes, and the push operations that report on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aiohttp import web

from worker.simulator.api.lookup import company_of, linked_connection_of, model_of, simulator_of
from worker.simulator.faults import PUSH_FAULTS, FaultKind
from worker.simulator.feeds import MAX_LINES, find_target, write_bank_transactions
from worker.simulator.gateway import occasion_of
from worker.simulator.models.shapes import BANK_TRANSACTIONS
from worker.simulator.pushes import PushOperation
from worker.simulator.rules import DataType, Model
from worker.simulator.validation import VALIDATORS, shape_errors
from worker.simulator.wire import CodatError, Document, decode_object, page_of, respond
from worker.simulator.world import Company, Connection
from worker.simulator.writes import (
    Desk,
    Outcome,
    delete_direct_cost,
    write_account,
    write_bank_account,
    write_direct_cost,
    write_supplier,
    write_transfer,
)

_WRITERS: Final[dict[str, tuple[DataType, Callable[[Desk, Document], Outcome]]]] = {
    "bankAccounts": (DataType.BANK_ACCOUNTS, write_bank_account),
    "suppliers": (DataType.SUPPLIERS, write_supplier),
    "accounts": (DataType.ACCOUNTS, write_account),
    "transfers": (DataType.TRANSFERS, write_transfer),
    "directCosts": (DataType.DIRECT_COSTS, write_direct_cost),
}


async def push_record(request: web.Request) -> web.Response:
    """Accepts one record; whether the accounting software takes it shows later."""
    company, connection = linked_connection_of(request)
    data_type, write = _WRITERS[request.match_info["records"]]
    body = await _body_of(request, model_of(connection, data_type), data_type)
    desk = simulator_of(request).desk(company, connection)
    return await _accept(request, (company, connection), data_type, lambda: write(desk, body), body)


async def push_bank_transactions(request: web.Request) -> web.Response:
    """Accepts statement lines for one account."""
    company, connection = linked_connection_of(request)
    body = await _body_of(request, BANK_TRANSACTIONS, DataType.BANK_TRANSACTIONS)
    account_id = request.match_info["account_id"]
    if body.get("accountId") != account_id:
        raise CodatError(400, "accountId has to be the account of the path.")
    if len(body.get("transactions") or ()) > MAX_LINES:
        raise CodatError(400, f"transactions may hold at most {MAX_LINES} lines.")
    desk = simulator_of(request).desk(company, connection)
    target = find_target(desk, connection, account_id)
    if target is None:
        raise CodatError(404, f"No data available for bankAccounts for ID {account_id}")
    places = company, connection
    return await _accept(
        request, places, DataType.BANK_TRANSACTIONS, lambda: write_bank_transactions(desk, target, body), body
    )


async def delete_cost(request: web.Request) -> web.Response:
    """Accepts the deletion of a direct cost, where the platform knows it."""
    company, connection = linked_connection_of(request)
    if not connection.platform.direct_costs_deletable:
        raise CodatError(404, f"Deleting directCosts is not supported by {connection.platform.name}.")
    desk = simulator_of(request).desk(company, connection)
    record_id = request.match_info["record_id"]
    places = company, connection
    return await _accept(request, places, DataType.DIRECT_COSTS, lambda: delete_direct_cost(desk, record_id), None)


async def get_push(request: web.Request) -> web.Response:
    """One push operation, as it stands."""
    company = company_of(request)
    operation = simulator_of(request).pushes.operations.get(request.match_info["push_operation_key"])
    if operation is None or operation.company is not company:
        raise CodatError(404, f"No push operation was found with ID {request.match_info['push_operation_key']}")
    return respond(operation.document())


async def list_pushes(request: web.Request) -> web.Response:
    """A company's push operations, newest first unless ordered otherwise."""
    company = company_of(request)
    operations = [o for o in simulator_of(request).pushes.operations.values() if o.company is company]
    return page_of(request, [operation.document() for operation in reversed(operations)])


async def _accept(
    request: web.Request,
    places: tuple[Company, Connection],
    data_type: DataType,
    attempt: Callable[[], Outcome],
    data: Document | None,
) -> web.Response:
    simulator = simulator_of(request)
    operation = PushOperation(
        key=simulator.guid(),
        company=places[0],
        connection=places[1],
        data_type=data_type,
        verb="Create" if data is not None else "Delete",
        requested_at=simulator.clock.now(),
        attempt=attempt,
        timeout_minutes=_timeout_of(request),
        syncs=request.query.get("allowSyncOnPushComplete", "true").casefold() != "false",
    )
    fault = simulator.faults.take(PUSH_FAULTS, occasion_of(request))
    simulator.pushes.accept(operation)
    answer = operation.document() if data is None else {**operation.document(), "data": data}
    if fault is not None and fault.kind is FaultKind.WEBHOOK_EARLY:
        simulator.pushes.complete(operation)
        await simulator.post.settle()
    else:
        simulator.pushes.schedule(operation, fault)
    return respond(answer)


async def _body_of(request: web.Request, model: Model, data_type: DataType) -> Document:
    body = decode_object(await request.read())
    broken = shape_errors(model, VALIDATORS[data_type], body)
    if broken:
        raise CodatError(400, "The request body does not fit the data model.", errors=broken)
    return body


def _timeout_of(request: web.Request) -> int | None:
    text = request.query.get("timeoutInMinutes")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise CodatError(400, "timeoutInMinutes must be a whole number of at least 1.")
    return int(text)


def add_routes(app: web.Application) -> None:
    """Registers these endpoints."""
    company, connection = "/companies/{company_id}", "/companies/{company_id}/connections/{connection_id}"
    app.router.add_get(f"{company}/push", list_pushes)
    app.router.add_get(f"{company}/push/{{push_operation_key}}", get_push)
    app.router.add_post(f"{connection}/push/{{records:{'|'.join(_WRITERS)}}}", push_record)
    app.router.add_post(f"{connection}/push/bankAccounts/{{account_id}}/bankTransactions", push_bank_transactions)
    app.router.add_delete(f"{connection}/push/directCosts/{{record_id}}", delete_cost)
