"""What is measured and compared."""

from __future__ import annotations

import pytest

from worker.bench.cases import (
    READING_AIMS_MS,
    Aim,
    Case,
    Reading,
    Variant,
    cases_of,
    comparisons_of,
    growth_cases_of,
    growth_comparisons_of,
)


@pytest.mark.parametrize("callers", [(8, 32, 128), (1,), (128, 1)])
def test_everything_that_is_compared_is_measured_once_in_each_repetition(callers: tuple[int, ...]) -> None:
    cases = cases_of(callers)
    assert len(set(cases)) == len(cases)
    assert {case for one in comparisons_of(callers) for case in (one.ours, one.theirs)} == set(cases)


def test_a_history_is_compared_with_empty_books_under_the_most_callers() -> None:
    cases = growth_cases_of((8, 128, 32))
    assert {case.callers for case in cases} == {128}
    assert {case for one in growth_comparisons_of((8, 128, 32)) for case in (one.ours, one.theirs)} == set(cases)


def test_every_reading_has_an_aim() -> None:
    assert set(READING_AIMS_MS) == set(Reading)


@pytest.mark.parametrize(
    ("rival", "throughput", "server_cpu"),
    [(Variant.PGBENCH_SAME, "≥ 0.8", "≤ 1.0"), (Variant.PGBENCH_NARROW, None, None)],
)
def test_full_batches_have_an_aim_against_the_same_rows_and_narrow_ones_are_told(
    rival: Variant, throughput: str | None, server_cpu: str | None
) -> None:
    aims = {
        (one.ours.callers, one.measure): str(one.aim) if one.aim else None
        for one in comparisons_of([8, 128])
        if one.theirs.variant is rival
    }
    assert aims == {
        (8, "throughput"): None,
        (8, "server CPU"): None,
        (8, "server and client CPU"): None,
        (128, "throughput"): throughput,
        (128, "server CPU"): server_cpu,
        (128, "server and client CPU"): None,
    }


@pytest.mark.parametrize(
    ("aim", "value", "met"),
    [
        (Aim(at_least=0.8), 0.8, True),
        (Aim(at_least=0.8), 0.79, False),
        (Aim(at_most=1.0), 1.0, True),
        (Aim(at_most=1.0), 1.01, False),
    ],
)
def test_an_aim_is_met_from_its_bound_on(aim: Aim, value: float, met: bool) -> None:
    assert aim.is_met_by(value) is met


def test_a_case_is_named_with_its_callers() -> None:
    assert str(Case(Variant.PRODUCT, 1)) == "product, 1 caller"
    assert str(Case(Variant.PRODUCT, 8)) == "product, 8 callers"
