"""Decide a batch in order, as if each operation were alone: pure, over balances that the caller has locked.

An operation that is refused leaves no trace. What is accepted becomes rows for the poster to write. Rows are gathered
into one round; an external id that is written again begins another, because one statement cannot write a row twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, assert_never
from uuid import UUID

from worker.ledger.balance import Sums
from worker.ledger.book import (
    Account,
    BalanceRow,
    Book,
    ChangeRow,
    Decision,
    EntryRow,
    KnownTransaction,
    Leg,
    Round,
    TransactionRow,
    TransitionRow,
    content_of,
    content_of_reversal,
    metadata_text,
    midnight,
)
from worker.ledger.transaction import (
    MAX_AMOUNT,
    MAX_ENTRIES,
    Archive,
    BalanceCondition,
    Comparison,
    Create,
    Direction,
    NewEntry,
    NewTransaction,
    Operation,
    Post,
    Posted,
    RefusalCode,
    Refused,
    Replayed,
    Result,
    Reverse,
    Status,
)


def evaluate(book: Book, operations: Sequence[Operation], new_ids: Iterator[UUID]) -> Decision:
    """Decide ``operations`` one after the other against ``book``, which afterwards holds the state they lead to.

    ``new_ids`` supplies the ids of new transactions. The result never depends on how operations are batched.
    """
    batch = _Batch(book, new_ids)
    results = [batch.decide(operation) for operation in operations]
    batch.end_round()
    return Decision(results, batch.rounds)


class _NewTransaction(NamedTuple):
    """A checked transaction about to be written."""

    external_id: str
    status: Status
    effective_at: datetime
    description: str
    metadata: str
    legs: tuple[Leg, ...]
    content_digest: bytes
    reverses: UUID | None = None


class _Batch:
    """The state of one evaluation: the book, the round being filled, and what it has touched so far."""

    def __init__(self, book: Book, new_ids: Iterator[UUID]) -> None:
        self.rounds: list[Round] = []
        self._book = book
        self._new_ids = new_ids
        self._round = Round()
        self._written: set[str] = set()
        self._touched: dict[UUID, Account] = {}

    def decide(self, operation: Operation) -> Result:
        """Decide one operation and gather what it writes."""
        match operation:
            case Create(transaction):
                return self._create(transaction)
            case Post():
                return self._post(operation)
            case Archive():
                return self._archive(operation)
            case Reverse():
                return self._reverse(operation)
            case _:
                assert_never(operation)

    def end_round(self) -> None:
        """Close the round being filled, with the balances as they are now; an empty one is dropped."""
        if not self._written:
            return
        self._round.balances = [BalanceRow(a.id, a.lock_version, *a.sums) for a in self._touched.values()]
        self.rounds.append(self._round)
        self._round, self._written, self._touched = Round(), set(), {}

    def _create(self, new: NewTransaction) -> Result:
        digest = content_of(new)
        if known := self._book.live.get(new.external_id):
            return _repeated(known, digest, new.external_id)
        if refusal := _refuse_shape(new.entries):
            return refusal
        accounts = self._book.by_external_id
        if unknown := next((entry.account for entry in new.entries if entry.account not in accounts), None):
            return Refused(RefusalCode.UNKNOWN_ACCOUNT, f"ledger account {unknown} does not exist")
        if refusal := _refuse_imbalance(new.entries, accounts) or _refuse_stale(new.entries, accounts):
            return refusal
        if refusal := _refuse_conditions(new, accounts):
            return refusal
        legs = tuple(
            Leg(n, accounts[entry.account].id, entry.direction, entry.amount) for n, entry in enumerate(new.entries, 1)
        )
        return self._write_new(
            _NewTransaction(
                new.external_id,
                new.status,
                midnight(new.effective_date),
                new.description,
                metadata_text(new.metadata),
                legs,
                digest,
            )
        )

    def _reverse(self, reversal: Reverse) -> Result:
        digest = content_of_reversal(reversal)
        if known := self._book.live.get(reversal.external_id):
            return _repeated(known, digest, reversal.external_id)
        original = self._book.live.get(reversal.original)
        if original is None or original.legs is None:
            return self._refuse_missing(reversal.original, RefusalCode.NOT_POSTED)
        if original.status is not Status.POSTED:
            return Refused(RefusalCode.NOT_POSTED, f"ledger transaction {reversal.original} is pending: archive it")
        if original.reversed:
            return Refused(
                RefusalCode.ALREADY_REVERSED, f"ledger transaction {reversal.original} has been reversed already"
            )
        original.reversed = True
        legs = tuple(leg._replace(n=n, direction=leg.direction.opposite) for n, leg in enumerate(original.legs, 1))
        return self._write_new(
            _NewTransaction(
                reversal.external_id,
                Status.POSTED,
                midnight(reversal.effective_date),
                reversal.description,
                metadata_text(reversal.metadata),
                legs,
                digest,
                original.id,
            )
        )

    def _post(self, operation: Post) -> Result:
        known = self._book.live.get(operation.external_id)
        if known is None or known.legs is None:
            return self._refuse_missing(operation.external_id, RefusalCode.NOT_PENDING)
        moment = midnight(operation.effective_date) if operation.effective_date else known.effective_at
        if known.status is Status.POSTED:
            if moment == known.effective_at:
                return Replayed(known.id)
            return Refused(
                RefusalCode.NOT_PENDING,
                f"ledger transaction {operation.external_id} is posted with another effective date",
            )
        self._claim(operation.external_id)
        if moment == known.effective_at:
            self._move(known, "posted")
        else:
            self._replace(known, moment)
        known.status, known.effective_at = Status.POSTED, moment
        self._change(known, None)
        return Posted(known.id, Status.POSTED)

    def _archive(self, operation: Archive) -> Result:
        known = self._book.live.get(operation.external_id)
        if known is None and (before := self._book.archived.get(operation.external_id)):
            return Replayed(before.id)
        if known is None or known.legs is None:
            return self._refuse_missing(operation.external_id, RefusalCode.NOT_PENDING)
        if known.status is not Status.PENDING:
            return Refused(RefusalCode.NOT_PENDING, f"ledger transaction {operation.external_id} is posted: reverse it")
        self._claim(operation.external_id)
        self._move(known, "archived")
        known.status = Status.ARCHIVED
        self._change(known, operation.reason)
        self._book.archived[operation.external_id] = self._book.live.pop(operation.external_id)
        return Posted(known.id, Status.ARCHIVED)

    def _refuse_missing(self, external_id: str, when_archived: RefusalCode) -> Refused:
        if external_id in self._book.archived:
            return Refused(when_archived, f"ledger transaction {external_id} is archived")
        return Refused(RefusalCode.UNKNOWN_TRANSACTION, f"ledger transaction {external_id} does not exist")

    def _claim(self, external_id: str) -> None:
        if external_id in self._written:
            self.end_round()
        self._written.add(external_id)

    def _write_new(self, new: _NewTransaction) -> Posted:
        self._claim(new.external_id)
        known = KnownTransaction(next(self._new_ids), new.status, new.content_digest, new.effective_at, new.legs)
        self._round.transactions.append(
            TransactionRow(
                known.id,
                new.status,
                new.external_id,
                new.description,
                new.effective_at,
                new.metadata,
                new.reverses,
                len(new.legs),
                new.content_digest,
            )
        )
        self._enter(known)
        kept = self._book.archived if new.status is Status.ARCHIVED else self._book.live
        kept[new.external_id] = known
        return Posted(known.id, new.status)

    def _enter(self, transaction: KnownTransaction) -> None:
        """Write a transaction's entries, each a new version of its account."""
        status, rows = transaction.status, self._round.entries
        for leg in transaction.legs or ():
            account = self._touch(leg.account_id)
            account.sums = _after(account.sums, leg.direction, leg.amount, status)
            rows.append(
                EntryRow(
                    transaction.id,
                    leg.n,
                    leg.account_id,
                    leg.direction,
                    leg.amount,
                    transaction.effective_at,
                    account.lock_version,
                    *account.sums,
                )
            )

    def _move(self, transaction: KnownTransaction, to_status: str) -> None:
        """Turn the entries of a pending transaction into posted ones, or take them back."""
        for leg in transaction.legs or ():
            account = self._touch(leg.account_id)
            posted, pending = (leg.amount, 0) if to_status == "posted" else (0, -leg.amount)
            account.sums = account.sums.moved(leg.direction, posted=posted, pending=pending)
            self._round.transitions.append(
                TransitionRow(transaction.id, leg.n, leg.account_id, to_status, account.lock_version, *account.sums)
            )

    def _replace(self, transaction: KnownTransaction, effective_at: datetime) -> None:
        """Post a pending transaction on another day: entries never change, so the old give way to new ones."""
        self._move(transaction, "discarded")
        legs = transaction.legs or ()
        transaction.legs = tuple(leg._replace(n=leg.n + len(legs)) for leg in legs)
        transaction.status, transaction.effective_at = Status.POSTED, effective_at
        self._enter(transaction)

    def _change(self, transaction: KnownTransaction, archived_reason: str | None) -> None:
        legs = transaction.legs or ()
        self._round.changes.append(
            ChangeRow(
                transaction.id,
                transaction.status,
                archived_reason,
                transaction.effective_at,
                legs[0].n,
                legs[-1].n,
            )
        )

    def _touch(self, account_id: UUID) -> Account:
        account = self._touched[account_id] = self._book.accounts[account_id]
        account.lock_version += 1
        return account


