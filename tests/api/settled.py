"""Settlements in memory: which entries each holds, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.api.shown import Document, id_of, moment
from tests.ledger.model import Model
from tests.ledger.model_state import Line, Transaction
from worker.ledger.transaction import Direction, Status

DRAFTING = "drafting"

Held = tuple[Transaction, int]
"""An entry: its transaction and its number."""


@dataclass(eq=False)
class Settlement:
    """A settlement of the model."""

    account: str
    contra: str
    either: bool
    bound: datetime
    description: str | None
    own_status: str = DRAFTING
    transaction: Transaction | None = None
    amount: int | None = None
    direction: Direction | None = None
    held: set[Held] = field(default_factory=set)
    id: str = field(init=False)

    @property
    def status(self) -> str:
        return self.own_status if self.transaction is None else self.transaction.now.status


class Settlements:
    """All settlements of one ledger."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.every: list[Settlement] = []

    def due(self, settlement: Settlement) -> set[Held]:
        """What may still be settled of its account before its bound."""
        taken = {held for other in self.every if other.status != Status.ARCHIVED for held in other.held}
        settling = {other.transaction for other in self.every if other.account == settlement.account}
        return {
            (known, line.n)
            for known in self.model.transactions
            if known.now.status is Status.POSTED and known not in settling
            for line in known.now.lines
            if line.account == settlement.account and line.moment < settlement.bound and (known, line.n) not in taken
        }

    def net(self, settlement: Settlement) -> int:
        """What its entries leave on the normal side of its account."""
        total = sum(signed(line_of(*held)) for held in settlement.held)
        return total if self.model.accounts[settlement.account].normal_balance is Direction.DEBIT else -total

    def decide(self, settlement: Settlement) -> tuple[int, Direction]:
        """Its amount, and the side of the entry on its account."""
        net, normal = self.net(settlement), self.model.accounts[settlement.account].normal_balance
        return abs(net), normal.opposite if net >= 0 else normal


def line_of(known: Transaction, n: int) -> Line:
    return next(line for line in known.now.lines if line.n == n)


def signed(line: Line) -> int:
    return line.amount if line.direction is Direction.DEBIT else -line.amount


def document(settlement: Settlement, model: Model, ids: dict[str, str]) -> Document:
    """What of it is the model's to tell."""
    account = model.accounts[settlement.account]
    return {
        "id": settlement.id,
        "description": settlement.description,
        "status": settlement.status,
        "settled_ledger_account_id": ids[settlement.account],
        "contra_ledger_account_id": ids[settlement.contra],
        "effective_at_upper_bound": moment(settlement.bound),
        "ledger_transaction_id": id_of(settlement.transaction),
        "amount": settlement.amount,
        "settlement_entry_direction": settlement.direction,
        "currency": account.currency,
        "currency_exponent": account.exponent,
    }
