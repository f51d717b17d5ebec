"""What schemathesis is told so that its questions reach something: credentials, ids that exist, sums that balance."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import Any, TypeAlias
from urllib.parse import quote

import requests
from requests.auth import AuthBase
from schemathesis import Case, GenerationMode

from tests.flow.stack import API_TOKEN
from tests.openapi.ledger_story import LedgerStory
from tests.openapi.teller import LEDGER_KEY, signed
from worker.api.call import MAX_KEY_CHARACTERS

AnyCase: TypeAlias = Case[Any]

MAX_URL_CHARACTERS = 60_000
"""What is longer is refused by the HTTP library itself, in its own words."""


class Credentials(AuthBase):
    """Every door's own key."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        path, body = r.path_url.partition("?")[0], r.body or b""
        assert isinstance(body, str | bytes)
        if path.startswith("/api"):
            r.headers["Authorization"] = f"Basic {base64.b64encode(':'.join(LEDGER_KEY).encode()).decode()}"
        elif path.startswith("/webhooks"):
            r.headers.update(signed(path, body.encode() if isinstance(body, str) else body))
        else:
            r.headers["Authorization"] = f"Bearer {API_TOKEN}"
        return r


@dataclass
class Known:
    """What exists: ids of paths by their templates, and values by the names that bodies have for them."""

    places: Mapping[str, Mapping[str, object]]
    members: Mapping[str, str]
    numbers: Iterator[int] = field(default_factory=count)

    @classmethod
    def of(cls, ledger: LedgerStory) -> Known:
        """What is there once its stories have been told."""
        members = {
            "ledger_id": ledger.ledger,
            "ledger_account_id": ledger.cash,
            "settled_ledger_account_id": ledger.cash,
            "contra_ledger_account_id": ledger.due,
            "ledger_account_category_id": ledger.category,
            "currency": "USD",
        }
        return cls(ledger.teller.places, members)

    def put_into(self, case: AnyCase) -> AnyCase:
        """What is meant well names what exists, where it could only be guessed; what is meant badly stays as it is."""
        if means_well(case, "header") and case.headers and (key := case.headers.get("Idempotency-Key")):
            # A key stands for its first answer on every path and with any body, which then seems to be accepted.
            case.headers["Idempotency-Key"] = f"{next(self.numbers)} {key}"[:MAX_KEY_CHARACTERS]
        if means_well(case, "path") and case.method != "DELETE":
            known = {name: str(value) for name, value in self.places.get(case.operation.path, {}).items()}
            case.path_parameters = {**(case.path_parameters or {}), **known}
        if means_well(case, "body") and isinstance(case.body, dict):
            case.body = self._named(case.body)
        return case

    def _named(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._named(item) for item in value]
        if not isinstance(value, dict):
            return value
        body = {name: self.members.get(name, self._named(member)) for name, member in value.items()}
        for name in ("ledger_entries", "posted_ledger_entries"):
            if body.get(name):
                body[name] = balanced(body[name])
        if locks := body.get("ledger_account_category_balance_locks"):
            category = "ledger_account_category_id"
            body["ledger_account_category_balance_locks"] = [{category: lock[category]} for lock in locks]
        return body


@dataclass
class Sample:
    """Some of the questions about each operation: the ``first`` few, and every ``nth`` that follows."""

    first: int
    nth: int
    met: Counter[str] = field(default_factory=Counter)

    def takes(self, case: AnyCase) -> bool:
        """Whether this one is asked."""
        if case.meta is None or case.meta.phase.name.value != "coverage":
            return True
        label = case.operation.label
        self.met[label] += 1
        return self.met[label] <= self.first or self.met[label] % self.nth == 0


def balanced(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries of one amount, as many debits as credits, without conditions nobody could foresee."""
    kept = {"ledger_account_id", "effective_at", "metadata", "show_resulting_ledger_account_balances"}
    pairs = [*entries, entries[0]] if len(entries) % 2 else entries
    sides = cycle(("debit", "credit"))
    return [
        {**{name: value for name, value in entry.items() if name in kept}, "direction": side, "amount": 1}
        for entry, side in zip(pairs, sides, strict=False)
    ]


def fits(case: AnyCase) -> bool:
    """Whether a URL is short enough to reach the service."""
    url = f"{case.path_parameters}{case.query}"
    return len(quote(url, errors="replace")) < MAX_URL_CHARACTERS


def means_well(case: AnyCase, location: str) -> bool:
    """Whether this part of a request was meant to be accepted."""
    components = case.meta.components if case.meta else {}
    return all(one.mode is GenerationMode.POSITIVE for place, one in components.items() if place.value == location)
