"""Any sequence of operations, however batched, keeps every audit at zero and equals a simple model in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ledger.books import CASH, LOAN, OVERDRAWN_NEVER, REVENUE, Ledger, create, credit, debit, reverse
from worker.database import Database
from worker.ledger import store
from worker.ledger.book import midnight
from worker.ledger.transaction import (
    Archive,
    Create,
    Direction,
    NewEntry,
    Operation,
    Post,
    Posted,
    Refused,
    Replayed,
    Result,
    Reverse,
    Status,
)

NAMES = ("a", "b", "c", "d")
DAYS = (date(2020, 1, 1), date(2024, 3, 1), date(2199, 1, 1))
LEDGER_NUMBERS = count(1)


@dataclass
class Written:
    """A transaction of the model; ``made_by`` is what a replay is compared with."""

    status: Status
    day: datetime
    entries: tuple[NewEntry, ...]
    made_by: object
    reversed: bool = False


@dataclass
class Model:
    """The ledger as a list of transactions; balances are added up anew each time they are asked for."""

    written: list[Written] = field(default_factory=list)
    names: dict[str, Written] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)

    def sums(self, account: str, last_day: date = date(9000, 1, 1)) -> tuple[int, int, int, int]:
        def total(direction: Direction, *statuses: Status) -> int:
            return sum(
                entry.amount
                for transaction in self.written
                if transaction.status in statuses and transaction.day < midnight(last_day) + timedelta(days=1)
                for entry in transaction.entries
                if (entry.account, entry.direction) == (account, direction)
            )

        held = (Status.POSTED, Status.PENDING)
        return (
            total(Direction.DEBIT, Status.POSTED),
            total(Direction.CREDIT, Status.POSTED),
            total(Direction.DEBIT, *held),
            total(Direction.CREDIT, *held),
        )

    def apply(self, operation: Operation) -> str:
        """What the ledger should answer, in one word."""
        match operation:
            case Create(new):
                made_by = (new.status, new.effective_at, [(e.account, e.direction, e.amount) for e in new.entries])
                return self.add(new.external_id, Written(new.status, new.effective_at, new.entries, made_by))
            case Reverse():
                return self.reverse(operation)
            case Post(name, day):
                return self.post(name, day)
            case Archive(name):
                return self.archive(name)

    def add(self, name: str, new: Written) -> str:
        if name in self.names:
            return "replayed" if self.names[name].made_by == new.made_by else "refused"
        signed = sum(e.amount if e.direction is Direction.DEBIT else -e.amount for e in new.entries)
        self.written.append(new)
        debits, _, _, pending_credits = self.sums(CASH)
        guarded = any(entry.conditions for entry in new.entries)
        if signed or (guarded and debits < pending_credits):
            self.written.pop()
            return "refused"
        self.names[name] = new
        return "written"

    def post(self, name: str, day: datetime | None) -> str:
        known = self.names.get(name)
        if known is None:
            return "refused"
        if known.status is Status.POSTED:
            return "replayed" if day in (None, known.day) else "refused"
        known.status, known.day = Status.POSTED, day or known.day
        return "written"

    def archive(self, name: str) -> str:
        known = self.names.get(name)
        if known is None:
            return "replayed" if name in self.archived else "refused"
        if known.status is Status.POSTED:
            return "refused"
        known.status = Status.ARCHIVED
        self.archived.add(name)
        del self.names[name]
        return "written"

    def reverse(self, reversal: Reverse) -> str:
        made_by = (reversal.original, reversal.effective_at)
        if reversal.external_id in self.names:
            return "replayed" if self.names[reversal.external_id].made_by == made_by else "refused"
        original = self.names.get(reversal.original)
        if original is None or original.status is not Status.POSTED or original.reversed:
            return "refused"
        original.reversed = True
        entries = tuple(NewEntry(e.account, e.direction.opposite, e.amount) for e in original.entries)
        return self.add(reversal.external_id, Written(Status.POSTED, reversal.effective_at, entries, made_by))


def word(result: Result) -> str:
    match result:
        case Posted():
            return "written"
        case Replayed():
            return "replayed"
        case Refused():
            return "refused"


@st.composite
def creations(draw: st.DrawFn) -> Create:
    amount = draw(st.integers(0, 3) | st.just(10**35))
    entries = draw(
        st.sampled_from(
            (
                (debit(CASH, amount), credit(REVENUE, amount)),
                (debit(LOAN, amount), credit(CASH, amount, *OVERDRAWN_NEVER)),
                (debit(CASH, 2 * amount), credit(LOAN, amount), credit(REVENUE, amount)),
                (debit(CASH, 1), credit(CASH, 1)),
                (debit(CASH, amount), credit(REVENUE, amount + 1)),
            )
        )
    )
    status = draw(st.sampled_from((Status.POSTED, Status.PENDING)))
    return create(draw(st.sampled_from(NAMES)), *entries, status=status, day=draw(st.sampled_from(DAYS)))


OPERATIONS = st.one_of(
    creations(),
    creations(),
    st.builds(Post, st.sampled_from(NAMES), st.none() | st.sampled_from(DAYS).map(midnight)),
    st.builds(Archive, st.sampled_from(NAMES), st.just("returned")),
    st.builds(reverse, st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(DAYS)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(OPERATIONS, min_size=1, max_size=8), min_size=1, max_size=5))
async def test_any_sequence_keeps_the_books_and_equals_the_model(
    database: Database, batches: list[list[Operation]]
) -> None:
    ledger = await Ledger.open(database, f"ledger {next(LEDGER_NUMBERS)}")
    model = Model()
    for batch in batches:
        assert [word(result) for result in await ledger.post(*batch)] == [model.apply(operation) for operation in batch]
    assert await ledger.findings() == []
    for account in (CASH, LOAN, REVENUE):
        assert (await ledger.balance(account)).sums == model.sums(account)
        for day in DAYS:
            assert (await ledger.balance(account, day)).sums == model.sums(account, day)
    async with database.connection() as connection:
        shown = await store.transactions_of(connection, ledger.id, {"loanID": "1"})
    assert sorted(str(t.status) for t in shown) == sorted(str(t.status) for t in model.written)
