"""Which records a movement needs in the borrower's books (contract, section 6). Pure.

Every amount here is the step's effect on the lender's account, in minor units: a transfer out of it is negative, into
it positive, a cost paid from it negative, a statement line has the sign it shows. Compensating is then negating, and
in the ``matched`` profile every statement line carries the amount of the one record it matches.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never
from uuid import UUID, uuid5

from worker.codat.profiles import Profile
from worker.writeback.movement import Drawdown, Movement, Refund, Repayment, RepaymentReversal

REFERENCE_BYTES: Final = 10
"""80 bits name a step: beyond chance, and with its prefix 19 characters, below QuickBooks Online's limit of 22."""

KEY_NAMESPACE: Final = UUID("6b0f0a3e-51cf-5d0b-9d2a-3f6f0f3c7a11")
"""Namespace of Idempotency-Keys: any fixed UUID of our own."""


class StepKind(StrEnum):
    """What one step does at Codat."""

    TRANSFER = "transfer"
    DIRECT_COST = "direct_cost"
    DELETE_DIRECT_COST = "delete_direct_cost"
    BANK_TRANSACTION = "bank_transaction"
    CREATE_BANK_ACCOUNT = "create_bank_account"
    CREATE_ACCOUNT = "create_account"
    CREATE_SUPPLIER = "create_supplier"
    CREATE_SOURCE_ACCOUNT = "create_source_account"
    MAP_SOURCE_ACCOUNT = "map_source_account"


CREATIONS: Final = (StepKind.CREATE_BANK_ACCOUNT, StepKind.CREATE_ACCOUNT, StepKind.CREATE_SUPPLIER)
"""Steps whose record goes by a name, and may be used by many."""


class Purpose(StrEnum):
    """What a step stands for; with its kind it is unique within one saga."""

    DRAWDOWN = "drawdown"
    REPAYMENT = "repayment"
    COST = "interest and fees"
    FEE = "fee"
    REFUND = "refund"
    MAPPING = "mapping"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One record to write. ``compensates`` is the id of the earlier step this one undoes."""

    kind: StepKind
    purpose: Purpose
    amount: int
    compensates: int | None = None


@dataclass(frozen=True, slots=True)
class WrittenStep:
    """What a reversal needs to know of a step that really wrote its record."""

    step_id: int
    kind: StepKind
    purpose: Purpose
    amount: int


def plan(movement: Drawdown | Repayment | Refund, profile: Profile) -> list[PlannedStep]:
    """The ordered steps of a movement that writes; a step whose amount is zero is left out."""
    match movement:
        case Drawdown(amount=amount, fee=fee):
            steps = _pay_out(amount - fee, Purpose.DRAWDOWN, profile) + _fee(fee)
        case Refund(amount=amount):
            steps = _pay_out(amount, Purpose.REFUND, profile)
        case Repayment():
            steps = _pay_back(movement, profile)
        case _:
            assert_never(movement)
    return [step for step in _in_order(steps, profile) if step.amount]


def plan_reversal(written: Iterable[WrittenStep], *, can_delete_direct_costs: bool) -> list[PlannedStep]:
    """The steps that undo what was really written, in the order it was written.

    Transfers and bank transactions cannot be deleted at Codat, so they are undone by their opposites; a direct cost
    is deleted where the platform allows it and otherwise undone by a negative one.
    """
    return [
        PlannedStep(
            StepKind.DELETE_DIRECT_COST if can_delete_direct_costs and step.kind is StepKind.DIRECT_COST else step.kind,
            step.purpose,
            -step.amount,
            compensates=step.step_id,
        )
        for step in written
    ]


def _pay_out(amount: int, purpose: Purpose, profile: Profile) -> list[PlannedStep]:
    # The 2023 guide shows the money arriving on the lender's statement before it is transferred on.
    line = amount if profile is Profile.CODAT_2023 else -amount
    return [
        PlannedStep(StepKind.TRANSFER, purpose, -amount),
        PlannedStep(StepKind.BANK_TRANSACTION, purpose, line),
    ]


def _fee(fee: int) -> list[PlannedStep]:
    return [
        PlannedStep(StepKind.DIRECT_COST, Purpose.FEE, -fee),
        PlannedStep(StepKind.BANK_TRANSACTION, Purpose.FEE, -fee),
    ]


def _pay_back(repayment: Repayment, profile: Profile) -> list[PlannedStep]:
    total, cost = repayment.total, repayment.cost
    # The 2023 guide transfers only what is not cost; an overpayment is no cost.
    transferred = total - cost if profile is Profile.CODAT_2023 else total
    steps = [
        PlannedStep(StepKind.TRANSFER, Purpose.REPAYMENT, transferred),
        PlannedStep(StepKind.DIRECT_COST, Purpose.COST, -cost),
        PlannedStep(StepKind.BANK_TRANSACTION, Purpose.REPAYMENT, total),
    ]
    if profile is Profile.MATCHED:
        steps.append(PlannedStep(StepKind.BANK_TRANSACTION, Purpose.COST, -cost))
    return steps


def _in_order(steps: Sequence[PlannedStep], profile: Profile) -> list[PlannedStep]:
    """Transfers, then direct costs, then lines; the 2023 guide begins with the lines."""
    order = {StepKind.TRANSFER: 1, StepKind.DIRECT_COST: 2, StepKind.BANK_TRANSACTION: 3}
    if profile is Profile.CODAT_2023:
        order[StepKind.BANK_TRANSACTION] = 0
    return sorted(steps, key=lambda step: order[step.kind])


def movement_name(movement: Movement) -> str:
    """A movement in a bookkeeper's words, with the loan system's own id: ``repayment R1``."""
    match movement:
        case Drawdown(drawdown_id=own_id):
            return f"drawdown {own_id}"
        case Repayment(repayment_id=own_id):
            return f"repayment {own_id}"
        case RepaymentReversal(repayment_id=own_id):
            return f"reversal of repayment {own_id}"
        case Refund(refund_id=own_id):
            return f"refund {own_id}"
        case _:
            assert_never(movement)


def reference(connection_id: UUID, scope: str, name: str, step: PlannedStep) -> str:
    """The step's own fingerprint, written into its record: the same facts give the same one on every machine.

    ``scope`` is the loan (or, for a mapping, its version), ``name`` the movement's name.
    """
    facts = "\x1f".join((str(connection_id), scope, name, step.kind, step.purpose))
    digest = hashlib.blake2b(facts.encode(), digest_size=REFERENCE_BYTES).digest()
    return f"LW-{b32encode(digest).decode('ascii')}"


def idempotency_key(step_reference: str, generation: int) -> UUID:
    """The Idempotency-Key of one generation of a step: a GUID, as Codat demands, that no other request ever uses."""
    return uuid5(KEY_NAMESPACE, f"{step_reference}/{generation}")
