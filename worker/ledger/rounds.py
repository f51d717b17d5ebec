"""Turn what was accepted into rows, and carry the accounts along: pure.

Rows are gathered into one round; a transaction or an external id that is written again begins another, because one
statement cannot write a row twice nor take a name and give it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

from worker.ledger.book import Account, BalanceRow, Book, ChangeRow, DayRow, Round, TransactionRow, TransitionRow
from worker.ledger.content import day_of
from worker.ledger.drafts import Draft, EntryDrafts
from worker.ledger.transaction import Ledgerable, Status
from worker.ledger.written import Written, WrittenEntry

_entry: Final = tuple.__new__
"""Makes a named tuple without the detour over its constructor, which costs more than all else done for an entry."""


class Rounds:
    """The rounds of one batch, the one being filled, and what it has touched so far."""

    def __init__(self, book: Book, new_ids: Iterator[UUID]) -> None:
        self.closed: list[Round] = []
        self._book = book
        self._new_ids = new_ids
        self._round = Round()
        self._claimed: set[str | UUID] = set()
        self._touched: list[Account] = []
        self._states: list[Written] = []

    def claim(self, *names: str | UUID | None) -> None:
        """Begin another round if this one already writes a row or a name that is about to be written."""
        wanted = {name for name in names if name is not None}
        if not wanted.isdisjoint(self._claimed):
            self.close()
        self._claimed |= wanted

    def close(self) -> None:
        """Close the round being filled, with the balances as they are now; an empty one is dropped.

        The last round seals every state the batch wrote: nothing is waited for while the chain is locked.
        """
        if not self._claimed:
            return
        if self.closed:
            self.closed[-1].states = []
        self._round.states = self._states
        for account in self._touched:
            account_id = account.fixed.id
            self._round.balances.append(BalanceRow(account_id, account.lock_version, *account.sums))
            self._round.days += [DayRow(account_id, day, *moves.sums) for day, moves in account.days.items()]
            account.days = {}
        self.closed.append(self._round)
        self._round, self._claimed, self._touched = Round(), set(), []

    def add(self, draft: Draft, entries: EntryDrafts, content_digest: bytes) -> Written:
        """Write a new transaction under an id of its own."""
        transaction_id, now = next(self._new_ids), self._book.now
        self.claim(transaction_id, draft.external_id, draft.reverses)
        written = Written(
            id=transaction_id,
            ledger_id=self._book.ledger_id,
            status=draft.status,
            external_id=draft.external_id,
            description=draft.description,
            metadata=draft.metadata,
            effective_at=draft.effective_at,
            posted_at=now if draft.status is Status.POSTED else None,
            archived_reason=draft.archived_reason,
            ledgerable=draft.ledgerable,
            reverses=draft.reverses,
            reversed_by=None,
            partially_posts=draft.partially_posts,
            version=0,
            created_at=now,
            updated_at=now,
            entries=self.enter(transaction_id, draft.status, entries, 1),
        )
        self._round.transactions.append(_new_row(written, content_digest))
        self._states.append(written)
        return written

    def enter(self, transaction_id: UUID, status: Status, entries: EntryDrafts, first: int) -> tuple[WrittenEntry, ...]:
        """Write entries numbered from ``first``, each a new version of its account."""
        now, written = self._book.now, []
        posts, counts = status is Status.POSTED, status is not Status.ARCHIVED
        for n, (account, direction, amount, effective_at, metadata) in enumerate(entries, first):
            if not account.days:
                self._touched.append(account)
            account.move(direction, amount if posts else 0, amount if counts else 0, day_of(effective_at))
            fixed = account.fixed
            written.append(
                _entry(
                    WrittenEntry,
                    (
                        transaction_id,
                        n,
                        fixed.id,
                        direction,
                        amount,
                        effective_at,
                        metadata,
                        account.lock_version,
                        account.posted_debits,
                        account.posted_credits,
                        account.pending_debits,
                        account.pending_credits,
                        now,
                        now,
                        fixed,
                    ),
                )
            )
        self._round.entries += written
        return tuple(written)

    def move(self, entries: Iterable[WrittenEntry], to_status: str) -> tuple[WrittenEntry, ...]:
        """Turn the entries of a pending transaction into posted ones, or take them back."""
        moved = []
        for entry in entries:
            account = self._book.accounts[entry.account_id]
            if not account.days:
                self._touched.append(account)
            effect = (entry.amount, 0) if to_status == Status.POSTED else (0, -entry.amount)
            account.move(entry.direction, *effect, day_of(entry.effective_at))
            sums, version = account.sums, account.lock_version
            self._round.transitions.append(
                TransitionRow(entry.transaction_id, entry.n, entry.account_id, to_status, version, *sums)
            )
            moved.append(entry._replace(lock_version=version, updated_at=self._book.now, **sums._asdict()))
        return tuple(moved)

    def change(self, state: Written) -> Written:
        """Write a transaction's new state; the next version of it is the answer."""
        self._round.changes.append(
            ChangeRow(
                state.id,
                state.status,
                state.external_id,
                state.description,
                state.effective_at,
                _dated_apart(state.entries),
                state.metadata,
                state.archived_reason,
                *_columns_of(state.ledgerable),
                state.entries[0].n,
                state.entries[-1].n,
            )
        )
        written = state._replace(version=state.version + 1, updated_at=self._book.now)
        self._states.append(written)
        return written


def _new_row(written: Written, content_digest: bytes) -> TransactionRow:
    return TransactionRow(
        written.id,
        written.status,
        written.external_id,
        written.description,
        written.effective_at,
        _dated_apart(written.entries),
        written.metadata,
        written.archived_reason,
        written.reverses,
        written.partially_posts,
        *_columns_of(written.ledgerable),
        len(written.entries),
        content_digest,
    )


def _dated_apart(entries: Iterable[WrittenEntry]) -> str | None:
    """After the first of the entries' moments, up to and with the last; None when all have the same."""
    moments = {entry.effective_at for entry in entries}
    return f"({min(moments)},{max(moments)}]" if len(moments) > 1 else None


def _columns_of(ledgerable: Ledgerable | None) -> tuple[str | None, UUID | None]:
    return (ledgerable.type, ledgerable.id) if ledgerable else (None, None)
