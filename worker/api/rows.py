"""Parts that several objects' rows share. Pure."""

from __future__ import annotations

from typing import Any, Protocol

from worker.api.objects import Ledgerable, Unit
from worker.ledger.balance import Sums
from worker.ledger.transaction import Direction


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
