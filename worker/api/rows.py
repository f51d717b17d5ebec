"""Parts that several objects' rows share. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Protocol
from uuid import UUID

from worker.api.ids import entry_id_of
from worker.api.objects import AlertCondition, Entry, Monitor, MonitorField, Operator, Transaction, Unit
from worker.ledger.balance import Sums
from worker.ledger.transaction import Direction, Ledgerable, Status


class Row(Protocol):
    """A row by its columns' names."""

    def __getitem__(self, column: str, /) -> Any: ...


def read_unit(row: Row) -> Unit:
    """Currency, exponent and normal side."""
    return Unit(row["currency"], row["currency_exponent"], Direction(row["normal_balance"]))


def read_sums(row: Row) -> Sums:
    """The four sums."""
    return Sums(row["posted_debits"], row["posted_credits"], row["pending_debits"], row["pending_credits"])


def read_ledgerable(row: Row) -> Ledgerable | None:
    """The foreign object, if there is one."""
    return Ledgerable(row["ledgerable_type"], row["ledgerable_id"]) if row["ledgerable_type"] else None


def read_entry(row: Row, *, show_balances: bool) -> Entry:
    """An entry."""
    return Entry(
        id=entry_id_of(row["transaction_id"], row["n"]),
        transaction_id=row["transaction_id"],
        account_id=row["account_id"],
        unit=read_unit(row),
        direction=Direction(row["direction"]),
        amount=row["amount"],
        status=Status(row["status"]),
        effective_at=row["effective_at"],
        lock_version=row["lock_version"],
        sums=read_sums(row) if show_balances else None,
        metadata=json.loads(row["metadata"]),
        discarded_at=row["discarded_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def read_transaction(row: Row, entries: Iterable[Entry]) -> Transaction:
    """A transaction, or what it was in one of its versions."""
    return Transaction(
        id=row["id"],
        ledger_id=row["ledger_id"],
        external_id=row["external_id"],
        status=Status(row["status"]),
        description=row["description"],
        metadata=json.loads(row["metadata"]),
        effective_at=row["effective_at"],
        effective_date=row["effective_date"],
        posted_at=row["posted_at"],
        ledgerable=read_ledgerable(row),
        reverses=row["reverses_ledger_transaction_id"],
        reversed_by=row["reversed_by_ledger_transaction_id"],
        partially_posts=row["partially_posts_ledger_transaction_id"],
        archived_reason=row["archived_reason"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        entries=tuple(entries),
    )


def read_monitor(row: Row, metadata: dict[str, str]) -> Monitor:
    """A balance monitor with the state of its account; ids may be text."""
    return Monitor(
        id=UUID(str(row["id"])),
        account_id=UUID(str(row["ledger_account_id"])),
        unit=read_unit(row),
        condition=AlertCondition(MonitorField(row["field"]), Operator(row["operator"]), row["value"]),
        triggered=row["triggered"],
        sums=read_sums(row),
        lock_version=row["lock_version"],
        description=row["description"],
        metadata=metadata,
        discarded_at=row["discarded_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
