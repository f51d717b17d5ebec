"""Operations drawn at random, with an eye on what is there: most can succeed, and each way to fail comes up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import strategies as st

from tests.ledger.model import Model
from tests.ledger.model_state import Line, Transaction, balance_of
from worker.ledger.balance import NOTHING, Sums
from worker.ledger.transaction import (
    MAX_AMOUNT,
    UNSET,
    Archive,
    BalanceCondition,
    BalanceKind,
    CategoryLock,
    Comparison,
    Create,
    Direction,
    Ledgerable,
    NewEntry,
    NewTransaction,
    Operation,
    PartialPost,
    Post,
    Reverse,
    Status,
    Update,
)

NAMES = ("a", "b", "c", "d")
NOBODY = UUID(int=7)
MOMENTS = (
    datetime(2020, 1, 1, tzinfo=UTC),
    datetime(2024, 3, 1, tzinfo=UTC),
    datetime(2024, 3, 1, 15, 30, 0, 1, tzinfo=UTC),
    datetime(2199, 1, 1, 23, 59, 59, 999999, tzinfo=UTC),
)

names = st.sampled_from(NAMES)
some_names = names | st.none()
moments = st.sampled_from(MOMENTS)
statuses = st.sampled_from((Status.POSTED, Status.PENDING, Status.PENDING, Status.ARCHIVED))
metadata = st.dictionaries(st.sampled_from(("k", "l")), st.sampled_from(("v", "w")), max_size=2)
metadata_changes = st.dictionaries(st.sampled_from(("k", "l")), st.sampled_from(("v", "", None)), max_size=2)
descriptions = st.sampled_from((None, "x", "y"))
ledgerables = st.none() | st.just(Ledgerable("payment_order", UUID(int=1))) | st.just(Ledgerable("return", UUID(int=2)))
amounts = st.integers(0, 3) | st.integers(0, 3) | st.just(MAX_AMOUNT)
wrong_amounts = st.sampled_from((-1, MAX_AMOUNT + 1))
unset = st.just(UNSET)


def accounts_by_unit(model: Model) -> list[list[str]]:
    """The names of the ledger's own accounts, those of one currency together."""
    units: dict[tuple[str, int], list[str]] = {}
    for name, account in model.accounts.items():
        if not account.foreign:
            units.setdefault((account.currency, account.exponent), []).append(name)
    return list(units.values())


@st.composite
def shapes(draw: st.DrawFn, model: Model) -> list[NewEntry]:
    """Sides and amounts: mostly balanced, in one currency or two."""
    unit = draw(st.sampled_from(accounts_by_unit(model)))
    one, two, three = (draw(st.sampled_from(unit)) for _ in range(3))
    amount = draw(amounts)
    pair = [NewEntry(one, Direction.DEBIT, amount), NewEntry(two, Direction.CREDIT, amount)]
    match draw(st.integers(0, 11)):
        case 6:
            few = min(amount, 3)
            return [
                NewEntry(one, Direction.CREDIT, 2 * few),
                *(NewEntry(x, Direction.DEBIT, few) for x in (two, three)),
            ]
        case 7:
            other = draw(st.sampled_from(accounts_by_unit(model)))
            sides = (Direction.CREDIT, Direction.DEBIT)
            return pair + [NewEntry(draw(st.sampled_from(other)), side, 2) for side in sides]
        case 8:
            return [pair[0], replace(pair[1], amount=draw(amounts))]
        case 9:
            return [replace(entry, amount=draw(wrong_amounts)) for entry in pair[: draw(st.integers(0, 2))]]
        case 10:
            return [pair[0], NewEntry(draw(st.sampled_from(("nobody", *model.accounts))), Direction.CREDIT, amount)]
        case 11:
            return pair[::-1]
        case _:
            return pair


@st.composite
def entries(draw: st.DrawFn, model: Model, shape: Sequence[NewEntry] | None = None) -> tuple[NewEntry, ...]:
    """Entries, some of which expect something of their account or have a moment and metadata of their own."""
    return tuple(
        replace(
            entry,
            lock_version=draw(st.none() | st.none() | expected_versions(model, str(entry.account))),
            conditions=tuple(draw(st.lists(conditions(model, entry), max_size=1))),
            effective_at=draw(st.none() | st.none() | moments),
            metadata=draw(st.just({}) | metadata),
        )
        if draw(st.booleans())
        else entry
        for entry in (draw(shapes(model)) if shape is None else shape)
    )


def expected_versions(model: Model, account: str) -> st.SearchStrategy[int]:
    """The right version twice as often as the next one."""
    version = model.version(account) if account in model.writes else 0
    return st.sampled_from((version, version, version + 1))


@st.composite
def conditions(draw: st.DrawFn, model: Model, entry: NewEntry) -> BalanceCondition:
    """A condition right at the account's balance, be it with the entry, or next to it: where comparisons differ."""
    account = str(entry.account)
    known = model.accounts.get(account)
    return draw(conditions_near(model.sums(account), known.normal_balance if known else Direction.DEBIT, entry.amount))


@st.composite
def conditions_near(draw: st.DrawFn, sums: Sums, side: Direction, amount: int) -> BalanceCondition:
    """A condition right at a balance of these sums, be it with or without an amount, or next to it."""
    kind, change = draw(st.sampled_from(BalanceKind)), draw(st.sampled_from((0, amount, -amount)))
    right_at = balance_of(sums, kind, side) + change
    return BalanceCondition(kind, draw(st.sampled_from(Comparison)), right_at + draw(nearby))


