"""Is this record in the books the one a step was to write? Pure comparison, for steps whose outcome is unknown.

What is looked for is read out of the very bytes that were sent. Where they carry the step's reference, a record with
another text is not ours: the same accounts, amount and date may just as well be the bookkeeper's own entry. Where our
text was not sent or not kept (a transfer on Xero or Sage, the bodies of ``codat-2023``), accounts, amount and date are
all there is, and the answer is no more than likely: records claimed by another step must be left out before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final, assert_never

from worker import wire
from worker.codat.payloads import shorten
from worker.codat.records import RecordKind
from worker.wire import JsonObject, UnreadableReplyError

DAYS_APART: Final = timedelta(days=1)
"""How far the listed date may lie from the one that was sent: no time zone moves a midnight further."""

MARKS_OF_ANOTHER: Final = 2
"""Marks in which a record must differ to be another one for certain: a bookkeeper's edit changes one."""


class Match(Enum):
    """How sure it is that a record is the step's."""

    EXACT = "exact"
    """It carries the step's reference."""
    LIKELY = "likely"
    """No text tells whose it is, and accounts, amount, currency and date are the same."""
    A_DAY_OFF = "a day off"
    """As ``LIKELY``, but dated the day before or after: platforms keep dates in a time zone of their own."""
    NO = "no"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells one record from all others. ``amount`` is in major units, signed as the kind has it.

    ``accounts`` are a transfer's (from, to), a direct cost's (paid from, expense) and a bank transaction's (account).
    ``marks`` are the forms of the step's reference that the body carries, none where the platform keeps none.
    """

    kind: RecordKind
    marks: frozenset[str]
    accounts: tuple[str, ...]
    amount: Decimal | None
    currency: str | None
    date: date | None


def fingerprint_of_body(kind: RecordKind, reference: str, body: bytes) -> Fingerprint:
    """The fingerprint of a record a step sent; raises :class:`UnreadableReplyError` for bytes that are no such body."""
    document = wire.decode_object(body)
    if kind is RecordKind.BANK_TRANSACTION:
        lines = wire.children(document, "transactions")
        if len(lines) != 1:
            raise UnreadableReplyError("a step writes exactly one bank transaction")
        document = lines[0] | {"accountId": document.get("accountId")}
    marks = frozenset(mark for text in _texts(kind, document) if (mark := _mark(reference, text)))
    return _fingerprint(kind, document, marks)


def match(expected: Fingerprint, record: JsonObject, listed_as: RecordKind | None = None) -> Match:
    """Whether a fetched record is the expected one.

    ``listed_as`` is the list it was found in when that is not the expected kind: a negative direct cost lives on as a
    direct income, whose amounts are positive. A record the platform has deleted is never a match.
    """
    kind = listed_as or expected.kind
    if wire.child(record, "metadata").get("isDeleted") is True:
        return Match.NO
    texts = list(_texts(kind, record))
    if expected.marks and texts:
        return Match.EXACT if any(_carries(text, expected.marks) for text in texts) else Match.NO
    found = _listed(kind, record)
    if found.accounts != expected.accounts or not _same_money(expected, found):
        return Match.NO
    if found.date == expected.date:
        return Match.LIKELY
    apart = abs(found.date - expected.date) if found.date and expected.date else None
    return Match.A_DAY_OFF if apart is not None and apart <= DAYS_APART else Match.NO


def is_another(expected: Fingerprint, record: JsonObject, listed_as: RecordKind | None = None) -> bool:
    """Whether a record is surely not the expected one, even if somebody has edited or deleted it since.

    Accounts, money and text are three marks, of which an edit changes one: a record that differs in two is another.
    """
    kind = listed_as or expected.kind
    texts = list(_texts(kind, record))
    if any(_carries(text, expected.marks) for text in texts):
        return False
    found = _listed(kind, record)
    differing = (
        found.accounts != expected.accounts,
        not _same_money(expected, found),
        bool(expected.marks and texts),
    )
    return sum(differing) >= MARKS_OF_ANOTHER


def _listed(kind: RecordKind, record: JsonObject) -> Fingerprint:
    found = _fingerprint(kind, record, frozenset())
    if kind is RecordKind.DIRECT_INCOME and found.amount:
        return replace(found, amount=found.amount.copy_negate())
    return found


def _same_money(expected: Fingerprint, found: Fingerprint) -> bool:
    return found.amount == expected.amount and found.currency in (None, expected.currency)


def _mark(reference: str, text: str) -> str | None:
    if text == reference or text.endswith(f" {reference}"):
        return reference
    return text if text == shorten(reference, len(text)) else None


def _carries(text: str, marks: frozenset[str]) -> bool:
    # A whole word: the reference of the first step must not be found in that of the tenth.
    return any(text == mark or text.endswith(f" {mark}") for mark in marks)


def _texts(kind: RecordKind, record: JsonObject) -> Iterator[str]:
    names = ("id", "description") if kind is RecordKind.BANK_TRANSACTION else ("description", "reference", "note")
    holders = [record, *wire.children(record, "lineItems")]
    for holder in holders:
        for name in names:
            if text := wire.text(holder, name):
                yield text.strip()


def _fingerprint(kind: RecordKind, record: JsonObject, marks: frozenset[str]) -> Fingerprint:
    match kind:
        case RecordKind.TRANSFER:
            source, target = wire.child(record, "from"), wire.child(record, "to")
            accounts = (_account(source), _account(target))
            return Fingerprint(
                kind,
                marks,
                accounts,
                wire.number(source, "amount"),
                wire.text(source, "currency"),
                wire.calendar_day(record, "date"),
            )
        case RecordKind.DIRECT_COST | RecordKind.DIRECT_INCOME:
            return _direct_cost_fingerprint(kind, record, marks)
        case RecordKind.BANK_TRANSACTION:
            return Fingerprint(
                kind,
                marks,
                (wire.text(record, "accountId") or "",),
                wire.number(record, "amount"),
                None,
                wire.calendar_day(record, "date") or wire.calendar_day(record, "clearedOnDate"),
            )
        case RecordKind.BANK_ACCOUNT | RecordKind.ACCOUNT | RecordKind.SUPPLIER | RecordKind.TAX_RATE:
            raise ValueError(f"{kind.value} are found by their names, not by a fingerprint")
        case _:
            assert_never(kind)


def _direct_cost_fingerprint(kind: RecordKind, record: JsonObject, marks: frozenset[str]) -> Fingerprint:
    lines, payments = wire.children(record, "lineItems"), wire.children(record, "paymentAllocations")
    payment = wire.child(payments[0], "payment") if payments else {}
    return Fingerprint(
        kind,
        marks,
        (_account(payment), _account(lines[0]) if lines else ""),
        wire.number(record, "totalAmount"),
        wire.text(record, "currency"),
        wire.calendar_day(record, "issueDate"),
    )


def _account(holder: JsonObject) -> str:
    return wire.text(wire.child(holder, "accountRef"), "id") or ""
