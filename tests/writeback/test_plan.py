"""Which records each movement needs, profile by profile: amounts are their effect on the lender's account."""

from __future__ import annotations

from uuid import UUID

import pytest

from worker.codat.profiles import Profile
from worker.writeback.movement import (
    Drawdown,
    Movement,
    Refund,
    Repayment,
    RepaymentReversal,
    movement_document,
    read_movement,
)
from worker.writeback.plan import (
    PlannedStep,
    Purpose,
    StepKind,
    WrittenStep,
    idempotency_key,
    movement_name,
    plan,
    plan_reversal,
    reference,
)

MATCHED, GUIDE_2023, GUIDE_2026 = Profile.MATCHED, Profile.CODAT_2023, Profile.CODAT_2026
TRANSFER, COST, LINE = StepKind.TRANSFER, StepKind.DIRECT_COST, StepKind.BANK_TRANSACTION
CONNECTION = UUID("2e9d2c44-f675-40ba-8049-353bfcb5e171")

FULL = Repayment("R1", principal=30_000, interest=6_000, fees=4_000)
FEES_ONLY = Repayment("R1", 0, 0, 4_000)
PRINCIPAL_ONLY = Repayment("R1", 30_000, 0, 0)
OVERPAID = Repayment("R1", 30_000, 10_000, 0, overpayment=500)
DRAWDOWN = Drawdown("D1", 100_000)
WITH_FEE = Drawdown("D1", 100_000, fee=3_000)
REFUND = Refund("X1", 500)

TABLE: list[tuple[Profile, Drawdown | Repayment | Refund, list[tuple[StepKind, int]]]] = [
    (MATCHED, DRAWDOWN, [(TRANSFER, -100_000), (LINE, -100_000)]),
    (GUIDE_2023, DRAWDOWN, [(LINE, 100_000), (TRANSFER, -100_000)]),
    (GUIDE_2026, DRAWDOWN, [(TRANSFER, -100_000), (LINE, -100_000)]),
    (MATCHED, WITH_FEE, [(TRANSFER, -97_000), (COST, -3_000), (LINE, -97_000), (LINE, -3_000)]),
    (GUIDE_2023, WITH_FEE, [(LINE, 97_000), (LINE, -3_000), (TRANSFER, -97_000), (COST, -3_000)]),
    (GUIDE_2026, WITH_FEE, [(TRANSFER, -97_000), (COST, -3_000), (LINE, -97_000), (LINE, -3_000)]),
    (MATCHED, FULL, [(TRANSFER, 40_000), (COST, -10_000), (LINE, 40_000), (LINE, -10_000)]),
    (GUIDE_2023, FULL, [(LINE, 40_000), (TRANSFER, 30_000), (COST, -10_000)]),
    (GUIDE_2026, FULL, [(TRANSFER, 40_000), (COST, -10_000), (LINE, 40_000)]),
    (MATCHED, FEES_ONLY, [(TRANSFER, 4_000), (COST, -4_000), (LINE, 4_000), (LINE, -4_000)]),
    (GUIDE_2023, FEES_ONLY, [(LINE, 4_000), (COST, -4_000)]),
    (GUIDE_2026, FEES_ONLY, [(TRANSFER, 4_000), (COST, -4_000), (LINE, 4_000)]),
    (MATCHED, PRINCIPAL_ONLY, [(TRANSFER, 30_000), (LINE, 30_000)]),
    (GUIDE_2023, PRINCIPAL_ONLY, [(LINE, 30_000), (TRANSFER, 30_000)]),
    (GUIDE_2026, PRINCIPAL_ONLY, [(TRANSFER, 30_000), (LINE, 30_000)]),
    (MATCHED, OVERPAID, [(TRANSFER, 40_500), (COST, -10_000), (LINE, 40_500), (LINE, -10_000)]),
    (GUIDE_2023, OVERPAID, [(LINE, 40_500), (TRANSFER, 30_500), (COST, -10_000)]),
    (GUIDE_2026, OVERPAID, [(TRANSFER, 40_500), (COST, -10_000), (LINE, 40_500)]),
    (MATCHED, REFUND, [(TRANSFER, -500), (LINE, -500)]),
    (GUIDE_2023, REFUND, [(LINE, 500), (TRANSFER, -500)]),
    (GUIDE_2026, REFUND, [(TRANSFER, -500), (LINE, -500)]),
]


