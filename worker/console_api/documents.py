"""Rows as JSON: identifiers and times as text, amounts as major-unit decimals of their currency. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from worker.money import format_major

AMOUNTS: Final = frozenset(
    {
        *("amount", "balance", "principal", "interest", "fees", "overpayment", "fee"),
        *("disbursed", "interest_recognised", "fees_charged", "fees_waived"),
        *("principal_repaid", "interest_repaid", "fees_repaid", "overpaid", "refunded"),
        *("principal_reversed", "interest_reversed", "fees_reversed", "overpaid_reversed"),
        *("principal_written_off", "interest_written_off", "fees_written_off", "recovered"),
    }
)
"""Columns that hold minor units."""

_JSON_COLUMNS: Final = frozenset({"movement", "investors", "refusal"})


def document(row: Mapping[str, Any], currency: str | None = None) -> dict[str, Any]:
    """One row; its own ``currency`` column is used where ``currency`` is not given."""
    currency = currency or row.get("currency")
    return {name: _plain(name, value, currency) for name, value in row.items()}


def _plain(name: str, value: Any, currency: str | None) -> Any:
    if name in _JSON_COLUMNS and isinstance(value, str):
        return _nested(json.loads(value), currency)
    if name in AMOUNTS and currency is not None and type(value) is int:
        return format_major(value, currency)
    match value:
        case UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return value


def _nested(value: Any, currency: str | None) -> Any:
    if isinstance(value, dict):
        return {name: _plain(name, item, currency) for name, item in value.items()}
    return value
