"""The outcome of a measurement as a document. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from worker.bench.cases import READING_AIMS_MS, Case, Comparison, Reading
from worker.bench.figures import Figures, Ratio, ReadFigures, ratio, typical

SMALL: Final = 0.1
"""Ratios below this are told with a digit more, for two digits are not enough to judge them by."""

Outcomes = Mapping[Case, Sequence[Figures]]
"""What every case did, repetition by repetition."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what the figures were taken."""

    server: str
    processors: int
    seconds: float
    repetitions: int


@dataclass(frozen=True, slots=True)
class History:
    """Books with so many entries: what the audit found wrong in them, and how long reading took."""

    entries: int
    findings: Sequence[Mapping[str, Any]]
    reads: Mapping[Reading, ReadFigures]


def report(
    conditions: Conditions, outcomes: Outcomes, comparisons: Sequence[Comparison], history: History | None
) -> dict[str, Any]:
    """The whole answer: conditions, figures of every case, ratios, and what a history costs."""
    return {
        "conditions": asdict(conditions),
        "figures": [_case(case, figures) for case, figures in outcomes.items()],
        "ratios": list(_ratios(outcomes, comparisons)),
        "history": None if history is None else _history(history),
    }


def _history(history: History) -> dict[str, Any]:
    return {
        "entries": history.entries,
        "findings": list(history.findings),
        "reads": [_read(reading, figures) for reading, figures in history.reads.items()],
    }


def _read(reading: Reading, figures: ReadFigures) -> dict[str, Any]:
    aim = READING_AIMS_MS[reading]
    return {
        "read": reading,
        "database_p50_ms": round(figures.database_p50_ms, 3),
        "database_p99_ms": round(figures.database_p99_ms, 3),
        "answer_p50_ms": round(figures.answer_p50_ms, 3),
        "aim_ms": aim,
        "met": figures.database_p50_ms <= aim,
    }


def _case(case: Case, repetitions: Sequence[Figures]) -> dict[str, Any]:
    return {
        "variant": case.variant,
        "callers": case.callers,
        **_rounded(typical(repetitions)),
        "repetitions": [_rounded(one) for one in repetitions],
    }


def _rounded(figures: Figures) -> dict[str, Any]:
    return {
        "per_second": round(figures.per_second),
        "p50_ms": round(figures.p50_ms, 2),
        "p99_ms": round(figures.p99_ms, 2),
        "server_cpu_us": None if figures.server_cpu_us is None else round(figures.server_cpu_us),
        "client_cpu_us": None if figures.client_cpu_us is None else round(figures.client_cpu_us),
    }


def _ratios(outcomes: Outcomes, comparisons: Sequence[Comparison]) -> Iterator[dict[str, Any]]:
    for one in comparisons:
        found = ratio(outcomes[one.ours], outcomes[one.theirs], one.measure)
        yield {
            "measure": one.measure,
            "of": str(one.ours),
            "against": str(one.theirs),
            **_told(found),
            "aim": str(one.aim) if one.aim else None,
            "met": one.aim.is_met_by(found.median) if one.aim and found else None,
        }


def _told(found: Ratio | None) -> dict[str, Any]:
    if found is None:
        return {"ratio": None, "lowest": None, "highest": None}
    return {"ratio": _short(found.median), "lowest": _short(found.lowest), "highest": _short(found.highest)}


def _short(value: float) -> float:
    return round(value, 2 if value >= SMALL else 3)
