"""``GET /openapi.json``: the document of what this process answers, the same bytes for everybody."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from aiohttp import hdrs, web

from worker.api.call import Route
from worker.openapi.document import JSON, Part, compose
from worker.openapi.health_part import health_part
from worker.openapi.ledger_part import ledger_part
from worker.openapi.operations_part import operations_part
from worker.openapi.reports_part import reports_part
from worker.openapi.schemas import Schemas
from worker.openapi.webhooks_part import webhooks_part
from worker.openapi.writeback_part import writeback_part

PATH: Final = "/openapi.json"

_CONTENT: Final = web.AppKey("openapi", bytes)


def add_routes(app: web.Application, ledger_routes: Sequence[Route], version: str) -> None:
    """Adds the path, last of all: the document tells of the routes that are there by then."""
    schemas = Schemas()
    app.router.add_get(PATH, _show)
    document = compose(all_parts(ledger_routes, schemas), routes_of(app), schemas, version)
    app[_CONTENT] = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def all_parts(ledger_routes: Sequence[Route], schemas: Schemas) -> list[Part]:
    """Everything that a process of any role answers."""
    return [
        health_part(schemas),
        webhooks_part(schemas),
        operations_part(schemas),
        reports_part(schemas),
        writeback_part(schemas),
        ledger_part(ledger_routes, schemas),
    ]


def routes_of(app: web.Application) -> set[tuple[str, str]]:
    """Every method and path that is answered; HEAD goes without saying where there is GET."""
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != hdrs.METH_HEAD
    }


async def _show(request: web.Request) -> web.Response:
    return web.Response(body=request.app[_CONTENT], content_type=JSON)