nearby = st.sampled_from((0, 0, 0, -1, 1))


@st.composite
def category_locks(draw: st.DrawFn, model: Model, said: Iterable[NewEntry | Line]) -> tuple[CategoryLock, ...]:
    """Now and then conditions on the categories of these entries, or on any; one may not exist."""
    amounts_said = {str(entry.account): entry.amount for entry in said}
    categories, locks = model.categories, []
    fitting = [known for known, name in categories.names.items() if categories.contents(name) & amounts_said.keys()]
    for _ in range(draw(st.sampled_from((0, 1, 1, 2) if fitting else (0, 0, 0, 0, 1)))):
        is_likely = draw(st.integers(0, 9)) > 0
        known = draw(st.sampled_from(fitting if fitting and is_likely else [*categories.names, NOBODY]))
        name = categories.names.get(known)
        amount = draw(st.sampled_from((0, *amounts_said.values())))
        if name in categories.units:
            near = conditions_near(model.sums_of_category(name), categories.units[name].normal_balance, amount)
        else:
            near = conditions_near(NOTHING, Direction.DEBIT, amount)
        said_of_it = draw(st.lists(near, max_size=2, unique_by=lambda one: (one.balance, one.comparison)))
        locks.append(CategoryLock(known, tuple(said_of_it)))
    return tuple(locks)


def keys(model: Model) -> st.SearchStrategy[str | UUID]:
    """What transactions are called: by name, by id, or nobody's id."""
    ids = [transaction.id for transaction in model.transactions]
    return names | st.sampled_from((*ids, NOBODY))


@st.composite
def likely_keys(draw: st.DrawFn, model: Model, status: Status) -> str | UUID:
    """What a transaction of this status is called, if there is one; now and then any other."""
    fitting = [transaction for transaction in model.transactions if transaction.now.status is status]
    if not fitting or draw(st.integers(0, 5)) == 5:
        return draw(keys(model))
    return draw(key_of(draw(st.sampled_from(fitting))))


def key_of(transaction: Transaction) -> st.SearchStrategy[str | UUID]:
    """Either way to call a transaction."""
    name = transaction.now.name
    return st.just(transaction.id) if name is None or not transaction.live else st.sampled_from((transaction.id, name))


@st.composite
def creations(draw: st.DrawFn, model: Model) -> Create:
    """A new transaction."""
    new = NewTransaction(
        *(draw(some_names), draw(statuses), draw(moments | st.none()), draw(descriptions), draw(metadata)),
        *(draw(entries(model)), draw(ledgerables)),
    )
    return Create(new, draw(st.booleans()), draw(category_locks(model, new.entries)))


@st.composite
def updates(draw: st.DrawFn, model: Model) -> Update:
    """A change of anything."""
    key = draw(likely_keys(model, Status.PENDING))
    known, replacing = model.find(key), draw(unset | entries(model))
    said: list[NewEntry | Line] = [*(known.now.lines if known else ()), *(() if replacing is UNSET else replacing)]
    return Update(
        key,
        status=draw(unset | unset | statuses),
        description=draw(unset | descriptions),
        metadata=draw(unset | metadata_changes),
        effective_at=draw(unset | moments),
        external_id=draw(unset | unset | some_names),
        ledgerable=draw(unset | ledgerables),
        entries=replacing,
        category_locks=draw(category_locks(model, said)),
    )


@st.composite
def parts(draw: st.DrawFn, model: Model) -> PartialPost:
    """A part of a pending transaction if there is one, of anything otherwise."""
    pending = [t for t in model.transactions if t.now.status is Status.PENDING]
    if not pending:
        return PartialPost(draw(keys(model)), draw(entries(model)))
    whole = draw(st.sampled_from(pending))
    shape = [
        NewEntry(line.account, line.direction, max(line.amount - 1, 0))
        for line in draw(st.permutations(whole.now.lines))
    ]
    if draw(st.integers(0, 5)) == 5:
        shape = draw(shapes(model))
    said = draw(entries(model, shape))
    return PartialPost(draw(key_of(whole)), said, draw(descriptions), draw(moments | st.none()), draw(metadata))


@st.composite
def reversals(draw: st.DrawFn, model: Model) -> Reverse:
    """A reversal of a posted transaction if there is one, of anything otherwise."""
    return Reverse(
        *(
            draw(likely_keys(model, Status.POSTED)),
            draw(some_names),
            draw(moments | st.none()),
            draw(statuses),
            draw(descriptions),
            draw(metadata),
        ),
        *(draw(ledgerables),),
    )


def moves(model: Model) -> st.SearchStrategy[Operation]:
    """The end of a pending transaction."""
    pending = likely_keys(model, Status.PENDING)
    return st.builds(Post, pending, st.none() | moments) | st.builds(Archive, pending, st.just("returned"))


def operations(model: Model) -> st.SearchStrategy[Operation]:
    """Anything the ledger can be told."""
    return st.one_of(
        creations(model),
        creations(model),
        updates(model),
        updates(model),
        parts(model),
        reversals(model),
        moves(model),
    )