@pytest.mark.parametrize(("profile", "movement", "expected"), TABLE)
def test_a_movement_needs_exactly_these_records_in_this_order(
    profile: Profile, movement: Drawdown | Repayment | Refund, expected: list[tuple[StepKind, int]]
) -> None:
    assert [(step.kind, step.amount) for step in plan(movement, profile)] == expected


@pytest.mark.parametrize("movement", [DRAWDOWN, WITH_FEE, FULL, FEES_ONLY, PRINCIPAL_ONLY, OVERPAID, REFUND])
def test_in_the_matched_profile_every_line_has_the_amount_of_one_record(
    movement: Drawdown | Repayment | Refund,
) -> None:
    steps = plan(movement, MATCHED)

    lines = sorted(step.amount for step in steps if step.kind is LINE)
    assert lines == sorted(step.amount for step in steps if step.kind is not LINE)


def test_a_reversal_negates_what_was_written_and_nothing_else() -> None:
    written = [WrittenStep(11, TRANSFER, Purpose.REPAYMENT, 40_000), WrittenStep(12, COST, Purpose.COST, -10_000)]

    assert plan_reversal(written, can_delete_direct_costs=False) == [
        PlannedStep(TRANSFER, Purpose.REPAYMENT, -40_000, compensates=11),
        PlannedStep(COST, Purpose.COST, 10_000, compensates=12),
    ]


def test_a_direct_cost_is_deleted_where_the_platform_can() -> None:
    written = [WrittenStep(12, COST, Purpose.COST, -10_000)]

    assert [step.kind for step in plan_reversal(written, can_delete_direct_costs=True)] == [StepKind.DELETE_DIRECT_COST]


def test_references_are_the_same_for_the_same_facts_and_differ_for_any_other() -> None:
    step = PlannedStep(TRANSFER, Purpose.REPAYMENT, 40_000)
    mine = reference(CONNECTION, "LN-1", "repayment R1", step)

    assert mine == reference(CONNECTION, "LN-1", "repayment R1", PlannedStep(TRANSFER, Purpose.REPAYMENT, 1))
    others = {
        reference(UUID(int=1), "LN-1", "repayment R1", step),
        reference(CONNECTION, "LN-2", "repayment R1", step),
        reference(CONNECTION, "LN-1", "repayment R2", step),
        reference(CONNECTION, "LN-1", "repayment R1", PlannedStep(LINE, Purpose.REPAYMENT, 40_000)),
        reference(CONNECTION, "LN-1", "repayment R1", PlannedStep(TRANSFER, Purpose.REFUND, 40_000)),
    }
    assert len(others) == 5
    assert mine not in others
    assert len(mine) < 22


def test_every_generation_of_a_step_has_a_key_of_its_own() -> None:
    keys = {idempotency_key("LW-A", 1), idempotency_key("LW-A", 2), idempotency_key("LW-B", 1)}

    assert len(keys) == 3
    assert idempotency_key("LW-A", 1) in keys


@pytest.mark.parametrize(
    ("movement", "name"),
    [
        (DRAWDOWN, "drawdown D1"),
        (FULL, "repayment R1"),
        (RepaymentReversal("R1", "returned"), "reversal of repayment R1"),
        (REFUND, "refund X1"),
    ],
)
def test_a_movement_has_a_name_and_survives_being_stored(movement: Movement, name: str) -> None:
    assert movement_name(movement) == name
    assert read_movement(movement_document(movement)) == movement
