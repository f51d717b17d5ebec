"""The answer as a document."""

from __future__ import annotations

from worker.bench.cases import Aim, Case, Comparison, Reading, Variant
from worker.bench.figures import Figures, Measure, ReadFigures
from worker.bench.report import Conditions, History, report

CONDITIONS = Conditions("18.4", 2, 3.0, 2)
PRODUCT, PGBENCH = Case(Variant.PRODUCT, 128), Case(Variant.PGBENCH_SAME, 32)


def did(per_second: float, server_cpu_us: float | None) -> Figures:
    return Figures(per_second, 1.234, 5.678, server_cpu_us, 30.4)


def test_figures_are_medians_with_every_repetition_below() -> None:
    document = report(CONDITIONS, {PRODUCT: [did(100.4, 60.0), did(200.4, None)]}, [], None)
    (told,) = document["figures"]
    assert told | {"repetitions": None} == {
        "variant": "product",
        "callers": 128,
        "per_second": 150,
        "p50_ms": 1.23,
        "p99_ms": 5.68,
        "server_cpu_us": None,
        "client_cpu_us": 30,
        "repetitions": None,
    }
    assert [one["per_second"] for one in told["repetitions"]] == [100, 200]


def test_a_ratio_says_whether_its_aim_is_met_and_nothing_where_it_has_none() -> None:
    outcomes = {PRODUCT: [did(90, 80.0)], PGBENCH: [did(100, None)]}
    comparisons = [
        Comparison(Measure.THROUGHPUT, PRODUCT, PGBENCH, Aim(at_least=0.8)),
        Comparison(Measure.P99, PRODUCT, PGBENCH),
        Comparison(Measure.SERVER_CPU, PRODUCT, PGBENCH, Aim(at_most=1.0)),
    ]
    told = report(CONDITIONS, outcomes, comparisons, None)["ratios"]
    assert [(one["ratio"], one["aim"], one["met"]) for one in told] == [
        (0.9, "≥ 0.8", True),
        (1.0, None, None),
        (None, "≤ 1.0", None),
    ]


def test_a_small_ratio_is_told_with_a_digit_more() -> None:
    outcomes = {PRODUCT: [Figures(90, 1.0, 10.0, None, None)], PGBENCH: [Figures(100, 1.0, 123.4, None, None)]}
    comparisons = [Comparison(Measure.P99, PRODUCT, PGBENCH), Comparison(Measure.THROUGHPUT, PRODUCT, PGBENCH)]
    told = report(CONDITIONS, outcomes, comparisons, None)["ratios"]
    assert [one["ratio"] for one in told] == [0.081, 0.9]


def test_a_history_tells_what_was_found_wrong_and_how_long_reading_took() -> None:
    reads = {Reading.BALANCE: ReadFigures(0.05, 0.2, 0.3), Reading.AT_MOMENT: ReadFigures(0.6, 0.9, 1.0)}
    told = report(CONDITIONS, {}, [], History(1000, [{"row": "x"}], reads))["history"]
    assert told["findings"] == [{"row": "x"}]
    assert [(one["read"], one["database_p50_ms"], one["met"]) for one in told["reads"]] == [
        ("balance of an account", 0.05, True),
        ("balance of a hot account at a moment of the past year", 0.6, False),
    ]
