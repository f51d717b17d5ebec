"""Turn what was accepted into rows, and carry the accounts along: pure.

Rows are gathered into one round; a transaction or an external id that is written again begins another, because one
statement cannot write a row twice nor take a name and give it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from uuid import UUID

from worker.ledger.balance import NOTHING, Sums
from worker.ledger.book import Account, BalanceRow, Book, ChangeRow, DayRow, Round, TransactionRow, TransitionRow
from worker.ledger.checks import effect_of
from worker.ledger.drafts import EntryDraft
from worker.ledger.transaction import Direction, Ledgerable, Status
from worker.ledger.written import Written, WrittenEntry


class Rounds:
    """The rounds of one batch, the one being filled, and what it has touched so far."""

    def __init__(self, book: Book, new_ids: Iterator[UUID]) -> None:
        self.closed: list[Round] = []
        self._book = book
        self._new_ids = new_ids
        self._round = Round()
        self._claimed: set[str | UUID] = set()
        self._touched: dict[UUID, Account] = {}
        self._states: list[Written] = []
        self._days: dict[tuple[UUID, date], Sums] = {}

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
        self._round.balances = [BalanceRow(i, a.lock_version, *a.sums) for i, a in self._touched.items()]
        self._round.days = [DayRow(*key, *sums) for key, sums in self._days.items()]
        self.closed.append(self._round)
        self._round, self._claimed, self._touched, self._days = Round(), set(), {}, {}

    def add(self, said: Written, entries: Iterable[EntryDraft], content_digest: bytes) -> Written:
        """Write a new transaction under an id of its own; ``said`` is the rest."""
        transaction_id = next(self._new_ids)
        self.claim(transaction_id, said.external_id, said.reverses)
        entered = self.enter(transaction_id, said.status, entries, 1)
        self._round.transactions.append(
            TransactionRow(
                transaction_id,
                said.status,
                said.external_id,
                said.description,
                said.effective_at,
                said.metadata,
                said.archived_reason,
                said.reverses,
                said.partially_posts,
                *_columns_of(said.ledgerable),
                len(entered),
                content_digest,
            )
        )
        written = said._replace(id=transaction_id, entries=entered)
        self._states.append(written)
        return written

    def enter(
        self, transaction_id: UUID, status: Status, entries: Iterable[EntryDraft], first: int
    ) -> tuple[WrittenEntry, ...]:
        """Write entries numbered from ``first``, each a new version of its account."""
        now = self._book.now
        written = []
        for n, (account, direction, amount, effective_at, metadata) in enumerate(entries, first):
            version = self._touch(account, direction, effect_of(status, amount), effective_at)
            fixed, sums = account.fixed, account.sums
            written.append(
                WrittenEntry(
                    *(transaction_id, n, fixed.id, direction, amount, effective_at, metadata),
                    *(version, *sums),
                    *(now, now, fixed),
                )
            )
        self._round.entries += written
        return tuple(written)

    def move(self, entries: Iterable[WrittenEntry], to_status: str) -> tuple[WrittenEntry, ...]:
        """Turn the entries of a pending transaction into posted ones, or take them back."""
        moved = []
        for entry in entries:
            account = self._book.accounts[entry.account_id]
            effect = (entry.amount, 0) if to_status == Status.POSTED else (0, -entry.amount)
            version = self._touch(account, entry.direction, effect, entry.effective_at)
            self._round.transitions.append(
                TransitionRow(entry.transaction_id, entry.n, entry.account_id, to_status, version, *account.sums)
            )
            moved.append(_after_write(entry, version, account.sums, self._book.now))
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

    def _touch(self, account: Account, direction: Direction, effect: tuple[int, int], effective_at: datetime) -> int:
        """Move an account's sums, and those of the day, by a posted and a pending amount; its next version."""
        posted, pending = effect
        account_id = account.fixed.id
        account.sums = account.sums.moved(direction, posted=posted, pending=pending)
        key = account_id, effective_at.astimezone(UTC).date()
        self._days[key] = self._days.get(key, NOTHING).moved(direction, posted=posted, pending=pending)
        self._touched[account_id] = account
        account.lock_version += 1
        return account.lock_version


def _columns_of(ledgerable: Ledgerable | None) -> tuple[str | None, UUID | None]:
    return (ledgerable.type, ledgerable.id) if ledgerable else (None, None)


def _after_write(entry: WrittenEntry, lock_version: int, sums: Sums, now: datetime) -> WrittenEntry:
    return entry._replace(
        lock_version=lock_version,
        posted_debits=sums.posted_debits,
        posted_credits=sums.posted_credits,
        pending_debits=sums.pending_debits,
        pending_credits=sums.pending_credits,
        updated_at=now,
    )
