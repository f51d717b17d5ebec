"""How figures are made of what was measured, and compared."""

from __future__ import annotations

import pytest

from worker.bench.figures import (
    Figures,
    Measure,
    Ratio,
    ReadFigures,
    Window,
    figures,
    percentile,
    ratio,
    read_figures,
    typical,
)


def did(per_second: float, p99_ms: float = 1.0, server_cpu_us: float | None = None) -> Figures:
    return Figures(per_second, 0.5, p99_ms, server_cpu_us, None)


@pytest.mark.parametrize(
    ("percent", "value"),
    [(0, 1.0), (1, 1.0), (50, 50.0), (99, 99.0), (100, 100.0)],
)
def test_a_percentile_is_the_value_of_the_nearest_rank(percent: int, value: float) -> None:
    assert percentile([float(number) for number in range(1, 101)], percent) == value


def test_the_only_value_is_every_percentile() -> None:
    assert [percentile([7.0], percent) for percent in (0, 50, 99, 100)] == [7.0] * 4


def test_figures_are_of_the_window_and_each_transaction() -> None:
    latencies = [0.003, 0.001, 0.002, 0.010]
    found = figures(latencies, Window(seconds=2.0, server_cpu=0.4, client_cpu=0.1))
    assert found == Figures(per_second=2.0, p50_ms=2.0, p99_ms=10.0, server_cpu_us=100_000.0, client_cpu_us=25_000.0)


def test_processor_time_that_cannot_be_seen_is_not_told() -> None:
    assert figures([0.1], Window(1.0, server_cpu=None, client_cpu=None)).server_cpu_us is None


def test_the_typical_figures_are_the_median_of_each() -> None:
    repetitions = [did(100, 9.0, 50.0), did(300, 1.0, 70.0), did(200, 4.0, 60.0)]
    assert typical(repetitions) == Figures(200, 0.5, 4.0, 60.0, None)


def test_all_processor_time_is_the_servers_and_the_clients_where_both_are_known() -> None:
    assert Figures(1.0, 1.0, 1.0, 60.0, 30.0).of(Measure.ALL_CPU) == 90.0
    assert Figures(1.0, 1.0, 1.0, None, 30.0).of(Measure.ALL_CPU) is None


def test_a_ratio_is_taken_in_each_repetition_before_the_median() -> None:
    ours, theirs = [did(10), did(40), did(30)], [did(10), did(20), did(10)]
    assert ratio(ours, theirs, Measure.THROUGHPUT) == Ratio(median=2.0, lowest=1.0, highest=3.0)


def test_there_is_no_ratio_where_a_figure_is_missing_or_nothing() -> None:
    assert ratio([did(1)], [did(1)], Measure.SERVER_CPU) is None
    assert ratio([did(1)], [did(0)], Measure.THROUGHPUT) is None


def test_a_read_is_told_by_its_typical_time_and_its_tail() -> None:
    found = read_figures([0.2, 0.1, 0.3], [0.6, 0.4, 0.5])
    assert found == ReadFigures(database_p50_ms=0.2, database_p99_ms=0.3, answer_p50_ms=0.5)
