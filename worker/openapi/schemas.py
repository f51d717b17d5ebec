"""JSON Schemas of types: TypedDicts and dataclasses by name, everything else where it stands. Pure.

Objects are closed: no member may be missing, unless its type says so, and none may be added.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NotRequired,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)
from uuid import UUID

from worker.errors import Bug

Schema: TypeAlias = dict[str, Any]

_PLAIN: Final[dict[object, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    UUID: {"type": "string", "format": "uuid"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    type(None): {"type": "null"},
}


class Schemas:
    """The schemas of named types, each written once and referred to from everywhere else."""

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}
        self._types: dict[str, object] = {}

    def of(self, wanted: Any) -> Schema:
        """The schema of a type; raises :class:`~worker.errors.Bug` for one that JSON has no word for."""
        if wanted in _PLAIN:
            return dict(_PLAIN[wanted])
        if isinstance(wanted, type) and issubclass(wanted, StrEnum):
            return {"type": "string", "enum": [word.value for word in wanted]}
        if is_typeddict(wanted) or is_dataclass(wanted):
            return self._refer(wanted)
        return self._built(get_origin(wanted), get_args(wanted), wanted)

    def define(self, name: str, schema: Schema) -> Schema:
        """Give a schema a name, and refer to it; raises :class:`~worker.errors.Bug` when another has the name."""
        if self.named.setdefault(name, schema) != schema:
            raise Bug(f"two schemas are called {name}")
        return refer(name)

    def members(self, wanted: Any, *without: str) -> dict[str, Schema]:
        """The schemas of a dataclass's or TypedDict's members, by their names."""
        hints = get_type_hints(wanted, include_extras=True)
        names = [field.name for field in fields(wanted)] if is_dataclass(wanted) else list(hints)
        return {name: self.of(hints[name]) for name in names if name not in without}

    def _built(self, origin: Any, arguments: tuple[Any, ...], wanted: object) -> Schema:
        match origin, arguments:
            case (_, (plain, *notes)) if origin is Annotated:
                return {**self.of(plain), **dict(notes)}
            case (_, (plain,)) if origin is NotRequired:
                return self.of(plain)
            case (_, words) if origin is Literal:
                return _enumeration(words)
            case (_, choices) if origin in {Union, types.UnionType}:
                return _either([self.of(choice) for choice in choices])
            case (_, (item, *_)) if origin in {list, tuple, Sequence}:
                return {"type": "array", "items": self.of(item)}
            case (_, (_, value)) if origin in {dict, Mapping}:
                return {"type": "object", "additionalProperties": self.of(value)}
        raise Bug(f"there is no JSON Schema of {wanted}")

    def _refer(self, wanted: Any) -> Schema:
        name = wanted.__name__
        if self._types.setdefault(name, wanted) is not wanted:
            raise Bug(f"two types are called {name}")
        if name not in self.named:
            self.named[name] = {}  # one that contains itself finds itself named
            hints, members = get_type_hints(wanted, include_extras=True), self.members(wanted)
            required = [each for each in members if get_origin(hints[each]) is not NotRequired]
            self.named[name] = closed(members, required, wanted.__doc__)
        return refer(name)


def closed(
    members: Mapping[str, Schema], required: Sequence[str] | None = None, description: str | None = None
) -> Schema:
    """An object with these members and no others, all ``required`` unless those are named."""
    return {
        "type": "object",
        **({"description": description} if description else {}),
        "properties": dict(members),
        "required": list(members if required is None else required),
        "additionalProperties": False,
    }


def refer(name: str) -> Schema:
    """The schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    return _either([schema, {"type": "null"}])


def _either(choices: Sequence[Schema]) -> Schema:
    """Any of them; null joins the type of a single other, as OpenAPI 3.1 writes it."""
    others = [choice for choice in choices if choice != _PLAIN[type(None)]]
    if len(others) == len(choices):
        return {"anyOf": list(choices)}
    if len(others) > 1 or "type" not in others[0]:
        return {"anyOf": list(choices)}
    schema = {**others[0], "type": [others[0]["type"], "null"]}
    return schema if "enum" not in schema else {**schema, "enum": [*schema["enum"], None]}


def _enumeration(words: Sequence[object]) -> Schema:
    kinds = {type(word) for word in words}
    (schema,) = (_PLAIN[kind] for kind in kinds)
    return {**schema, "const": words[0]} if len(words) == 1 else {**schema, "enum": list(words)}
