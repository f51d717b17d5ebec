"""What the API should show of the model: every member of every object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.ledger.model import Model
from tests.ledger.model_state import Account, Line, State, Transaction, balance_of
from worker.ledger.balance import Sums
from worker.ledger.transaction import BalanceKind, Direction, Status

Document = dict[str, Any]
"""A JSON object."""


def moment(value: datetime | None) -> str | None:
    return None if value is None else f"{value.replace(tzinfo=None).isoformat()}Z"


def without(document: Document, *members: str) -> Document:
    return {name: value for name, value in document.items() if name not in members}


def id_of(known: Transaction | None) -> str | None:
    return None if known is None else str(known.id)


def balances(sums: Sums, account: Account) -> Document:
    """The three balances."""
    debits_count = account.normal_balance is Direction.DEBIT
    sides = {
        BalanceKind.POSTED: sums[:2],
        BalanceKind.PENDING: sums[2:],
        BalanceKind.AVAILABLE: (sums[0], sums[3]) if debits_count else (sums[2], sums[1]),
    }
    shown: Document = {}
    for kind, (debits, credits) in sides.items():
        numbers = {"debits": debits, "credits": credits, "amount": balance_of(sums, kind, account.normal_balance)}
        texts = {f"{name}_string": str(number) for name, number in numbers.items()}
        shown[f"{kind}_balance"] = {
            **numbers,
            **texts,
            "currency": account.currency,
            "currency_exponent": account.exponent,
        }
    return shown


class Shown:
    """Shows the model of one ledger; ``ids`` tells what its accounts are called."""

    def __init__(self, model: Model, ledger_id: str, ids: Mapping[str, str]) -> None:
        self.model = model
        self.ledger_id = ledger_id
        self.ids = ids

    def transaction(self, known: Transaction, *, with_balances: tuple[bool, ...] = ()) -> Document:
        """A transaction as it is."""
        head = {
            "id": str(known.id),
            "object": "ledger_transaction",
            "live_mode": False,
            "created_at": moment(known.states[0].written_at),
            "updated_at": moment(known.now.written_at),
        }
        entries = [
            self.entry(known, line, with_balances=place < len(with_balances) and with_balances[place])
            for place, line in enumerate(known.now.lines)
        ]
        return {**head, **self._state(known, known.now), "ledger_entries": entries}

    def version(self, known: Transaction, number: int) -> Document:
        """One of a transaction's versions, but for its id."""
        state = known.states[number]
        entries = [self.entry(known, line) | {"status": state.status} for line in state.lines]
        return {
            "object": "ledger_transaction_version",
            "live_mode": False,
            "created_at": moment(state.written_at),
            "ledger_transaction_id": str(known.id),
            "version": number,
            **self._state(known, state),
            "ledger_entries": [without(entry, "updated_at", "discarded_at") for entry in entries],
        }

    def entry(self, known: Transaction, line: Line, *, with_balances: bool = False) -> Document:
        """An entry as it is, be it replaced."""
        account = self.model.accounts[line.account]
        return {
            "id": self.entry_id(known, line),
            "object": "ledger_entry",
            "live_mode": False,
            "created_at": moment(line.created_at),
            "updated_at": moment(line.updated_at),
            "discarded_at": moment(line.discarded_at),
            "amount": line.amount,
            "amount_string": str(line.amount),
            "effective_at": moment(line.moment),
            "direction": line.direction,
            "status": known.now.status if line.discarded_at is None else Status.PENDING,
            "ledger_account_id": self.ids[line.account],
            "ledger_account_lock_version": line.version,
            "ledger_account_currency": account.currency,
            "ledger_account_currency_exponent": account.exponent,
            "ledger_transaction_id": str(known.id),
            "resulting_ledger_account_balances": balances(line.sums, account) if with_balances else None,
            "metadata": dict(line.metadata),
        }

    @staticmethod
    def entry_id(known: Transaction, line: Line) -> str:
        return str(UUID(int=known.id.int + line.n))

    def _state(self, known: Transaction, state: State) -> Document:
        return {
            "description": state.description,
            "status": state.status,
            "metadata": dict(state.metadata),
            "effective_at": moment(state.moment),
            "effective_date": state.moment.date().isoformat(),
            "posted_at": moment(state.posted_at),
            "ledger_id": self.ledger_id,
            "ledgerable_type": state.ledgerable and state.ledgerable.type,
            "ledgerable_id": state.ledgerable and str(state.ledgerable.id),
            "external_id": state.name,
            "reverses_ledger_transaction_id": id_of(known.reverses),
            "reversed_by_ledger_transaction_id": id_of(self.model.reversed_by(known)),
            "partially_posts_ledger_transaction_id": id_of(known.part_of),
            "archived_reason": state.reason,
        }
