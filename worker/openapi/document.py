"""An OpenAPI 3.1 document out of operations. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from worker.openapi.schemas import Schema, Schemas

Document: TypeAlias = dict[str, Any]

OPENAPI: Final = "3.1.0"

JSON: Final = "application/json"

TITLE: Final = "Loan Writeback"

DESCRIPTION: Final = (
    "A lender's double-entry ledger, wire-compatible with Modern Treasury's Ledgers API, "
    "the webhooks that move it, and what operators see and decide."
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. ``parameters`` and ``responses`` are OpenAPI's objects, these by status.

    ``may_be_empty``: a body that is left out stands for an object without members.
    """

    method: str
    path: str
    name: str
    tag: str
    summary: str
    responses: Mapping[int, Document]
    description: str = ""
    parameters: Sequence[Document] = ()
    body: Schema | None = None
    may_be_empty: bool = False
    security: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """The operations of one part of the program, and the named things they refer to."""

    operations: Sequence[Operation]
    tags: Mapping[str, str]
    security: Mapping[str, Document] = field(default_factory=dict)
    responses: Mapping[str, Document] = field(default_factory=dict)


def compose(parts: Sequence[Part], routes: Collection[tuple[str, str]], schemas: Schemas, version: str) -> Document:
    """The document of those operations that are among the ``routes``, which are methods and paths."""
    paths: dict[str, Document] = {}
    for operation in _all(parts):
        if (operation.method, operation.path) in routes:
            paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": OPENAPI,
        "info": {"title": TITLE, "description": DESCRIPTION, "version": version},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for part in parts for name, text in part.tags.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.named,
            "responses": {name: response for part in parts for name, response in part.responses.items()},
            "securitySchemes": {name: scheme for part in parts for name, scheme in part.security.items()},
        },
    }


def response(
    description: str, schema: Schema | None = None, headers: Mapping[str, Document] | None = None, media: str = JSON
) -> Document:
    """An answer with its headers and, unless there is no body, the schema of that."""
    return {
        "description": description,
        **({"headers": dict(headers)} if headers else {}),
        **({"content": {media: {"schema": schema}}} if schema is not None else {}),
    }


def header(description: str, schema: Schema, *, required: bool = True) -> Document:
    """A header of an answer: always there, unless it is not ``required``."""
    return {"description": description, "required": required, "schema": schema}


def refer_to_response(name: str) -> Document:
    """The answer of that name."""
    return {"$ref": f"#/components/responses/{name}"}


def path_parameter(name: str, schema: Schema) -> Document:
    """A part of the path."""
    return {"name": name, "in": "path", "required": True, "schema": schema}


def query_parameter(name: str, schema: Schema, *, required: bool = False) -> Document:
    """A parameter of the URL: maps are spelt ``name[key]=value``."""
    spelling = {"style": "deepObject", "explode": True} if schema.get("type") == "object" else {}
    return {"name": name, "in": "query", "required": required, **spelling, "schema": schema}


def _all(parts: Iterable[Part]) -> Iterable[Operation]:
    return (operation for part in parts for operation in part.operations)


def _operation(operation: Operation) -> Document:
    document: Document = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        **({"description": operation.description} if operation.description else {}),
        "security": [{scheme: []} for scheme in operation.security],
    }
    if operation.parameters:
        document["parameters"] = list(operation.parameters)
    if operation.body is not None:
        document["requestBody"] = {
            "required": not operation.may_be_empty,
            "content": {JSON: {"schema": operation.body}},
        }
    document["responses"] = {str(status): operation.responses[status] for status in sorted(operation.responses)}
    return document
