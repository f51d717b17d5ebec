"""Objects as the JSON of the API: exactly the members Modern Treasury's OpenAPI lists, neither fewer nor more. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from worker.api.moments import show, show_optional
from worker.api.objects import Account, Category, Entry, Ledger, Transaction, Unit, Version
from worker.api.query import Window
from worker.api.shapes import (
    BalanceObject,
    BalancesObject,
    Head,
    LedgerAccountCategoryObject,
    LedgerAccountObject,
    LedgerEntryObject,
    LedgerObject,
    LedgerTransactionObject,
    LedgerTransactionVersionObject,
    TransactionState,
    VersionEntryObject,
)
from worker.ledger.balance import Sums
from worker.ledger.transaction import Direction

LIVE_MODE: Final[Literal[False]] = False
"""One deployment serves one set of books, and never a payment network: what Modern Treasury calls its test mode."""


def render_ledger(ledger: Ledger) -> LedgerObject:
    """A ledger."""
    return {
        "object": "ledger",
        **render_head(ledger.id, ledger.created_at, ledger.updated_at),
        "discarded_at": show_optional(ledger.discarded_at),
        "name": ledger.name,
        "description": ledger.description,
        "metadata": ledger.metadata,
    }


def render_account(account: Account, window: Window) -> LedgerAccountObject:
    """A ledger account; ``window`` is what its sums were asked for."""
    return {
        "object": "ledger_account",
        **render_head(account.id, account.created_at, account.updated_at),
        "discarded_at": show_optional(account.discarded_at),
        "name": account.name,
        "description": account.description,
        "normal_balance": account.unit.normal_balance,
        "balances": {
            "effective_at_lower_bound": show_optional(window.lower),
            "effective_at_upper_bound": show_optional(window.upper),
            **render_balances(account.sums, account.unit),
        },
        "lock_version": account.lock_version,
        "ledger_id": str(account.ledger_id),
        "ledgerable_type": account.ledgerable.type if account.ledgerable else None,
        "ledgerable_id": str(account.ledgerable.id) if account.ledgerable else None,
        "external_id": account.external_id,
        "metadata": account.metadata,
    }


def render_category(category: Category) -> LedgerAccountCategoryObject:
    """A ledger account category."""
    return {
        "object": "ledger_account_category",
        **render_head(category.id, category.created_at, category.updated_at),
        "discarded_at": show_optional(category.discarded_at),
        "name": category.name,
        "description": category.description,
        "metadata": category.metadata,
        "ledger_id": str(category.ledger_id),
        "normal_balance": category.unit.normal_balance,
        "external_id": category.external_id,
        "balances": render_balances(category.sums, category.unit),
    }


def render_entry(entry: Entry) -> LedgerEntryObject:
    """A ledger entry."""
    return {
        **_entry_of_version(entry),
        "updated_at": show(entry.updated_at),
        "discarded_at": show_optional(entry.discarded_at),
    }


def render_transaction(transaction: Transaction) -> LedgerTransactionObject:
    """A ledger transaction."""
    return {
        "object": "ledger_transaction",
        **render_head(transaction.id, transaction.created_at, transaction.updated_at),
        **_what_happened(transaction),
        "ledger_entries": [render_entry(entry) for entry in transaction.entries],
    }


def render_version(version: Version) -> LedgerTransactionVersionObject:
    """A version of a ledger transaction."""
    transaction = version.transaction
    return {
        "id": str(version.id),
        "object": "ledger_transaction_version",
        "live_mode": LIVE_MODE,
        "created_at": show(transaction.created_at),
        "ledger_transaction_id": str(transaction.id),
        "version": version.version,
        **_what_happened(transaction),
        "ledger_entries": [_entry_of_version(entry) for entry in transaction.entries],
    }


def render_balances(sums: Sums, unit: Unit) -> BalancesObject:
    """The three balances of an account or a category."""
    outward_is_debit = unit.normal_balance is Direction.CREDIT
    available = (
        (sums.pending_debits, sums.posted_credits) if outward_is_debit else (sums.posted_debits, sums.pending_credits)
    )
    return {
        "pending_balance": _balance((sums.pending_debits, sums.pending_credits), unit),
        "posted_balance": _balance((sums.posted_debits, sums.posted_credits), unit),
        "available_balance": _balance(available, unit),
    }


def render_head(object_id: UUID, created_at: datetime, updated_at: datetime) -> Head:
    """What every object begins with."""
    return {
        "id": str(object_id),
        "live_mode": LIVE_MODE,
        "created_at": show(created_at),
        "updated_at": show(updated_at),
    }


def _balance(sides: tuple[int, int], unit: Unit) -> BalanceObject:
    debits, credits = sides
    amount = debits - credits if unit.normal_balance is Direction.DEBIT else credits - debits
    return {
        "credits": credits,
        "credits_string": str(credits),
        "debits": debits,
        "debits_string": str(debits),
        "amount": amount,
        "amount_string": str(amount),
        "currency": unit.currency,
        "currency_exponent": unit.currency_exponent,
    }


def _what_happened(transaction: Transaction) -> TransactionState:
    return {
        "description": transaction.description,
        "status": transaction.status,
        "metadata": transaction.metadata,
        "effective_at": show(transaction.effective_at),
        "effective_date": transaction.effective_date.isoformat(),
        "posted_at": show_optional(transaction.posted_at),
        "ledger_id": str(transaction.ledger_id),
        "ledgerable_type": transaction.ledgerable.type if transaction.ledgerable else None,
        "ledgerable_id": str(transaction.ledgerable.id) if transaction.ledgerable else None,
        "external_id": transaction.external_id,
        "reverses_ledger_transaction_id": _id(transaction.reverses),
        "reversed_by_ledger_transaction_id": _id(transaction.reversed_by),
        "partially_posts_ledger_transaction_id": _id(transaction.partially_posts),
        "archived_reason": transaction.archived_reason,
    }


def _entry_of_version(entry: Entry) -> VersionEntryObject:
    return {
        "id": str(entry.id),
        "object": "ledger_entry",
        "live_mode": LIVE_MODE,
        "created_at": show(entry.created_at),
        "amount": entry.amount,
        "amount_string": str(entry.amount),
        "effective_at": show(entry.effective_at),
        "direction": entry.direction,
        "status": entry.status,
        "ledger_account_id": str(entry.account_id),
        "ledger_account_lock_version": entry.lock_version,
        "ledger_account_currency": entry.unit.currency,
        "ledger_account_currency_exponent": entry.unit.currency_exponent,
        "ledger_transaction_id": str(entry.transaction_id),
        "resulting_ledger_account_balances": None if entry.sums is None else render_balances(entry.sums, entry.unit),
        "metadata": entry.metadata,
    }


def _id(value: UUID | None) -> str | None:
    return None if value is None else str(value)
