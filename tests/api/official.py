"""Calls named by method and path, made through the official client's own methods, each answer held to its schema."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from modern_treasury import APIStatusError, AsyncModernTreasury
from modern_treasury.pagination import AsyncPage

AN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

USUAL = {("POST", False): "create", ("GET", False): "list"} | {
    (method, True): name for method, name in (("GET", "retrieve"), ("PATCH", "update"), ("DELETE", "delete"))
}
"""What a client's method is called, by the HTTP method and by whether the path names one object."""

UNUSUAL = {
    "POST ledger_transactions/*/partial_post": "ledger_transactions.create_partial_post",
    "POST ledger_transactions/*/reversal": "ledger_transactions.create_reversal",
    "GET ledger_transaction_versions": "ledger_transactions.versions.list",
    "PUT ledger_account_categories/*/ledger_accounts/*": "ledger_account_categories.add_ledger_account",
    "DELETE ledger_account_categories/*/ledger_accounts/*": "ledger_account_categories.remove_ledger_account",
    "PUT ledger_account_categories/*/ledger_account_categories/*": "ledger_account_categories.add_nested_category",
    "DELETE ledger_account_categories/*/ledger_account_categories/*": (
        "ledger_account_categories.remove_nested_category"
    ),
    "PATCH ledger_account_settlements/*/ledger_entries": "ledger_account_settlements.account_entries.update",
    "DELETE ledger_account_settlements/*/ledger_entries": "ledger_account_settlements.account_entries.delete",
}


class Reply(NamedTuple):
    """What the API answered."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def accepted(self) -> bool:
        return self.status < 300


async def call(
    client: AsyncModernTreasury, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
) -> Reply:
    """Have the client make a call; what it is answered is both parsed by its own types and shown as it came."""
    place = urlsplit(path)
    *outer, last = AN_ID.findall(place.path) or [None]
    ask = attrgetter(raw_name(name_of(method, AN_ID.sub("*", place.path))))(client)
    members = body or {}
    known = members.keys() & inspect.signature(ask).parameters.keys()
    said: dict[str, Any] = {name: members[name] for name in known}
    said |= {"extra_body": {name: value for name, value in members.items() if name not in known}}
    said |= {"extra_query": sorted_out(place.query)}
    said |= {"id": outer[0]} if outer else {}
    said |= {"idempotency_key": key} if key else {}
    try:
        answered = await ask(*([last] if last else []), **said)
    except APIStatusError as refusal:
        return Reply(refusal.status_code, refusal.body, refusal.response.headers)
    shown, parsed = answered.http_response.content and answered.http_response.json(), answered.parse()
    if isinstance(parsed, AsyncPage):
        # The client builds pages without looking into them.
        for item, document in zip(parsed.items, shown, strict=True):
            type(item).model_validate(document)
    return Reply(answered.status_code, shown, answered.headers)


def name_of(method: str, template: str) -> str:
    """The client's method for a call."""
    usual = USUAL.get((method, template.endswith("*")), "")
    return UNUSUAL.get(f"{method} {template}") or f"{template.partition('/')[0]}.{usual}"


def raw_name(name: str) -> str:
    """The same method, whose answer also has the response."""
    resource, _, method = name.rpartition(".")
    return f"{resource}.with_raw_response.{method}"


def sorted_out(query: str) -> dict[str, object]:
    """Parameters as the client takes them: those that may be given several times as a list."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in parse_qsl(query, keep_blank_values=True):
        found[name].append(value)
    return {name.removesuffix("[]"): values if name.endswith("[]") else values[0] for name, values in found.items()}
