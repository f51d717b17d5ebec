"""The ledger as a list of transactions in memory, added up anew each time: what the real one must equal.

It knows nothing of tables, locks or batches. Only what an account's versions were is written down as it happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tests.ledger.model_categories import Categories
from tests.ledger.model_state import (
    BEGINNING_OF_TIME,
    COMPARISONS,
    END_OF_TIME,
    Account,
    Line,
    State,
    Transaction,
    added_up,
    balance_of,
    changed,
    lines_of,
    merged,
    total,
)
from worker.ledger.balance import NOTHING, Sums
from worker.ledger.transaction import (
    BALANCE_LOCK_FAILURE,
    MAX_AMOUNT,
    MAX_ENTRIES,
    UNSET,
    Archive,
    CategoryLock,
    Create,
    Direction,
    NewEntry,
    Operation,
    PartialPost,
    Post,
    RefusalCode,
    Reverse,
    Status,
    Update,
)

WRITTEN, REPLAYED, REFUSED = "written", "replayed", "refused"


class Answer(NamedTuple):
    """What the ledger should answer: a word, any of some codes if it refuses, and the transaction it then shows."""

    word: str
    codes: frozenset[RefusalCode] = frozenset()
    transaction: Transaction | None = None


def refused(*codes: RefusalCode) -> Answer:
    return Answer(REFUSED, frozenset(codes))


class Model:
    """What the ledger should hold, and what it should answer."""

    def __init__(self, accounts: Mapping[str, Account]) -> None:
        self.accounts = dict(accounts)
        self.transactions: list[Transaction] = []
        self.writes: dict[str, list[Sums]] = {name: [] for name in accounts}
        """The sums that each version of an account led to."""
        self.categories = Categories()
        self.clock = END_OF_TIME

    def open(self, name: str, account: Account) -> None:
        """Have one account more."""
        self.accounts[name] = account
        self.writes[name] = []

    def version(self, account: str) -> int:
        return len(self.writes[account])

    def sums(self, account: str, before: datetime = END_OF_TIME, since: datetime = BEGINNING_OF_TIME) -> Sums:
        lines = [
            (transaction.now.status, line)
            for transaction in self.transactions
            if transaction.live
            for line in transaction.now.lines
            if line.account == account and since <= line.moment < before
        ]
        return added_up(NOTHING, lines)

    def sums_of_category(self, name: str) -> Sums:
        """The sums of all that is in a category."""
        return total(map(self.sums, self.categories.contents(name)))

    def apply(self, operation: Operation, now: datetime) -> Answer:
        """What the ledger should answer at this moment, and what becomes of it."""
        self.clock = now
        match operation:
            case Create():
                return self._create(operation, now)
            case Update():
                return self._update(operation, now)
            case Post(name, moment):
                return self._update(Update(name, Status.POSTED, effective_at=moment or UNSET), now)
            case Archive(name, reason):
                return self._update(Update(name, Status.ARCHIVED, archived_reason=reason), now)
            case PartialPost():
                return self._post_partially(operation, now)
            case Reverse():
                return self._reverse(operation, now)

    def annotate(self, known: Transaction, n: int, changes: Mapping[str, str | None], now: datetime) -> None:
        """Merge metadata into an entry; its versions show it too."""

        def annotated(line: Line) -> Line:
            if line.n != n:
                return line
            return line._replace(metadata=merged(line.metadata, changes), updated_at=max(line.updated_at, now))

        known.gone = [annotated(line) for line in known.gone]
        known.states = [replace(s, lines=tuple(annotated(line) for line in s.lines)) for s in known.states]

    def live(self, name: object) -> Transaction | None:
        alive = (t for t in self.transactions if t.now.name == name and t.live)
        return None if name is None else next(alive, None)

    def find(self, key: str | UUID) -> Transaction | None:
        if isinstance(key, UUID):
            return next((t for t in self.transactions if t.id == key), None)
        return self.live(key) or next((t for t in reversed(self.transactions) if t.now.name == key), None)

    def reversed_by(self, original: Transaction) -> Transaction | None:
        return next((t for t in self.transactions if t.reverses is original and t.live), None)

    def _create(self, create: Create, now: datetime) -> Answer:
        new = create.transaction
        made_by = (
            new.status,
            new.effective_at,
            [(e.account, e.direction, e.amount, e.effective_at) for e in new.entries],
        )
        if known := self.live(new.external_id):
            return Answer(REPLAYED) if known.made_by == made_by else refused(RefusalCode.EXTERNAL_ID_TAKEN)
        if wrong := self.wrong_entries(new.entries):
            return refused(*wrong)
        moment = new.effective_at or now
        lines = lines_of(new.entries, moment)
        if wrong := self._wrong_categories(create.category_locks, lines):
            return refused(*wrong)
        state = State(
            new.status, new.external_id, moment, now, lines, new.description, dict(new.metadata), new.ledgerable
        )
        added = [(new.status, line) for line in lines]
        failed = self._failed_locks(new.entries, (), added) | self._failed_categories(create.category_locks, added)
        if failed and not create.archive_on_balance_lock_failure:
            return refused(*failed)
        if failed:
            state = replace(state, status=Status.ARCHIVED, reason=BALANCE_LOCK_FAILURE)
        return self._add(state, made_by)

    def _update(self, update: Update, now: datetime) -> Answer:
        known = self.find(update.transaction)
        if known is None:
            return refused(RefusalCode.UNKNOWN_TRANSACTION)
        before, wanted = known.now, changed(known.now, update)
        if before.status is not Status.PENDING:
            return self._annotate(known, wanted, update, now)
        wrong: set[RefusalCode] = set()
        if wanted.name is not None and self.live(wanted.name) not in (None, known):
            wrong.add(RefusalCode.EXTERNAL_ID_TAKEN)
        if known.settles and (update.entries is not UNSET or wanted.moment != before.moment):
            wrong.add(RefusalCode.OF_SETTLEMENT)
        if update.entries is not UNSET:
            wrong |= self.wrong_entries(update.entries)
        if wrong:
            return refused(*wrong)
        lines = wanted.lines
        if update.entries is not UNSET:
            lines = lines_of(update.entries, wanted.moment)
            added = [(wanted.status, line) for line in lines]
            if failed := self._failed_locks(update.entries, before.lines, added):
                return refused(*failed)
        elif wanted == before:
            return Answer(REPLAYED, transaction=known)
        if failed := self._refusing_categories(update.category_locks, before, replace(wanted, lines=lines)):
            return refused(*failed)
        wanted = replace(
            wanted,
            posted_at=now if wanted.status is Status.POSTED else None,
            reason=update.archived_reason if wanted.status is Status.ARCHIVED else None,
        )
        if update.entries is not UNSET or wanted.moment != before.moment:
            known.gone += [x._replace(discarded_at=now) for x in self._give_back(before.lines)]
            lines = self._enter(lines, wanted.status, before.lines[-1].n + 1)
        elif wanted.status is not Status.PENDING:
            lines = self._settle(lines) if wanted.status is Status.POSTED else self._give_back(lines)
        known.states.append(replace(wanted, lines=lines, written_at=now))
        return Answer(WRITTEN, transaction=known)

    def _annotate(self, known: Transaction, wanted: State, update: Update, now: datetime) -> Answer:
        """A final transaction takes metadata only; one that is archived takes nothing by its name."""
        before = known.now
        same = replace(wanted, metadata=before.metadata) == before
        if update.entries is not UNSET:
            said = [(e.account, e.direction, e.amount, e.effective_at or wanted.moment) for e in update.entries]
            same = same and said == [(line.account, line.direction, line.amount, line.moment) for line in before.lines]
        if isinstance(update.transaction, str) and not known.live:
            same = same and wanted == before and update.entries is UNSET
        if not same:
            return refused(RefusalCode.NOT_PENDING)
        if wanted == before:
            return Answer(REPLAYED, transaction=known)
        if failed := self._refusing_categories(update.category_locks, before, wanted):
            return refused(*failed)
        known.states.append(replace(wanted, written_at=now))
        return Answer(WRITTEN, transaction=known)

    def _post_partially(self, part: PartialPost, now: datetime) -> Answer:
        known = self.find(part.transaction)
        if known is None:
            return refused(RefusalCode.UNKNOWN_TRANSACTION)
        whole = known.now
        if whole.status is not Status.PENDING:
            return refused(RefusalCode.NOT_PENDING)
        if known.settles:
            return refused(RefusalCode.OF_SETTLEMENT)
        if wrong := self.wrong_entries(part.entries):
            return refused(*wrong)
        rest = {line.n: line for line in whole.lines}
        left = list(whole.lines)
        for entry in part.entries:
            side = next(
                (line for line in left if (line.account, line.direction) == (entry.account, entry.direction)), None
            )
            if side is None:
                wrong.add(RefusalCode.PARTIAL_ENTRIES)
                continue
            left.remove(side)
            rest[side.n] = side._replace(amount=side.amount - entry.amount)
            if entry.amount >= side.amount and (entry.amount, side.amount) != (0, 0):
                wrong.add(RefusalCode.PARTIAL_AMOUNT)
        if wrong or left:
            return refused(*wrong, *([RefusalCode.PARTIAL_ENTRIES] if left else []))
        moment = part.effective_at or now
        lines = lines_of(part.entries, moment)
        added = [(Status.PENDING, line) for line in rest.values()] + [(Status.POSTED, line) for line in lines]
        if failed := self._failed_locks(part.entries, whole.lines, added):
            return refused(*failed)
        known.gone += [x._replace(discarded_at=now) for x in self._give_back(whole.lines)]
        entered = self._enter(rest.values(), Status.PENDING, whole.lines[-1].n + 1)
        known.states.append(replace(whole, lines=entered, written_at=now))
        state = State(Status.POSTED, None, moment, now, lines, part.description, dict(part.metadata))
        return self._add(state, None, part_of=known)

    def _reverse(self, reversal: Reverse, now: datetime) -> Answer:
        made_by = (str(reversal.original), reversal.effective_at, reversal.status)
        if known := self.live(reversal.external_id):
            return Answer(REPLAYED) if known.made_by == made_by else refused(RefusalCode.EXTERNAL_ID_TAKEN)
        original = self.find(reversal.original)
        if original is None:
            return refused(RefusalCode.UNKNOWN_TRANSACTION)
        if original.now.status is not Status.POSTED:
            return refused(RefusalCode.NOT_POSTED)
        if self.reversed_by(original):
            return refused(RefusalCode.ALREADY_REVERSED)
        moment = reversal.effective_at
        lines = tuple(
            Line(x.account, x.direction.opposite, x.amount, moment or x.moment, {}) for x in original.now.lines
        )
        about = (reversal.description, dict(reversal.metadata), reversal.ledgerable)
        state = State(reversal.status, reversal.external_id, moment or original.now.moment, now, lines, *about)
        return self._add(state, made_by, reverses=original)

    def _add(
        self, state: State, made_by: object, reverses: Transaction | None = None, part_of: Transaction | None = None
    ) -> Answer:
        lines = self._enter(state.lines, state.status, 1)
        posted_at = state.written_at if state.status is Status.POSTED else None
        made = Transaction([replace(state, lines=lines, posted_at=posted_at)], made_by, reverses, part_of)
        self.transactions.append(made)
        return Answer(WRITTEN, transaction=made)

    def _enter(self, lines: Iterable[Line], status: Status, first: int) -> tuple[Line, ...]:
        return tuple(
            self._write(line._replace(n=n, created_at=self.clock), added_up(NOTHING, [(status, line)]))
            for n, line in enumerate(lines, first)
        )

    def _settle(self, lines: Iterable[Line]) -> tuple[Line, ...]:
        return tuple(self._write(line, Sums(*added_up(NOTHING, [(Status.POSTED, line)])[:2], 0, 0)) for line in lines)

    def _give_back(self, lines: Iterable[Line]) -> tuple[Line, ...]:
        taken = (line._replace(amount=-line.amount) for line in lines)
        return tuple(
            self._write(line, added_up(NOTHING, [(Status.PENDING, less)]))
            for line, less in zip(lines, taken, strict=True)
        )

    def _write(self, line: Line, by: Sums) -> Line:
        history = self.writes[line.account]
        before = history[-1] if history else NOTHING
        history.append(Sums(*(one + other for one, other in zip(before, by, strict=True))))
        return line._replace(version=len(history), sums=history[-1], updated_at=self.clock)

    def wrong_entries(self, entries: Sequence[NewEntry]) -> set[RefusalCode]:
        """Everything that is wrong with entries by themselves; the ledger names any of it."""
        wrong: set[RefusalCode] = set()
        if not 2 <= len(entries) <= MAX_ENTRIES:
            wrong.add(RefusalCode.ENTRY_COUNT)
        if len({entry.direction for entry in entries}) < 2:
            wrong.add(RefusalCode.UNBALANCED)
        totals: dict[tuple[str, int], int] = {}
        for entry in entries:
            account = self.accounts.get(str(entry.account))
            if entry.amount < 0:
                wrong.add(RefusalCode.NEGATIVE_AMOUNT)
            if entry.amount > MAX_AMOUNT:
                wrong.add(RefusalCode.AMOUNT_TOO_LARGE)
            if account is None:
                wrong.add(RefusalCode.UNKNOWN_ACCOUNT)
                continue
            if account.discarded:
                wrong.add(RefusalCode.DISCARDED_ACCOUNT)
            if account.foreign:
                wrong.add(RefusalCode.OTHER_LEDGER)
            unit = (account.currency, account.exponent)
            signed = entry.amount if entry.direction is Direction.DEBIT else -entry.amount
            totals[unit] = totals.get(unit, 0) + signed
        if any(totals.values()):
            wrong.add(RefusalCode.UNBALANCED)
        return wrong

    def _failed_locks(
        self, entries: Sequence[NewEntry], released: Iterable[Line], added: Sequence[tuple[Status, Line]]
    ) -> set[RefusalCode]:
        """Which expectations fail: versions before, and conditions once lines are given back and others added."""
        failed: set[RefusalCode] = set()
        gone = [(Status.PENDING, line._replace(amount=-line.amount)) for line in released]
        for entry in entries:
            name = str(entry.account)
            if entry.lock_version not in (None, self.version(name)):
                failed.add(RefusalCode.STALE_LOCK_VERSION)
            touching = [(status, line) for status, line in (*gone, *added) if line.account == name]
            after = added_up(self.sums(name), touching)
            for condition in entry.conditions:
                balance = balance_of(after, condition.balance, self.accounts[name].normal_balance)
                if not COMPARISONS[condition.comparison](balance, condition.amount):
                    failed.add(RefusalCode.BALANCE_CONDITION)
        return failed

    def _refusing_categories(self, locks: Sequence[CategoryLock], before: State, wanted: State) -> set[RefusalCode]:
        """What categories have against a transaction's becoming another, whose lines replace the ones before."""
        gone = [(before.status, line._replace(amount=-line.amount)) for line in before.lines]
        added = [(wanted.status, line) for line in wanted.lines]
        wrong = self._wrong_categories(locks, (*before.lines, *wanted.lines))
        return wrong or self._failed_categories(locks, [*gone, *added])

    def _wrong_categories(self, locks: Sequence[CategoryLock], lines: Iterable[Line]) -> set[RefusalCode]:
        """Whether some category is not there, or has nothing to do with the lines."""
        wrong: set[RefusalCode] = set()
        touched = {line.account for line in lines}
        for lock in locks:
            name = self.categories.names.get(lock.category_id)
            if name not in self.categories.units:
                wrong.add(RefusalCode.UNKNOWN_CATEGORY)
            elif touched.isdisjoint(self.categories.contents(name)):
                wrong.add(RefusalCode.UNTOUCHED_CATEGORY)
        return wrong

    def _failed_categories(
        self, locks: Sequence[CategoryLock], added: Iterable[tuple[Status, Line]]
    ) -> set[RefusalCode]:
        """Whether a condition fails once these lines are added to what is in the category."""
        failed: set[RefusalCode] = set()
        for lock in locks:
            name = self.categories.names[lock.category_id]
            contents = self.categories.contents(name)
            after = added_up(self.sums_of_category(name), [one for one in added if one[1].account in contents])
            for condition in lock.conditions:
                balance = balance_of(after, condition.balance, self.categories.units[name].normal_balance)
                if not COMPARISONS[condition.comparison](balance, condition.amount):
                    failed.add(RefusalCode.CATEGORY_CONDITION)
        return failed