def _after(sums: Sums, direction: Direction, amount: int, status: Status) -> Sums:
    """An account's sums after a new entry of a transaction with this status."""
    match status:
        case Status.POSTED:
            return sums.moved(direction, posted=amount, pending=amount)
        case Status.PENDING:
            return sums.moved(direction, posted=0, pending=amount)
        case Status.ARCHIVED:
            return sums
        case _:
            assert_never(status)


def _repeated(known: KnownTransaction, digest: bytes, external_id: str) -> Result:
    if known.content_digest == digest:
        return Replayed(known.id)
    return Refused(RefusalCode.EXTERNAL_ID_TAKEN, f"ledger transaction {external_id} exists already with other content")


def _refuse_shape(entries: Sequence[NewEntry]) -> Refused | None:
    if not 2 <= len(entries) <= MAX_ENTRIES:
        return Refused(RefusalCode.ENTRY_COUNT, f"a transaction has 2 to {MAX_ENTRIES} entries, not {len(entries)}")
    if len({entry.direction for entry in entries}) < 2:
        return Refused(RefusalCode.UNBALANCED, "a transaction has at least one debit and one credit")
    for entry in entries:
        if not 0 <= entry.amount <= MAX_AMOUNT:
            return Refused(
                RefusalCode.AMOUNT, f"the amount on {entry.account} must be between 0 and 36 digits, not {entry.amount}"
            )
    return None


