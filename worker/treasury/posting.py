"""What waits in the outbox: requests to Modern Treasury, and the accounts that must exist before they are sent. Pure.

A request is kept as the body it is going to have, except that an entry names its account by external id, which nobody
knows the id of before it exists there. Amounts are JSON's whole numbers of any length throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from worker.wire import JsonObject, child, children


class PostingKind(StrEnum):
    """What a row of the outbox asks for."""

    OPEN = "open"
    """Accounts, and no transaction."""
    CREATE = "create"
    POST = "post"
    ARCHIVE = "archive"
    REVERSE = "reverse"


class ObjectKind(StrEnum):
    """What a chart of accounts consists of."""

    ACCOUNT = "account"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An account or a category as it should exist. ``body`` describes it; ``within`` are the categories it is in."""

    kind: ObjectKind
    external_id: str
    body: JsonObject
    within: tuple[Wanted, ...] = ()

    @property
    def key(self) -> tuple[ObjectKind, str]:
        """What it is known by; a category and an account may share an external id."""
        return self.kind, self.external_id


@dataclass(frozen=True, slots=True)
class NewPosting:
    """A row to write. ``lane`` is the order it belongs to, ``place`` its place among its event's rows."""

    message_id: int
    place: int
    event_id: str
    loan_id: str | None
    lane: int
    kind: PostingKind
    target: str | None
    body: JsonObject
    accounts: tuple[Wanted, ...] = ()


@dataclass(frozen=True, slots=True)
class Posting:
    """A row as it was written. ``target`` is the external id of the transaction it creates, changes or reverses."""

    id: int
    place: int
    event_id: str
    loan_id: str | None
    kind: PostingKind
    target: str | None
    body: JsonObject
    accounts: tuple[Wanted, ...]
    is_delivered: bool


@dataclass(frozen=True, slots=True)
class KnownObject:
    """An account or category that was made or found there, and the external ids of categories it is known to be in."""

    id: UUID
    within: frozenset[str]
    is_gone: bool = False
    """It was discarded there; one that follows it is another object."""


def in_order(wanted: Iterable[Wanted]) -> list[Wanted]:
    """Everything that has to exist, once, categories before what is in them."""
    return list({one.key: one for one in _outermost_first(wanted)}.values())


def wanted_document(wanted: Wanted) -> JsonObject:
    """The JSON it is kept as."""
    return {
        "kind": wanted.kind.value,
        "external_id": wanted.external_id,
        "body": wanted.body,
        "within": [wanted_document(category) for category in wanted.within],
    }


def read_wanted(document: JsonObject) -> Wanted:
    """The opposite of :func:`wanted_document`."""
    return Wanted(
        ObjectKind(str(document["kind"])),
        str(document["external_id"]),
        child(document, "body"),
        tuple(read_wanted(category) for category in children(document, "within")),
    )


def _outermost_first(wanted: Iterable[Wanted]) -> Iterator[Wanted]:
    for one in wanted:
        yield from _outermost_first(one.within)
        yield one
