"""The places of Modern Treasury's API, and what a request is called in the metrics: a name without any id. Pure."""

from __future__ import annotations

from typing import Final

TRANSACTIONS: Final = "ledger_transactions"
LEDGERS: Final = "ledgers"
CATEGORIES: Final = "ledger_account_categories"
ACCOUNTS: Final = "ledger_accounts"
REVERSAL: Final = "reversal"

_PLACES: Final = frozenset({LEDGERS, ACCOUNTS, CATEGORIES, TRANSACTIONS, REVERSAL})


def operation_name(method: str, path: str) -> str:
    """``POST ledger_transactions/reversal``: the method, and the resources that the path goes through."""
    return f"{method} {'/'.join(segment for segment in path.split('/') if segment in _PLACES)}"
