"""Modern Treasury's objects, as far as the outbox looks at them, and how they differ from what was asked for. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from worker.treasury.posting import ObjectKind, Wanted
from worker.wire import JsonObject, UnreadableReplyError, child, children, identifier, moment, text


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a transaction."""

    account_id: str
    direction: str
    amount: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """A ledger transaction."""

    id: UUID
    external_id: str | None
    status: str
    effective_at: datetime | None
    reverses: UUID | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class ChartObject:
    """An account or a category."""

    id: UUID
    external_id: str | None
    normal_balance: str | None
    currency: str | None
    is_discarded: bool = False


def read_transaction(document: JsonObject) -> Transaction:
    """Raises :class:`~worker.wire.UnreadableReplyError`, as all of these do."""
    return Transaction(
        _id(document),
        text(document, "external_id"),
        text(document, "status") or "",
        moment(document, "effective_at"),
        identifier(document, "reverses_ledger_transaction_id"),
        tuple(_read_entry(entry) for entry in children(document, "ledger_entries")),
    )


def read_ledger(document: JsonObject) -> Ledger:
    """A ledger."""
    return Ledger(_id(document), text(document, "name") or "")


def read_object(document: JsonObject) -> ChartObject:
    """An account or a category; its currency is told by its balances."""
    balance = child(child(document, "balances"), "posted_balance")
    return ChartObject(
        _id(document),
        text(document, "external_id"),
        text(document, "normal_balance"),
        text(balance, "currency"),
        moment(document, "discarded_at") is not None,
    )


def transaction_differences(sent: JsonObject, found: Transaction) -> str:
    """How a transaction differs from the body that was sent, in words; empty when it does not.

    What the body leaves out is not compared, and neither are words and metadata, which people may edit there.
    """
    return "; ".join(_differences(sent, found))


def way_out(found: Transaction) -> str:
    """What a person can do about a transaction that differs, in words: a final one keeps its external id for ever."""
    if found.status == "pending":
        return "correct or archive it there, then retry this job"
    return f"it is {found.status}, which is final: enter by hand there what it lacks, then bury this job"


def object_differences(wanted: Wanted, found: ChartObject) -> str:
    """How an account or category differs from the one that is wanted, in words; empty when it does not."""
    told: Mapping[str, str | None] = {"normal_balance": found.normal_balance, "currency": found.currency}
    return "; ".join(
        f"its {name.replace('_', ' ')} is {value}, not {wanted.body[name]}"
        for name, value in told.items()
        if value != wanted.body[name]
    )


def noun(kind: ObjectKind) -> str:
    """What Modern Treasury calls it."""
    return "ledger account" if kind is ObjectKind.ACCOUNT else "ledger account category"


def _differences(sent: JsonObject, found: Transaction) -> Iterator[str]:
    if "external_id" in sent and found.external_id != sent["external_id"]:
        yield f"its external id is {found.external_id}, not {sent['external_id']}"
    if found.status != sent["status"]:
        yield f"it is {found.status}, not {sent['status']}"
    if "effective_at" in sent and found.effective_at != moment(sent, "effective_at"):
        yield f"it is effective at {found.effective_at}, not {sent['effective_at']}"
    if "ledger_entries" in sent:
        wanted = Counter(_read_entry(entry) for entry in children(sent, "ledger_entries"))
        there = Counter(found.entries)
        yield from (f"it lacks {_words(entry)}" for entry in (wanted - there).elements())
        yield from (f"it has {_words(entry)}" for entry in (there - wanted).elements())


def _words(entry: Entry) -> str:
    return f"a {entry.direction} of {entry.amount} on account {entry.account_id}"


def _id(document: JsonObject) -> UUID:
    found = identifier(document, "id")
    if found is None:
        raise UnreadableReplyError("the reply's object has no id")
    return found


def _read_entry(document: JsonObject) -> Entry:
    # Written out digit by digit where it is: whoever relays JSON may not keep 36 digits of a number.
    amount = document.get("amount_string", document.get("amount"))
    try:
        minor = int(str(amount))
    except ValueError:
        raise UnreadableReplyError("the reply's entry has no whole amount") from None
    return Entry(text(document, "ledger_account_id") or "", text(document, "direction") or "", minor)
