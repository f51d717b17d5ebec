"""Codat's lists: pages in an envelope, or a bare array; read to the end either way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from worker import wire
from worker.wire import JsonObject, JsonValue, UnreadableReplyError

PAGE_SIZE: Final = 2_000
"""Records asked for at once: the most that every one of Codat's pages on paging allows."""

MAX_PAGES: Final = 500
"""Pages read of one list: a million records. A list that never ends is a fault of the other side."""


@dataclass(frozen=True, slots=True)
class Page:
    """The records of one page, and what it says about those that follow."""

    records: list[JsonObject]
    next_link: bool
    total: int = 0
    size: int = PAGE_SIZE

    def has_more(self, number: int) -> bool:
        """Another page follows page ``number`` (from 1): by its link, or by a total that is not reached yet."""
        return self.next_link or (bool(self.records) and self.total > number * self.size)


def page_target(target: str, number: int, *, query: str, order_by: str) -> str:
    """The target of one page. ``query`` is encoded here and nowhere else: Codat decodes it once."""
    wanted = {"page": str(number), "pageSize": str(PAGE_SIZE), "query": query, "orderBy": order_by}
    return f"{target}?{urlencode({name: value for name, value in wanted.items() if value}, quote_via=quote)}"


def parse_page(document: JsonValue) -> Page:
    """Read an envelope, whose ``results`` may be missing, or a bare array, which is always complete."""
    if isinstance(document, list):
        return Page([item for item in document if isinstance(item, dict)], next_link=False)
    if not isinstance(document, dict):
        raise UnreadableReplyError("the reply is no list")
    link = wire.child(wire.child(document, "_links"), "next")
    total, size = wire.number(document, "totalResults"), wire.number(document, "pageSize")
    return Page(
        wire.children(document, "results"),
        next_link=wire.text(link, "href") is not None,
        total=int(total or 0),
        size=int(size or PAGE_SIZE),
    )
