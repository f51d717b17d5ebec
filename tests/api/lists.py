"""Filters drawn at random, each with what it means: the parameters of a list, and which objects of the model pass."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from hypothesis import strategies as st

from tests.api.shown import Document, moment
from tests.ledger.drawn import MOMENTS, NAMES, NOBODY
from tests.ledger.model import Model
from tests.ledger.model_state import BEGINNING_OF_TIME, END_OF_TIME, Line, Transaction, balance_of
from worker.ledger.balance import Sums
from worker.ledger.transaction import BalanceKind, Direction, Status

T = TypeVar("T")

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
}
STEP = timedelta(microseconds=1)

Parameters = list[tuple[str, str]]


class Filter(NamedTuple, Generic[T]):
    """What a list is asked for, and what then may be in it."""

    parameters: Parameters
    passes: Callable[[T], bool]

    def with_also(self, other: Filter[T]) -> Filter[T]:
        """What passes both."""
        return Filter(
            [*self.parameters, *other.parameters], lambda candidate: self.passes(candidate) and other.passes(candidate)
        )


class Written(NamedTuple):
    """An entry of the model with its transaction."""

    transaction: Transaction
    line: Line

    @property
    def id(self) -> UUID:
        return UUID(int=self.transaction.id.int + self.line.n)

    @property
    def status(self) -> Status:
        return self.transaction.now.status if self.line.discarded_at is None else Status.PENDING

    @property
    def first_version(self) -> int:
        """The version of its account that wrote it, which later writes of the line no longer tell."""
        states = (line for state in self.transaction.states for line in state.lines if line.n == self.line.n)
        return next(states).version

    @property
    def last_version(self) -> float:
        """The version of its account from which on it counts no more."""
        if self.line.discarded_at is None and self.transaction.live:
            return float("inf")
        return self.line.version


@dataclass(frozen=True)
class Sources:
    """What filters are drawn from: the model, what its accounts and categories are called, and what is in these."""

    model: Model
    ids: Mapping[str, str]
    contents: Mapping[str, set[str]]

    @property
    def written(self) -> list[Written]:
        """Every entry there ever was."""
        return [Written(known, line) for known in self.model.transactions for line in (*known.gone, *known.now.lines)]


def ranges(name: str, values: Sequence[Any], of: Callable[[T], Any]) -> st.SearchStrategy[Filter[T]]:
    """A range of something that lies near some values; what has no value is in none."""

    def asked(bounds: Mapping[str, Any]) -> Filter[T]:
        def passes(candidate: T) -> bool:
            value = of(candidate)
            return value is not None and all(COMPARISONS[word](value, bound) for word, bound in bounds.items())

        return Filter([(f"{name}[{word}]", spelt(bound)) for word, bound in bounds.items()], passes)

    drawn = st.dictionaries(st.sampled_from(sorted(COMPARISONS)), st.sampled_from(values), min_size=1, max_size=2)
    return drawn.map(asked)


def spelt(bound: object) -> str:
    return moment(bound) or "" if isinstance(bound, datetime) else str(bound)


def days(name: str, of: Callable[[T], datetime]) -> st.SearchStrategy[Filter[T]]:
    """A range of business days."""
    return ranges(name, [value.date() for value in MOMENTS], lambda candidate: of(candidate).astimezone(UTC).date())


def one(name: str, values: Iterable[Any], of: Callable[[T], Any]) -> st.SearchStrategy[Filter[T]]:
    """Exactly one value."""
    drawn = st.sampled_from(sorted(values, key=str))
    return drawn.map(lambda value: Filter([(name, str(value))], lambda candidate: of(candidate) == value))


def some(name: str, values: Iterable[Any], of: Callable[[T], Any]) -> st.SearchStrategy[Filter[T]]:
    """Any of some values."""
    drawn = st.lists(st.sampled_from(sorted(values, key=str)), min_size=1, max_size=3, unique=True)
    return drawn.map(
        lambda chosen: Filter(
            [(f"{name}[]", str(value)) for value in chosen], lambda candidate: of(candidate) in chosen
        )
    )


def status(of: Callable[[T], Status]) -> st.SearchStrategy[Filter[T]]:
    """One status, or any of some."""
    return one("status", Status, of) | some("status", Status, of)


def metadata(of: Callable[[T], Mapping[str, str]]) -> st.SearchStrategy[Filter[T]]:
    """Some pairs of metadata."""
    drawn = st.dictionaries(st.sampled_from(("k", "l")), st.sampled_from(("v", "w")), min_size=1, max_size=2)
    return drawn.map(
        lambda wanted: Filter(
            [(f"metadata[{key}]", value) for key, value in wanted.items()],
            lambda candidate: wanted.items() <= of(candidate).items(),
        )
    )


def named(name: str, choices: Mapping[str, str], passes: Callable[[T, str], bool]) -> st.SearchStrategy[Filter[T]]:
    """One account or category, by what it is called here; the list is told its id."""
    drawn = st.sampled_from(sorted(choices))
    return drawn.map(lambda chosen: Filter([(name, choices[chosen])], lambda candidate: passes(candidate, chosen)))


@st.composite
def some_filters(draw: st.DrawFn, *possible: st.SearchStrategy[Filter[T]]) -> Filter[T]:
    """At most two of several filters."""
    places = draw(st.lists(st.integers(0, len(possible) - 1), max_size=2, unique=True))
    chosen = [draw(possible[place]) for place in places]
    return Filter(
        [parameter for each in chosen for parameter in each.parameters],
        lambda candidate: all(each.passes(candidate) for each in chosen),
    )


def touches(known: Transaction, accounts: set[str]) -> bool:
    """Whether a transaction has a live entry on any of the accounts."""
    return any(line.account in accounts for line in known.now.lines)


def of_accounts(sources: Sources) -> dict[str, str]:
    return {name: sources.ids[name] for name in sources.model.accounts}


def of_categories(sources: Sources) -> dict[str, str]:
    return {name: sources.ids[name] for name in sources.contents}


def transaction_filters(sources: Sources) -> st.SearchStrategy[Filter[Transaction]]:
    """Of transactions."""
    known = sources.model.transactions
    ids = [NOBODY, *(transaction.id for transaction in known)]
    written = [transaction.now.written_at for transaction in known] or [*MOMENTS]

    def touches_category(transaction: Transaction, category: str) -> bool:
        return touches(transaction, sources.contents[category])

    def amounts_between(bounds: dict[str, int]) -> Filter[Transaction]:
        return Filter(
            [(f"amount[{word}]", str(bound)) for word, bound in bounds.items()],
            lambda t: any(all(COMPARISONS[w](x.amount, b) for w, b in bounds.items()) for x in t.now.lines),
        )

    possible: list[st.SearchStrategy[Filter[Transaction]]] = [
        some("id", ids, lambda t: t.id),
        named("ledger_account_id", of_accounts(sources), lambda t, name: touches(t, {name})),
        ranges("effective_at", MOMENTS, lambda t: t.now.moment),
        days("effective_date", lambda t: t.now.moment),
        ranges("posted_at", written, lambda t: t.now.posted_at),
        ranges("updated_at", written, lambda t: t.now.written_at),
        st.dictionaries(st.sampled_from(sorted(COMPARISONS)), st.integers(0, 4), min_size=1).map(amounts_between),
        status(lambda t: t.now.status),
        one("external_id", NAMES, lambda t: t.now.name),
        one("reverses_ledger_transaction_id", ids, lambda t: t.reverses and t.reverses.id),
        one("partially_posts_ledger_transaction_id", ids, lambda t: t.part_of and t.part_of.id),
        one("ledgerable_type", ("return", "payment_order"), lambda t: t.now.ledgerable and t.now.ledgerable.type),
        one("ledgerable_id", (UUID(int=1), UUID(int=2)), lambda t: t.now.ledgerable and t.now.ledgerable.id),
        metadata(lambda t: t.now.metadata),
    ]
    if sources.contents:
        possible.append(named("ledger_account_category_id", of_categories(sources), touches_category))
    return some_filters(*possible)


def entry_filters(sources: Sources) -> st.SearchStrategy[Filter[Written]]:
    """Of entries, of which a list shows the live ones unless it is asked for more."""
    written = sources.written
    updated = [entry.line.updated_at for entry in written] or [*MOMENTS]
    return some_filters(
        some("id", [NOBODY, *(entry.id for entry in written)], lambda e: e.id),
        one("ledger_transaction_id", [NOBODY, *(e.transaction.id for e in written)], lambda e: e.transaction.id),
        ranges("effective_at", MOMENTS, lambda e: e.line.moment),
        days("effective_date", lambda e: e.line.moment),
        ranges("updated_at", updated, lambda e: e.line.updated_at),
        ranges("ledger_account_lock_version", range(1, 6), lambda e: e.line.version),
        ranges("amount", range(5), lambda e: e.line.amount),
        one("direction", Direction, lambda e: e.line.direction),
        status(lambda e: e.status),
        metadata(lambda e: e.line.metadata),
    )


@st.composite
def entry_views(draw: st.DrawFn, sources: Sources) -> Filter[Written]:
    """Of an account's or a category's entries: the live ones, all there ever were, or those of a version."""
    account: str = draw(st.sampled_from(sorted(sources.model.accounts)))
    parameters, within = [("ledger_account_id", sources.ids[account])], {account}
    version = draw(st.none() | st.integers(0, sources.model.version(account)))
    if version is not None:
        parameters.append(("as_of_lock_version", str(version)))
        return Filter(
            parameters,
            lambda e: e.line.account == account and e.first_version <= version < e.last_version,
        )
    if draw(st.booleans()) and sources.contents:
        category: str = draw(st.sampled_from(sorted(sources.contents)))
        parameters, within = [("ledger_account_category_id", sources.ids[category])], sources.contents[category]
    if draw(st.booleans()):
        parameters.append(("show_deleted", "true"))
        return Filter(parameters, lambda e: e.line.account in within)
    return Filter(parameters, lambda e: e.line.account in within and e.line.discarded_at is None)


class Span(NamedTuple):
    """Which entries make up a balance."""

    parameters: Parameters
    since: datetime
    before: datetime
    shown: dict[str, object]
    """The bounds as an account shows them."""


@st.composite
def windows(draw: st.DrawFn) -> Span:
    """Bounds of balances, in every way they are spelt."""
    lower, upper = draw(st.none() | st.sampled_from(MOMENTS)), draw(st.none() | st.sampled_from(MOMENTS))
    parameters = [] if lower is None else [("balances[effective_at_lower_bound]", spelt(lower))]
    since = lower or BEGINNING_OF_TIME
    shown: dict[str, object] = {"effective_at_lower_bound": moment(lower), "effective_at_upper_bound": None}
    if upper is None:
        return Span(parameters, since, END_OF_TIME, shown)
    midnight = upper.replace(hour=0, minute=0, second=0, microsecond=0)
    word, before = draw(
        st.sampled_from(
            (
                ("effective_at_upper_bound", upper),
                ("effective_at", upper + STEP),
                ("as_of_date", midnight + timedelta(days=1)),
            )
        )
    )
    said = upper.date().isoformat() if word == "as_of_date" else spelt(upper)
    shown["effective_at_upper_bound"] = moment(before)
    return Span([*parameters, (f"balances[{word}]", said)], since, before, shown)


def balance_filters(sources: Sources, span: Span) -> st.SearchStrategy[Filter[str]]:
    """Of accounts, by their balances over a window."""

    def balance(kind: BalanceKind) -> Callable[[str], int]:
        return lambda name: balance_of(sums_within(sources.model, name, span), kind, side(name))

    def side(name: str) -> Direction:
        return sources.model.accounts[name].normal_balance

    def unequal(kind: BalanceKind) -> st.SearchStrategy[Filter[str]]:
        word = f"{kind}_balance_amount[not_eq]"
        return st.integers(-2, 3).map(
            lambda value: Filter([(word, str(value))], lambda name: balance(kind)(name) != value)
        )

    return some_filters(
        *(ranges(f"{kind}_balance_amount", range(-3, 4), balance(kind)) for kind in BalanceKind),
        *(unequal(kind) for kind in BalanceKind),
    )


def sums_within(model: Model, account: str, span: Span) -> Sums:
    """An account's sums over a window; one that ends before it begins is empty."""
    return model.sums(account, max(span.before, BEGINNING_OF_TIME), span.since)


def list_filters(
    ids: Mapping[str, str], about: Mapping[str, Document], names: Sequence[str], contents: Mapping[str, set[str]]
) -> st.SearchStrategy[Filter[str]]:
    """Of accounts or categories, by what they are."""
    possible: list[st.SearchStrategy[Filter[str]]] = [
        some("id", [str(NOBODY), *(ids[name] for name in names)], lambda name: ids[name]),
        st.sampled_from(("Account", "gory 1", "3", "nothing")).map(
            lambda part: Filter([("name[]", part)], lambda name: part.lower() in name)
        ),
        one("external_id", NAMES, lambda name: about[name]["external_id"]),
        one("currency", ("GBP", "POINTS"), lambda name: account_currency(about[name])),
        metadata(lambda name: dict(about[name]["metadata"])),
    ]
    if contents:
        by_category = {name: ids[name] for name in contents}
        passes = "ledger_account_category_id", by_category, lambda name, category: name in contents[category]
        possible.append(named(*passes))
        possible.append(one("normal_balance", Direction, lambda name: about[name]["normal_balance"]))
    return some_filters(*possible)


def account_currency(shown: Document) -> object:
    """What an account or a category counts in."""
    return shown["balances"]["posted_balance"]["currency"]
