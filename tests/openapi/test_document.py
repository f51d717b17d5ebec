"""The document against the router, and against the rules of OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from worker.openapi.routes import routes_of


def described(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}


async def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


async def test_every_route_is_described_and_nothing_else(document: dict[str, Any], app: web.Application) -> None:
    assert described(document) == {(method, path) for method, path in routes_of(app) if path.startswith("/api")}


async def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert {tag for operation in operations for tag in operation["tags"]} <= {tag["name"] for tag in document["tags"]}
