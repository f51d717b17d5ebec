"""Whatever a caller sends to statements, settlements, monitors, events and bulk requests is answered or refused."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conftest import Raw
from tests.api.lendnow import LendNow
from tests.api.test_bulk import work
from tests.api.test_hostile import CALLS, ODD, TEXTS
from worker.database import Database

PATHS = {
    "ledger_account_statements": (
        *("ledger_account_id", "effective_at_lower_bound", "effective_at_upper_bound", "description", "metadata"),
    ),
    "ledger_account_settlements": (
        *("settled_ledger_account_id", "contra_ledger_account_id", "status", "allow_either_direction", "metadata"),
        *("effective_at_upper_bound", "skip_settlement_ledger_transaction", "ledger_entry_ids", "description"),
    ),
    "ledger_account_balance_monitors": ("ledger_account_id", "alert_condition", "description", "metadata"),
    "bulk_requests": ("action_type", "resource_type", "resources", "metadata"),
    "bulk_results": ("id",),
    "events": ("id",),
}
WORDS = {
    "status": ("pending", "posted", "drafting", "archived"),
    "action_type": ("create", "update", "delete"),
    "resource_type": ("ledger_account", "ledger_transaction"),
}
FILTERS = (
    *("id[]", "per_page", "after_cursor", "metadata[a]", "ledger_account_id", "settled_ledger_account_id", "ledger_id"),
    *("settlement_entry_direction", "ledger_transaction_id", "created_at[gt]", "updated_at[lte]", "event_time_start"),
    *("event_time_end", "resource", "entity_id", "event_name", "status", "resource_type", "action_type", "request_id"),
    *("request_type", "entity_type"),
)
FIELDS = ("posted_balance_amount", "ledger_account_lock_version", "balance")


class Mischief:
    """Draws requests that often come near to sense."""

    def __init__(self, seed: int, ids: list[str]) -> None:
        self._random = random.Random(seed)
        self._ids = ids

    def text(self) -> str:
        return self._random.choice(self._ids if self._random.random() < 0.5 else TEXTS)

    def member(self, name: str) -> Any:
        draw = self._random.random()
        if draw < 0.2:
            return self._random.choice(ODD)
        match name:
            case "alert_condition":
                field = self._random.choice(FIELDS)
                return {"field": field, "operator": "less_than", "value": self._random.choice([0, *ODD])}
            case "resources":
                return [self.resource() for _ in range(self._random.randint(0, 4))]
            case "ledger_entry_ids":
                return [self.text() for _ in range(self._random.randint(0, 3))]
            case "allow_either_direction" | "skip_settlement_ledger_transaction":
                return self._random.random() < 0.5
            case _ if name in WORDS:
                return self._random.choice(WORDS[name])
            case _:
                return self.text()

    def resource(self) -> dict[str, Any]:
        sides = ("debit", "credit")
        entries = [{"amount": 1, "direction": side, "ledger_account_id": self.text()} for side in sides]
        drawn = {"id": self.text(), "name": self.text(), "ledger_entries": entries, "metadata": self.text()}
        return {name: drawn[name] for name in self._random.sample(sorted(drawn), self._random.randint(0, 3))}

    def request(self) -> tuple[str, str, bytes]:
        """Method, path with a query, and body."""
        name = self._random.choice(sorted(PATHS))
        body = {member: self.member(member) for member in PATHS[name] if self._random.random() < 0.8}
        path = f"/api/{name}"
        if self._random.random() < 0.5:
            path += "/" + quote(self.text(), safe="")
            if self._random.random() < 0.4:
                path += "/ledger_entries"
        return self._random.choice(("GET", "POST", "PATCH", "DELETE")), path, json.dumps(body).encode()

    def list(self) -> str:
        filters = self._random.choices(FILTERS, k=self._random.randint(1, 3))
        query = "&".join(f"{quote(name)}={quote(self.text())}" for name in filters)
        return f"/api/{self._random.choice(sorted(PATHS.keys() - {'ledger_account_statements'}))}?{query}"


@pytest.mark.parametrize("seed", range(4))
async def test_no_request_is_too_odd_to_be_answered(raw: Raw, lender: LendNow, database: Database, seed: int) -> None:
    posted = await lender.post({"cash": 5}, {"revenue": 5})
    settlement = await lender.client.ledger_account_settlements.create(
        settled_ledger_account_id=lender.ids["revenue"],
        contra_ledger_account_id=lender.ids["cash"],
        status="drafting",
    )
    ids = [lender.ids["cash"], lender.ids["revenue"], posted.ledger_entries[1].id, settlement.id]
    mischief = Mischief(seed, ids)
    for _ in range(CALLS):
        method, path, body = mischief.request()
        status, answered, _ = await raw.call(method, path, data=b"" if method == "GET" else body)
        assert status < 500, (method, path, body)
        assert status < 400 or set(answered) == {"errors"}, (method, path, body)
        status, answered, _ = await raw.call("GET", query := mischief.list())
        assert status in {200, 422}, (query, answered)
    async with asyncio.timeout(60):
        await work(database)
    assert (await raw.call("GET", "/api/bulk_requests?status=pending"))[1] == []
    assert (await raw.call("GET", "/api/bulk_requests?status=processing"))[1] == []