def _refuse_imbalance(entries: Iterable[NewEntry], accounts: dict[str, Account]) -> Refused | None:
    differences: dict[tuple[str, int], int] = {}
    for entry in entries:
        unit = accounts[entry.account].unit
        signed = entry.amount if entry.direction is Direction.DEBIT else -entry.amount
        differences[unit] = differences.get(unit, 0) + signed
    for (currency, _), difference in differences.items():
        if difference:
            return Refused(
                RefusalCode.UNBALANCED, f"debits less credits must be 0, not {difference} minor units of {currency}"
            )
    return None


def _refuse_stale(entries: Iterable[NewEntry], accounts: dict[str, Account]) -> Refused | None:
    for entry in entries:
        if entry.lock_version is not None and entry.lock_version != accounts[entry.account].lock_version:
            return Refused(
                RefusalCode.STALE_LOCK_VERSION,
                f"{entry.account} is at version {accounts[entry.account].lock_version}, not {entry.lock_version}",
            )
    return None


def _refuse_conditions(new: NewTransaction, accounts: dict[str, Account]) -> Refused | None:
    """Check the conditions on the balances as they will be after the whole transaction."""
    conditions = [(entry.account, condition) for entry in new.entries for condition in entry.conditions]
    if not conditions:
        return None
    after = {account: accounts[account].sums for account, _ in conditions}
    for entry in new.entries:
        if entry.account in after:
            after[entry.account] = _after(after[entry.account], entry.direction, entry.amount, new.status)
    for account, condition in conditions:
        balance = after[account].balance(condition.balance, accounts[account].normal_balance)
        if not _holds(balance, condition):
            return Refused(
                RefusalCode.BALANCE_CONDITION,
                f"the {condition.balance} balance of {account} would be {balance}, "
                f"which is not {condition.comparison} {condition.amount}",
            )
    return None


def _holds(balance: int, condition: BalanceCondition) -> bool:
    match condition.comparison:
        case Comparison.GT:
            return balance > condition.amount
        case Comparison.GTE:
            return balance >= condition.amount
        case Comparison.LT:
            return balance < condition.amount
        case Comparison.LTE:
            return balance <= condition.amount
        case Comparison.EQ:
            return balance == condition.amount
        case _:
            assert_never(condition.comparison)
