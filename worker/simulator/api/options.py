"""Options models: the very rules writes are checked against, in Codat's shape."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from worker.simulator.api.lookup import linked_connection_of, model_of, simulator_of
from worker.simulator.feeds import MAX_LINES, find_target
from worker.simulator.models.shapes import BANK_TRANSACTIONS
from worker.simulator.platforms import FeedRules
from worker.simulator.rules import DataType, Field, Model
from worker.simulator.wire import CodatError, Document, respond

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


async def get_options(request: web.Request) -> web.Response:
    """The model of one data type on one platform."""
    _, connection = linked_connection_of(request)
    name = request.match_info["data_type"]
    if name not in set(DataType):
        raise CodatError(404, f"Data type {name} is not supported by {connection.platform.name}.")
    return respond(_document(model_of(connection, DataType(name))))


async def get_bank_transaction_options(request: web.Request) -> web.Response:
    """The model of bank transactions for one account, with its feed's own conditions."""
    company, connection = linked_connection_of(request)
    account_id = request.match_info["account_id"]
    target = find_target(simulator_of(request).desk(company, connection), connection, account_id)
    if target is None:
        raise CodatError(404, f"No data available for bankAccounts for ID {account_id}")
    document = _document(BANK_TRANSACTIONS)
    lines = document["properties"]["transactions"]
    lines["validation"] = {"warnings": [], "information": _information("transactions", _feed_remarks(target.rules))}
    if target.rules is not None:
        lines["properties"]["balance"]["required"] = target.rules.balance_required
    return respond(document)


def _document(model: Model) -> Document:
    return {
        "type": "Object",
        "displayName": model.title,
        "description": f"{model.title} as this platform accepts it.",
        "required": True,
        "properties": _properties(model, ""),
        "options": [],
        "validation": {"warnings": [{"details": remark} for remark in model.remarks], "information": []},
    }


def _properties(model: Model, parent: str) -> Document:
    return {field.name: _property(model, field) for field in model.children.get(parent, ())}


def _property(model: Model, field: Field) -> Document:
    title = _CAMEL.sub(" ", field.name).capitalize()
    document: Document = {
        "type": field.kind,
        "displayName": title,
        "description": f"{title}.",
        "required": field.required,
    }
    if field.path in model.children:
        document["properties"] = _properties(model, field.path)
    if field.choices:
        document["options"] = [
            {"value": c, "type": "String", "displayName": c, "description": c, "required": False} for c in field.choices
        ]
    if field.details:
        document["validation"] = {"warnings": [], "information": _information(field.name, field.details)}
    return document


def _information(field: str, details: list[str]) -> list[Document]:
    return [{"field": field[:1].upper() + field[1:], "details": detail} for detail in details]


def _feed_remarks(rules: FeedRules | None) -> list[str]:
    remarks = [f"At most {MAX_LINES} lines in one request."]
    if rules is None:
        return remarks
    remarks += ["Lines have to be in date order.", "No date may be in the future."]
    if rules.oldest is not None:
        remarks.append(f"No date may be more than {rules.oldest.days} days ago.")
    if rules.newest_first_refused:
        remarks.append("No line may be older than the newest one there.")
    if rules.before_start is not None:
        remarks.append(f"No date may be more than {rules.before_start.days} days before the feed's start.")
    return remarks


def add_routes(app: web.Application) -> None:
    """Registers these endpoints."""
    connection = "/companies/{company_id}/connections/{connection_id}"
    app.router.add_get(f"{connection}/options/{{data_type}}", get_options)
    app.router.add_get(
        f"{connection}/options/bankAccounts/{{account_id}}/bankTransactions", get_bank_transaction_options
    )
