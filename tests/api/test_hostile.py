"""Whatever a caller sends, it is answered or refused by name: nothing here is the service's fault."""

from __future__ import annotations

import json
import random
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conftest import Raw
from tests.api.lendnow import LendNow

CALLS = 150
"""Calls of one kind, each drawn from the seed in its test's name."""

MEMBERS = (
    *("name", "description", "metadata", "ledger_id", "currency", "currency_exponent", "normal_balance", "external_id"),
    *("ledger_account_category_ids", "ledgerable_id", "ledgerable_type", "status", "effective_at", "effective_date"),
    *("ledger_entries", "posted_ledger_entries", "archive_on_balance_lock_failure", "unheard_of"),
    "ledger_account_category_balance_locks",
)
ENTRY_MEMBERS = (
    *("amount", "amount_string", "direction", "ledger_account_id", "lock_version", "effective_at", "metadata"),
    *("pending_balance_amount", "available_balance_amount", "show_resulting_ledger_account_balances"),
    "ledger_account_category_id",
)
FILTERS = (
    *("id[]", "id", "per_page", "after_cursor", "metadata[a]", "metadata[']", "metadata[]", "metadata", "ledger_id"),
    *("external_id", "name[]", "name", "currency", "status", "status[]", "status[][]", "direction", "amount[gte]"),
    *("balances[effective_at]", "balances[as_of_date]", "balances[as_of_lock_version]", "balances[x]", "balances"),
    *("balances[effective_at_lower_bound]", "balances[effective_at_upper_bound]", "posted_balance_amount[not_eq]"),
    *("available_balance_amount[eq]", "created_at[gt]", "updated_at[lte]", "effective_at[gt]", "effective_date[lte]"),
    *("posted_at[eq]", "order_by[created_at]", "order_by[effective_at]", "order_by[id]", "as_of_lock_version"),
    *("ledger_account_lock_version[gte]", "version[lt]", "show_deleted", "show_balances", "ledger_account_id"),
    *("ledger_account_category_id", "ledger_transaction_id", "ledger_account_payout_id", "parent_ledger_account_id"),
)
TEXTS = (
    *(
        "",
        " ",
        "x" * 1200,
        "\x00",
        "'; drop table ledgers; --",
        "\\",
        "%",
        "é",
        "👩‍🚀",
        "\u202e",
        "null",
        "true",
        "false",
    ),
    *("-1", "0", "1", "9" * 25, "9" * 70, "1e9", "0x1f", "٣", "NaN", "USD", "debit", "posted", "asc", "desc"),
    *("2024-01-01", "2024-02-30", "0001-01-01T00:00:00+14:00", "9998-12-31T23:59:59.999999-14:00", "9999-12-31"),
    *("2024-01-01T25:00:00Z", "2024-01-01T00:00:00.0000001Z", "2024-01-01T00:00:00+99:99", "20240101"),
    "00000000-0000-4000-8000-000000000000",
)
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    -1,
    0,
    1,
    10**35,
    10**36,
    10**80,
    1.5,
    1e300,
    [],
    {},
    [[]],
    [None],
    {"a": {}},
)
PATHS = (
    "/ledgers",
    "/ledger_accounts",
    "/ledger_account_categories",
    "/ledger_transactions",
    "/ledger_transaction_versions",
    "/ledger_entries",
)


class Mischief:
    """Draws requests."""

    def __init__(self, seed: int, ids: list[str]) -> None:
        self._random = random.Random(seed)
        self._ids = ids

    def text(self) -> str:
        return self._random.choice(self._ids if self._random.random() < 0.3 else TEXTS)

    def value(self) -> Any:
        draw = self._random.random()
        if draw < 0.5:
            return self.text()
        if draw < 0.8:
            return self._random.choice(ODD)
        return {self.text(): self.text() for _ in range(2)}

    def document(self, members: tuple[str, ...] = MEMBERS) -> dict[str, Any]:
        drawn = {name: self.value() for name in self._random.sample(members, self._random.randint(0, 5))}
        if members is MEMBERS and self._random.random() < 0.5:
            name = self._random.choice(("ledger_entries", "posted_ledger_entries"))
            drawn[name] = [self.document(ENTRY_MEMBERS) for _ in range(self._random.randint(0, 3))]
        return drawn

    def query(self) -> str:
        names = self._random.choices(FILTERS, k=self._random.randint(1, 3))
        return "&".join(f"{quote(name)}={quote(self.text())}" for name in names)

    def path(self) -> str:
        path = self._random.choice(PATHS)
        if self._random.random() < 0.6:
            path += "/" + quote(self.text(), safe="")
        if self._random.random() < 0.3:
            path += self._random.choice(("/reversal", "/partial_post", "/versions", "/ledger_accounts/x", "/"))
        return "/api" + path

    def method(self) -> str:
        return self._random.choice(("GET", "POST", "PATCH", "PUT", "DELETE"))


@pytest.mark.parametrize("seed", range(4))
async def test_no_request_is_too_odd_to_be_answered(raw: Raw, lender: LendNow, seed: int) -> None:
    pending = await lender.post({"cash": 5}, {"revenue": 5}, status="pending", external_id="pending")
    ids = [lender.ledger_id, lender.ids["cash"], pending.id, pending.ledger_entries[0].id, "cash", "pending"]
    mischief = Mischief(seed, ids)
    for _ in range(CALLS):
        method, path, query = mischief.method(), mischief.path(), mischief.query()
        if mischief.method() != "GET":
            query = ""
        body = json.dumps(mischief.document()).encode()
        status, answered, _ = await raw.call(method, f"{path}?{query}", data=body)
        assert status < 500, (method, path, query, body)
        assert status < 400 or set(answered) == {"errors"}, (method, path, query, body)


@pytest.mark.parametrize("seed", range(4))
async def test_no_list_is_too_oddly_filtered_to_be_answered(raw: Raw, lender: LendNow, seed: int) -> None:
    await lender.post({"cash": 5}, {"revenue": 5})
    mischief = Mischief(seed, [lender.ledger_id, lender.ids["cash"], "cash"])
    for _ in range(CALLS):
        for path in PATHS:
            status, answered, _ = await raw.call("GET", f"/api{path}?{(query := mischief.query())}")
            assert status in {200, 422}, (path, query, answered)
