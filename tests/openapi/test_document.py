"""The document against the router, and against the rules of OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from worker.api.effects import Effects
from worker.api.kept_answers import KeptAnswers, Reply, Ticket
from worker.api.routes import routes
from worker.app import Role
from worker.database import Database
from worker.ledger.group_poster import GroupPoster
from worker.openapi.routes import all_parts, routes_of
from worker.openapi.schemas import Schemas


def described(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}


async def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


async def test_every_route_is_described_and_nothing_else(document: dict[str, Any], app: web.Application) -> None:
    assert described(document) == routes_of(app)


@pytest.mark.parametrize("role", [Role.ALL], indirect=True)
async def test_nothing_is_described_that_no_process_answers(database: Database, app: web.Application) -> None:
    poster: GroupPoster[Ticket, Reply] = GroupPoster(database, KeptAnswers())
    effects = Effects(database, poster.submit)
    parts = all_parts(list(routes(database, effects)), Schemas())
    known = [(operation.method, operation.path) for part in parts for operation in part.operations]
    assert sorted(known) == sorted(routes_of(app))


@pytest.mark.parametrize("role", [Role.ALL], indirect=True)
async def test_what_a_line_does_not_tell_of_an_operation_is_its_description(document: dict[str, Any]) -> None:
    retrieve = document["paths"]["/api/ledger_accounts/{id}"]["get"]
    assert "\n" not in retrieve["summary"]
    assert "at that very moment" in retrieve["description"]


async def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert {tag for operation in operations for tag in operation["tags"]} <= {tag["name"] for tag in document["tags"]}
