"""Types as schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from uuid import UUID

import pytest

from worker.errors import Bug
from worker.openapi.schemas import Schemas, nullable


class Side(StrEnum):
    """A side."""

    LEFT = "left"
    RIGHT = "right"


class Leaf(TypedDict):
    """A leaf."""

    id: UUID
    note: NotRequired[str]


@dataclass
class Branch:
    """A branch."""

    leaves: list[Leaf]
    parent: Branch | None


@pytest.mark.parametrize(
    ("wanted", "schema"),
    [
        (int, {"type": "integer"}),
        (date | None, {"type": ["string", "null"], "format": "date"}),
        (Side | None, {"type": ["string", "null"], "enum": ["left", "right", None]}),
        (Literal["a"], {"type": "string", "const": "a"}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Annotated[str, ("format", "uri")], {"type": "string", "format": "uri"}),
        (Mapping[str, datetime], {"type": "object", "additionalProperties": {"type": "string", "format": "date-time"}}),
        (tuple[bool, ...], {"type": "array", "items": {"type": "boolean"}}),
        (Leaf | None, {"anyOf": [{"$ref": "#/components/schemas/Leaf"}, {"type": "null"}]}),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
    ],
)
def test_a_type_has_its_schema(wanted: Any, schema: dict[str, Any]) -> None:
    assert Schemas().of(wanted) == schema


def test_named_types_are_closed_and_written_once() -> None:
    schemas = Schemas()
    assert schemas.of(Branch) == schemas.of(Branch) == {"$ref": "#/components/schemas/Branch"}
    assert schemas.named["Leaf"] == {
        "type": "object",
        "description": "A leaf.",
        "properties": {"id": {"type": "string", "format": "uuid"}, "note": {"type": "string"}},
        "required": ["id"],
        "additionalProperties": False,
    }
    branch = schemas.named["Branch"]["properties"]
    assert branch["parent"] == nullable({"$ref": "#/components/schemas/Branch"})
    assert branch["leaves"]["items"] == {"$ref": "#/components/schemas/Leaf"}


def test_a_name_belongs_to_one_schema() -> None:
    schemas = Schemas()
    schemas.of(Leaf)
    with pytest.raises(Bug, match="two schemas are called Leaf"):
        schemas.define("Leaf", {"type": "string"})


def test_a_type_without_a_schema_is_a_fault() -> None:
    with pytest.raises(Bug, match="no JSON Schema"):
        Schemas().of(complex)
