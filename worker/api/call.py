"""A request and its answer as values, so that no resource knows HTTP. Pure."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeAlias, TypeVar
from uuid import UUID

from worker.api.body import Body
from worker.api.credentials import Caller
from worker.api.query import Page, Query
from worker.api.refusals import Code, not_found
from worker.api.texts import read_uuid
from worker.errors import Rejected
from worker.strict_json import decode_object

PREFIX: Final = "/api"
"""What the paths of all resources begin with."""

MAX_KEY_CHARACTERS: Final = 255
"""Longest idempotency key: a UUID has 36, a readable one named after an event about 100."""

Document: TypeAlias = Mapping[str, object]
Shape = TypeVar("Shape")
Object = TypeVar("Object", bound=Document)


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request."""

    caller: Caller
    path: Mapping[str, str]
    parameters: tuple[tuple[str, str], ...]
    content: bytes
    idempotency_key: str | None

    @property
    def query(self) -> Query:
        """The parameters, to be read one by one and then finished."""
        return Query(self.parameters)

    @property
    def body(self) -> Body:
        """The body, to be read one by one and then finished; raises :class:`~worker.errors.Rejected` (422)."""
        try:
            return Body(decode_object(self.content) if self.content.strip() else {})
        except Rejected as error:
            raise Rejected(422, error.detail, field=error.field, code=Code.PARAMETER_INVALID) from None

    def id(self, noun: str, name: str = "id") -> UUID:
        """An id of the path; raises :class:`~worker.errors.Rejected` (404) for what cannot be one."""
        found = read_uuid(self.path[name])
        if found is None:
            raise not_found(noun)
        return found

    def key(self) -> str:
        """What the path names an object by where it may be its external id."""
        return self.path["id"]


@dataclass(frozen=True, slots=True)
class Answer(Generic[Shape]):
    """What a call led to: a status and a finished body, the JSON of a ``Shape`` (None: no body)."""

    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Handler: TypeAlias = Callable[[Call], Awaitable[Answer[Any]]]

Route: TypeAlias = tuple[str, str, Handler]
"""A method, a path below :data:`PREFIX`, and who answers."""


def answer(document: Object, status: int = 200) -> Answer[Object]:
    """An object."""
    return Answer(status, _encoded(document))


def empty_answer() -> Answer[None]:
    """Success with nothing to show."""
    return Answer(200, b"")


def list_answer(documents: Sequence[Object], page: Page) -> Answer[Sequence[Object]]:
    """One page out of the rows that were read for it, of which there is one more when another page follows."""
    shown = documents[: page.size]
    headers = {"X-Per-Page": str(page.size)}
    if len(documents) > page.size:
        headers["X-After-Cursor"] = str(shown[-1]["id"])
    return Answer(200, _encoded(shown), headers)


def _encoded(document: object) -> bytes:
    # The standard library's encoder, because amounts have up to 36 digits.
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
