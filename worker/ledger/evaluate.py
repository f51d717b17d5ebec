"""Decide a batch in order, as if each operation were alone: pure, over balances that the caller has locked.

An operation that is refused leaves no trace. What is accepted becomes rows for the poster to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never
from uuid import UUID

from worker.ledger.book import Book, Decision, KnownTransaction
from worker.ledger.category_locks import moves_of, moves_to, refuse_categories, refuse_category_locks
from worker.ledger.checks import Release, find_accounts, refuse_locks, refuse_part
from worker.ledger.content import content_of, content_of_part, content_of_reversal, metadata_text, outgrows
from worker.ledger.drafts import Draft, EntryDrafts, are_the_same, drafts_of, moved_in_time, opposites, rest, updated
from worker.ledger.rounds import Rounds
from worker.ledger.transaction import (
    BALANCE_LOCK_FAILURE,
    MAX_METADATA_PAIRS,
    UNSET,
    Archive,
    Create,
    Operation,
    PartialPost,
    Post,
    Posted,
    RefusalCode,
    Refused,
    Replayed,
    Result,
    Reverse,
    Status,
    TransactionKey,
    Update,
)
from worker.ledger.written import Written


def evaluate(book: Book, operations: Sequence[Operation], new_ids: Iterator[UUID]) -> Decision:
    """Decide ``operations`` one after the other against ``book``, which afterwards holds the state they lead to.

    ``new_ids`` supplies the ids of new transactions. The result never depends on how operations are batched.
    """
    batch = _Batch(book, new_ids)
    results = [batch.decide(operation) for operation in operations]
    batch.rounds.close()
    return Decision(results, batch.rounds.closed)


class _Batch:
    """The state of one evaluation: the book, and the rows that what was accepted comes to."""

    def __init__(self, book: Book, new_ids: Iterator[UUID]) -> None:
        self.rounds = Rounds(book, new_ids)
        self._book = book

    def decide(self, operation: Operation) -> Result:
        """Decide one operation and gather what it writes."""
        match operation:
            case Create():
                return self._create(operation)
            case Update():
                return self._update(operation)
            case Post(key, effective_at):
                return self._update(Update(key, Status.POSTED, effective_at=effective_at or UNSET))
            case Archive(key, reason):
                return self._update(Update(key, Status.ARCHIVED, archived_reason=reason))
            case PartialPost():
                return self._post_partially(operation)
            case Reverse():
                return self._reverse(operation)
            case _:
                assert_never(operation)

    def _create(self, create: Create) -> Result:
        new = create.transaction
        digest = content_of(new)
        if known := self._named(new.external_id):
            return _repeated(known, digest)
        accounts = find_accounts(new.entries, self._book)
        if isinstance(accounts, Refused):
            return accounts
        moves = moves_of(new.entries, accounts, new.status) if create.category_locks else ()
        if refusal := refuse_categories(create.category_locks, moves, self._book):
            return refusal
        status, reason = new.status, None
        refusal = refuse_locks(new.entries, accounts, new.status)
        if refusal := refusal or refuse_category_locks(create.category_locks, moves, self._book):
            if not create.archive_on_balance_lock_failure:
                return refusal
            status, reason = Status.ARCHIVED, BALANCE_LOCK_FAILURE
        moment = new.effective_at or self._book.now
        said = Draft(
            status, new.external_id, new.description, metadata_text(new.metadata), moment, reason, new.ledgerable
        )
        return self._write(said, drafts_of(new.entries, accounts, moment), digest)

    def _reverse(self, reversal: Reverse) -> Result:
        digest = content_of_reversal(reversal)
        if known := self._named(reversal.external_id):
            return _repeated(known, digest)
        original = self._book.find(reversal.original)
        if original is None:
            return _unknown(reversal.original)
        state = original.state
        if state.status is not Status.POSTED:
            return Refused(RefusalCode.NOT_POSTED, f"ledger transaction {state.label} is {state.status}, not posted")
        if not original.held:
            return _unknown(reversal.original)
        if state.reversed_by is not None:
            return Refused(RefusalCode.ALREADY_REVERSED, f"ledger transaction {state.label} has been reversed already")
        moment = reversal.effective_at or state.effective_at
        said = Draft(
            reversal.status,
            reversal.external_id,
            reversal.description,
            metadata_text(reversal.metadata),
            moment,
            ledgerable=reversal.ledgerable,
            reverses=state.id,
        )
        result = self._write(said, opposites(self._book, state.entries, reversal.effective_at), digest)
        if reversal.status is not Status.ARCHIVED:
            original.state = state._replace(reversed_by=result.transaction_id)
        return result

    def _post_partially(self, part: PartialPost) -> Result:
        known = self._book.find(part.transaction)
        if known is None:
            return _unknown(part.transaction)
        whole = known.state
        if whole.status is not Status.PENDING:
            return _refuse_final(whole)
        if not known.held:
            return _unknown(part.transaction)
        if known.settlement_id:
            return _of_settlement(known)
        accounts = find_accounts(part.entries, self._book)
        if isinstance(accounts, Refused):
            return accounts
        if refusal := refuse_part(part.entries, accounts, whole.entries):
            return refusal
        released = [Release(a.fixed.id, e.direction, e.amount) for e, a in zip(part.entries, accounts, strict=True)]
        if refusal := refuse_locks(part.entries, accounts, Status.POSTED, released):
            return refusal
        self.rounds.claim(whole.id, whole.external_id)
        self._replace(known, whole, rest(self._book, whole.entries, part.entries, accounts))
        moment = part.effective_at or self._book.now
        said = Draft(
            Status.POSTED, None, part.description, metadata_text(part.metadata), moment, partially_posts=whole.id
        )
        return self._write(said, drafts_of(part.entries, accounts, moment), content_of_part(part))

    def _update(self, update: Update) -> Result:
        known = self._book.find(update.transaction)
        if known is None:
            return _unknown(update.transaction)
        wanted = updated(known.state, update)
        if update.metadata is not UNSET and outgrows(wanted.metadata, update.metadata):
            return Refused(RefusalCode.TOO_MUCH_METADATA, f"metadata may have at most {MAX_METADATA_PAIRS} pairs")
        if known.state.status is Status.ARCHIVED and isinstance(update.transaction, str):
            # Archiving freed the external id: it still tells what became of it, but no longer names it to be changed.
            unchanged = update.entries is UNSET and wanted == known.state
            return Replayed(known.state.id) if unchanged else _refuse_final(known.state)
        if known.state.status is not Status.PENDING:
            return self._annotate(known, wanted, update)
        if not known.held:
            return _unknown(update.transaction)
        other = self._named(wanted.external_id)
        if other is not None and other is not known:
            return _taken(other)
        if known.settlement_id and (update.entries is not UNSET or wanted.effective_at != known.state.effective_at):
            return _of_settlement(known)
        entries = self._new_entries(known.state, wanted, update)
        if isinstance(entries, Refused):
            return entries
        if entries is None and wanted == known.state:
            return Replayed(wanted.id, wanted)
        if refusal := self._refuse_categories(known.state, wanted, update):
            return refusal
        return self._change(known, wanted, entries, update.archived_reason)

    def _annotate(self, known: KnownTransaction, wanted: Written, update: Update) -> Result:
        """Change a final transaction: its metadata, or nothing."""
        state = known.state
        if wanted._replace(metadata=state.metadata) != state or not are_the_same(update.entries, self._book, state):
            return _refuse_final(state)
        if wanted == state:
            return Replayed(state.id, state)
        if not known.held:
            return _unknown(update.transaction)
        if refusal := self._refuse_categories(state, wanted, update):
            return refusal
        self.rounds.claim(state.id)
        known.state = self.rounds.change(wanted)
        return Posted(state.id, state.status, known.state)

    def _refuse_categories(self, before: Written, wanted: Written, update: Update) -> Refused | None:
        if not update.category_locks:
            return None
        moves = moves_to(self._book, before, wanted, update)
        unknown = refuse_categories(update.category_locks, moves, self._book)
        return unknown or refuse_category_locks(update.category_locks, moves, self._book)

    def _new_entries(self, before: Written, wanted: Written, update: Update) -> EntryDrafts | Refused | None:
        """What replaces the entries of a pending transaction; None when they stay."""
        if update.entries is not UNSET:
            accounts = find_accounts(update.entries, self._book)
            if isinstance(accounts, Refused):
                return accounts
            released = [Release(entry.account_id, entry.direction, entry.amount) for entry in before.entries]
            refusal = refuse_locks(update.entries, accounts, wanted.status, released)
            return refusal or drafts_of(update.entries, accounts, wanted.effective_at)
        if wanted.effective_at != before.effective_at:
            return moved_in_time(self._book, before, wanted.effective_at)
        return None

    def _change(
        self, known: KnownTransaction, wanted: Written, entries: EntryDrafts | None, reason: str | None
    ) -> Posted:
        """Write a pending transaction's next version, whose status may be final."""
        before = known.state
        self.rounds.claim(before.id, before.external_id, wanted.external_id, before.reverses)
        match wanted.status:
            case Status.PENDING:
                pass
            case Status.POSTED:
                wanted = wanted._replace(posted_at=self._book.now)
            case Status.ARCHIVED:
                wanted = wanted._replace(archived_reason=reason)
                self._forget_reversal(before)
            case _:
                assert_never(wanted.status)
        if entries is not None:
            self._replace(known, wanted, entries)
        elif wanted.status is Status.PENDING:
            self._book.update(known, self.rounds.change(wanted))
        else:
            moved = self.rounds.move(before.entries, wanted.status)
            self._book.update(known, self.rounds.change(wanted._replace(entries=moved)))
        return Posted(before.id, wanted.status, known.state)

    def _replace(self, known: KnownTransaction, wanted: Written, entries: EntryDrafts) -> None:
        """Discard the entries of a pending transaction for new ones, with the numbers after theirs."""
        before = known.state.entries
        self.rounds.move(before, "discarded")
        entered = self.rounds.enter(wanted.id, wanted.status, entries, before[-1].n + 1)
        self._book.update(known, self.rounds.change(wanted._replace(entries=entered)))

    def _write(self, said: Draft, entries: EntryDrafts, content_digest: bytes) -> Posted:
        written = self.rounds.add(said, entries, content_digest)
        self._book.keep(KnownTransaction(written, content_digest))
        return Posted(written.id, written.status, written)

    def _forget_reversal(self, reversal: Written) -> None:
        original = self._book.find(reversal.reverses) if reversal.reverses else None
        if original is not None:
            original.state = original.state._replace(reversed_by=None)

    def _named(self, external_id: str | None) -> KnownTransaction | None:
        return None if external_id is None else self._book.live.get(external_id)


def _repeated(known: KnownTransaction, digest: bytes) -> Result:
    return Replayed(known.state.id) if known.content_digest == digest else _taken(known)


def _taken(known: KnownTransaction) -> Refused:
    return Refused(
        RefusalCode.EXTERNAL_ID_TAKEN, f"ledger transaction {known.state.label} exists already with other content"
    )


def _unknown(key: TransactionKey) -> Refused:
    return Refused(RefusalCode.UNKNOWN_TRANSACTION, f"ledger transaction {key} does not exist")


def _of_settlement(known: KnownTransaction) -> Refused:
    return Refused(
        RefusalCode.OF_SETTLEMENT,
        f"ledger transaction {known.state.label} carries out ledger account settlement {known.settlement_id}: its "
        "entries and effective_at stay, and it is posted or archived as a whole",
    )


def _refuse_final(state: Written) -> Refused:
    return Refused(
        RefusalCode.NOT_PENDING, f"ledger transaction {state.label} is {state.status} and can not be changed any more"
    )
