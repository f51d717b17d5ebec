"""What is measured, what is compared with what, and what a good ratio is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from worker.bench.figures import Measure

PGBENCH_CLIENTS: Final = 32
"""Clients of pgbench: where rows without balances go in fastest on a small machine."""

MANY_CALLERS: Final = 128
"""From so many callers on, batches are full enough for the aims against pgbench with the product's rows."""


class Variant(StrEnum):
    """Who posts."""

    PRODUCT = "product"
    SPREAD = "product, spread accounts"
    BARE = "bare coalescing poster"
    PGLEDGER = "pgledger"
    ONE_STATEMENT = "bare single statement"
    PGBENCH_SAME = "pgbench, the product's rows without balances"
    PGBENCH_NARROW = "pgbench, narrow rows without balances"
    EMPTY = "product, empty books"
    AGED = "product, aged books"


class Reading(StrEnum):
    """What is read of aged books."""

    BALANCE = "balance of an account"
    AT_VERSION = "balance of a hot account as of a lock version"
    AT_DAY = "balance of a hot account at the end of a day of the past year"
    AT_MOMENT = "balance of a hot account at a moment of the past year"
    CATEGORY = "balance of a category of all accounts"


READING_AIMS_MS: Final = {
    Reading.BALANCE: 0.1,
    Reading.AT_VERSION: 0.2,
    Reading.AT_DAY: 0.5,
    Reading.AT_MOMENT: 0.5,
    Reading.CATEGORY: 0.2,
}
"""Milliseconds in the database that each may take, whatever the number of entries."""


@dataclass(frozen=True, slots=True)
class Case:
    """A variant under so many callers."""

    variant: Variant
    callers: int

    def __str__(self) -> str:
        return f"{self.variant}, {self.callers} caller{'' if self.callers == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Aim:
    """What a ratio should be: at least or at most this."""

    at_least: float | None = None
    at_most: float | Fraction | None = None

    def is_met_by(self, value: float) -> bool:
        """Whether the ratio is good enough."""
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    def __str__(self) -> str:
        return f"≥ {self.at_least}" if self.at_least is not None else f"≤ {self.at_most}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One case divided by another, in one measure."""

    measure: Measure
    ours: Case
    theirs: Case
    aim: Aim | None = None


PGLEDGER_AIMS: Final = {
    (8, Measure.THROUGHPUT): Aim(at_least=5.0),
    (32, Measure.THROUGHPUT): Aim(at_least=12.0),
    (128, Measure.THROUGHPUT): Aim(at_least=15.0),
    (8, Measure.P99): Aim(at_most=Fraction(1, 12)),
    (32, Measure.P99): Aim(at_most=Fraction(1, 20)),
    (128, Measure.P99): Aim(at_most=Fraction(1, 8)),
}
"""Against pgledger, which locks the accounts for each call; for these numbers of callers and no others."""


def cases_of(callers: Sequence[int], *, with_pgledger: bool) -> list[Case]:
    """What one repetition measures on common tables, in its order: what is compared stands close together."""
    rivals = (Variant.BARE, Variant.PGLEDGER) if with_pgledger else (Variant.BARE,)
    found = [Case(Variant.PRODUCT, 1), Case(Variant.ONE_STATEMENT, 1)]
    for count in callers:
        found += [Case(variant, count) for variant in (*rivals, Variant.PRODUCT, Variant.SPREAD)]
    found += [Case(variant, PGBENCH_CLIENTS) for variant in (Variant.PGBENCH_SAME, Variant.PGBENCH_NARROW)]
    return list(dict.fromkeys(found))


def filling(cases: Sequence[Case]) -> list[Case]:
    """One case of each variant, to fill its tables with: that with the most callers, in the order of the cases."""
    most: dict[Variant, Case] = {}
    for case in cases:
        most[case.variant] = max(most.get(case.variant, case), case, key=lambda one: one.callers)
    return list(most.values())


def growth_cases_of(callers: Sequence[int]) -> list[Case]:
    """What one repetition measures to see what a history costs."""
    return [Case(Variant.EMPTY, max(callers)), Case(Variant.AGED, max(callers))]


def growth_comparisons_of(callers: Sequence[int]) -> Iterator[Comparison]:
    """The ratios that are told of a history."""
    empty, aged = growth_cases_of(callers)
    yield Comparison(Measure.SERVER_CPU, aged, empty, Aim(at_most=1.25))
    yield Comparison(Measure.THROUGHPUT, aged, empty)


def comparisons_of(callers: Sequence[int], *, with_pgledger: bool) -> Iterator[Comparison]:
    """The ratios that are told of the cases on common tables."""
    same, narrow = Case(Variant.PGBENCH_SAME, PGBENCH_CLIENTS), Case(Variant.PGBENCH_NARROW, PGBENCH_CLIENTS)
    for count in callers:
        product, bare = Case(Variant.PRODUCT, count), Case(Variant.BARE, count)
        many = count >= MANY_CALLERS
        yield Comparison(Measure.THROUGHPUT, product, same, Aim(at_least=0.8) if many else None)
        yield Comparison(Measure.SERVER_CPU, product, same, Aim(at_most=1.0) if many else None)
        yield Comparison(Measure.ALL_CPU, product, same)
        for measure in (Measure.THROUGHPUT, Measure.SERVER_CPU, Measure.ALL_CPU):
            yield Comparison(measure, product, narrow)
        yield Comparison(Measure.THROUGHPUT, product, Case(Variant.SPREAD, count), Aim(at_least=1.0))
        for measure in (Measure.THROUGHPUT, Measure.P99, Measure.SERVER_CPU, Measure.ALL_CPU):
            yield Comparison(measure, product, bare)
        if with_pgledger:
            for measure in (Measure.THROUGHPUT, Measure.P99, Measure.SERVER_CPU, Measure.ALL_CPU):
                yield Comparison(measure, product, Case(Variant.PGLEDGER, count), PGLEDGER_AIMS.get((count, measure)))
    yield Comparison(Measure.THROUGHPUT, Case(Variant.PRODUCT, 1), Case(Variant.ONE_STATEMENT, 1))
