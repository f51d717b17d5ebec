"""What is measured and compared."""

from __future__ import annotations

from fractions import Fraction

import pytest

from worker.bench.cases import (
    READING_AIMS_MS,
    Aim,
    Case,
    Reading,
    Variant,
    cases_of,
    comparisons_of,
    filling,
    growth_cases_of,
    growth_comparisons_of,
)


@pytest.mark.parametrize("with_pgledger", [False, True])
@pytest.mark.parametrize("callers", [(8, 32, 128), (1,), (128, 1)])
def test_everything_that_is_compared_is_measured_once_in_each_repetition(
    callers: tuple[int, ...], with_pgledger: bool
) -> None:
    cases = cases_of(callers, with_pgledger=with_pgledger)
    compared = comparisons_of(callers, with_pgledger=with_pgledger)
    assert len(set(cases)) == len(cases)
    assert {case for one in compared for case in (one.ours, one.theirs)} == set(cases)


def test_pgledger_is_measured_right_before_the_product_at_each_number_of_callers() -> None:
    cases = cases_of((8, 32), with_pgledger=True)
    beside = [cases[place + 1] for place, case in enumerate(cases) if case.variant is Variant.PGLEDGER]
    assert beside == [Case(Variant.PRODUCT, 8), Case(Variant.PRODUCT, 32)]
    assert not any(case.variant is Variant.PGLEDGER for case in cases_of((8, 32), with_pgledger=False))


def test_pgledger_has_aims_for_the_numbers_of_callers_they_were_set_for_and_is_told_for_others() -> None:
    aims = {
        (one.ours.callers, one.measure): str(one.aim)
        for one in comparisons_of([8, 16, 32, 128], with_pgledger=True)
        if one.theirs.variant is Variant.PGLEDGER and one.aim
    }
    assert aims == {
        (8, "throughput"): "≥ 5.0",
        (32, "throughput"): "≥ 12.0",
        (128, "throughput"): "≥ 15.0",
        (8, "p99"): "≤ 1/12",
        (32, "p99"): "≤ 1/20",
        (128, "p99"): "≤ 1/8",
    }
    told = {one.measure for one in comparisons_of([16], with_pgledger=True) if one.theirs == Case(Variant.PGLEDGER, 16)}
    assert told == {"throughput", "p99", "server CPU", "server and client CPU"}


def test_tables_are_filled_by_each_variant_once_under_its_most_callers() -> None:
    cases = [Case(Variant.BARE, 8), Case(Variant.PRODUCT, 1), Case(Variant.BARE, 128), Case(Variant.BARE, 32)]
    assert filling(cases) == [Case(Variant.BARE, 128), Case(Variant.PRODUCT, 1)]


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
        for one in comparisons_of([8, 128], with_pgledger=False)
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
        (Aim(at_most=Fraction(1, 8)), 0.125, True),
        (Aim(at_most=Fraction(1, 8)), 0.126, False),
    ],
)
def test_an_aim_is_met_from_its_bound_on(aim: Aim, value: float, met: bool) -> None:
    assert aim.is_met_by(value) is met


def test_a_case_is_named_with_its_callers() -> None:
    assert str(Case(Variant.PRODUCT, 1)) == "product, 1 caller"
    assert str(Case(Variant.PRODUCT, 8)) == "product, 8 callers"
