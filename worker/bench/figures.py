"""Figures and how they are compared. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final

MICROSECONDS: Final = 1_000_000
MILLISECONDS: Final = 1_000


class Measure(StrEnum):
    """What is compared of two variants."""

    THROUGHPUT = "throughput"
    P50 = "p50"
    P99 = "p99"
    SERVER_CPU = "server CPU"
    ALL_CPU = "server and client CPU"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a variant did in one repetition; processor time is per transaction and None where it cannot be seen."""

    per_second: float
    p50_ms: float
    p99_ms: float
    server_cpu_us: float | None
    client_cpu_us: float | None

    def of(self, measure: Measure) -> float | None:
        """One of the figures."""
        match measure:
            case Measure.THROUGHPUT:
                return self.per_second
            case Measure.P50:
                return self.p50_ms
            case Measure.P99:
                return self.p99_ms
            case Measure.SERVER_CPU:
                return self.server_cpu_us
            case Measure.ALL_CPU:
                if self.server_cpu_us is None or self.client_cpu_us is None:
                    return None
                return self.server_cpu_us + self.client_cpu_us


@dataclass(frozen=True, slots=True)
class ReadFigures:
    """How long a read took, in milliseconds: in the database, and until its caller had the answer."""

    database_p50_ms: float
    database_p99_ms: float
    answer_p50_ms: float


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time and what was spent in it: seconds, and seconds of processor time."""

    seconds: float
    server_cpu: float | None
    client_cpu: float | None


def figures(latencies: Sequence[float], window: Window) -> Figures:
    """The figures of what ended within a window, from the seconds each took; there must be at least one."""
    ordered = sorted(latencies)
    count = len(ordered)
    return Figures(
        per_second=count / window.seconds,
        p50_ms=percentile(ordered, 50) * MILLISECONDS,
        p99_ms=percentile(ordered, 99) * MILLISECONDS,
        server_cpu_us=_each(window.server_cpu, count),
        client_cpu_us=_each(window.client_cpu, count),
    )


def read_figures(database_ms: Sequence[float], answers_ms: Sequence[float]) -> ReadFigures:
    """The figures of a read that was repeated; there must be at least one of each."""
    inside, answers = sorted(database_ms), sorted(answers_ms)
    return ReadFigures(percentile(inside, 50), percentile(inside, 99), percentile(answers, 50))


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The smallest of the sorted values that ``percent`` of them do not exceed (nearest rank)."""
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(rank, 1) - 1]


def typical(repetitions: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return Figures(
        median(one.per_second for one in repetitions),
        median(one.p50_ms for one in repetitions),
        median(one.p99_ms for one in repetitions),
        _median([one.server_cpu_us for one in repetitions]),
        _median([one.client_cpu_us for one in repetitions]),
    )


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio taken in every repetition: the median, and the range."""

    median: float
    lowest: float
    highest: float


def ratio(ours: Sequence[Figures], theirs: Sequence[Figures], measure: Measure) -> Ratio | None:
    """Ours divided by theirs, repetition by repetition; None when a figure is missing or theirs is zero."""
    ratios = []
    for one, other in zip(ours, theirs, strict=True):
        above, below = one.of(measure), other.of(measure)
        if above is None or not below:
            return None
        ratios.append(above / below)
    return Ratio(median(ratios), min(ratios), max(ratios)) if ratios else None


def _each(seconds: float | None, count: int) -> float | None:
    return None if seconds is None else seconds * MICROSECONDS / count


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if len(known) == len(values) and known else None
