"""What an accepted operation is about to write, made from what it says and from what is there already: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from worker.ledger.book import Account, Book
from worker.ledger.checks import sides
from worker.ledger.content import NO_METADATA, merge_metadata, metadata_text
from worker.ledger.transaction import UNSET, Direction, Ledgerable, NewEntry, Status, Unset, Update
from worker.ledger.written import Written, WrittenEntry


class EntryDraft(NamedTuple):
    """A checked entry about to be written; ``metadata`` is JSON text."""

    account: Account
    direction: Direction
    amount: int
    effective_at: datetime
    metadata: str


EntryDrafts = Iterable[EntryDraft | tuple[Account, Direction, int, datetime, str]]
"""Entries about to be written; those of a creation, by far the most, come as bare tuples."""


class Draft(NamedTuple):
    """What a new transaction says, but for its entries; ``metadata`` is JSON text."""

    status: Status
    external_id: str | None
    description: str | None
    metadata: str
    effective_at: datetime
    archived_reason: str | None = None
    ledgerable: Ledgerable | None = None
    reverses: UUID | None = None
    partially_posts: UUID | None = None


def updated(state: Written, update: Update) -> Written:
    """The transaction as the update wants it, but for its entries."""
    return state._replace(
        status=state.status if update.status is UNSET else update.status,
        external_id=state.external_id if update.external_id is UNSET else update.external_id,
        description=state.description if update.description is UNSET else update.description,
        metadata=state.metadata if update.metadata is UNSET else merge_metadata(state.metadata, update.metadata),
        effective_at=state.effective_at if update.effective_at is UNSET else update.effective_at,
        ledgerable=state.ledgerable if update.ledgerable is UNSET else update.ledgerable,
    )


def drafts_of(entries: Sequence[NewEntry], accounts: Sequence[Account], effective_at: datetime) -> EntryDrafts:
    """New entries on their accounts; those without a moment of their own take effect with the transaction."""
    return zip(
        accounts,
        [entry.direction for entry in entries],
        [entry.amount for entry in entries],
        [entry.effective_at or effective_at for entry in entries],
        [metadata_text(entry.metadata) if entry.metadata else NO_METADATA for entry in entries],
        strict=True,
    )


def moved_in_time(book: Book, state: Written, effective_at: datetime) -> list[EntryDraft]:
    """The entries of a transaction that moves to another moment; those with a moment of their own keep it."""
    return [
        _again(book, entry)._replace(
            effective_at=effective_at if entry.effective_at == state.effective_at else entry.effective_at
        )
        for entry in state.entries
    ]


def opposites(book: Book, entries: Iterable[WrittenEntry], effective_at: datetime | None) -> list[EntryDraft]:
    """What undoes the entries: at one moment, or each at the moment it took effect."""
    return [
        _again(book, entry)._replace(
            direction=entry.direction.opposite, effective_at=effective_at or entry.effective_at, metadata=NO_METADATA
        )
        for entry in entries
    ]


def rest(
    book: Book, whole: Sequence[WrittenEntry], part: Iterable[NewEntry], accounts: Iterable[Account]
) -> list[EntryDraft]:
    """What stays of the whole, entry by entry, once a part that :func:`checks.refuse_part` let pass is taken away."""
    pending = sides(whole)
    taken = {
        pending[account.fixed.id, entry.direction].pop(0).n: entry.amount
        for entry, account in zip(part, accounts, strict=True)
    }
    return [_again(book, entry)._replace(amount=entry.amount - taken[entry.n]) for entry in whole]


def are_the_same(entries: tuple[NewEntry, ...] | Unset, book: Book, state: Written) -> bool:
    """Whether new entries say what the transaction's own say already; unset ones do."""
    if entries is UNSET:
        return True
    said = [
        (account.fixed.id, entry.direction, entry.amount, entry.effective_at or state.effective_at)
        for entry in entries
        if (account := book.accounts.get(entry.account))
    ]
    return said == [(entry.account_id, entry.direction, entry.amount, entry.effective_at) for entry in state.entries]


def _again(book: Book, entry: WrittenEntry) -> EntryDraft:
    account = book.accounts[entry.account_id]
    return EntryDraft(account, entry.direction, entry.amount, entry.effective_at, entry.metadata)
