"""A journal in beancount's language (v3). Amounts must balance exactly: beancount is told to tolerate nothing.

Whatever beancount's metadata keys cannot be named after is kept as JSON under ``ledger-metadata``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from worker.ledger.journal.values import (
    BETWEEN_DATES,
    Chart,
    JournalAccount,
    JournalHead,
    JournalTransaction,
    Posting,
    balancing,
    by_day,
)

_KEY: Final = re.compile(r"(?!ledger-|(?:filename|lineno)\Z)[a-z][a-zA-Z0-9_-]+")
"""A key beancount accepts, and neither it nor this module uses itself."""

_PART: Final = 10**24
"""Minor units that are written as one posting at most. Beancount adds with 28 digits, those of thousands of such."""


class BeancountJournal:
    """Writes a journal in pieces: :meth:`opening` first, then every transaction in order.

    Beancount knows one date to a transaction: one whose entries have several becomes as many, linked to each other.
    """

    def __init__(self, head: JournalHead) -> None:
        self._head = head
        self._chart = Chart(head.accounts)
        self._has_between_dates = False

    def opening(self) -> str:
        """Options, and a directive that opens each account."""
        commodities = sorted({account.commodity for account in self._head.accounts})
        lines = [
            f'option "title" {_quoted(self._head.title)}',
            'option "tolerance_multiplier" "0"',
            *(f'option "operating_currency" "{name}"' for name in commodities),
            "",
        ]
        for path, account in self._chart:
            lines += [f"{self._head.opened_on} open {path} {account.commodity}", *_about_account(account)]
        return _text(lines)

    def transaction(self, transaction: JournalTransaction) -> str:
        """One transaction; a reversal and what it reverses carry the same link."""
        days = by_day(transaction.entries)
        parts = [(day, self._chart.postings(entries)) for day, entries in days]
        linked = transaction.reverses or transaction.reversed or len(parts) > 1
        link = f" ^{transaction.reverses or transaction.id}" if linked else ""
        about = [
            f" {transaction.flag} {_quoted(transaction.description or '')}{link}",
            *_about_transaction(transaction),
        ]
        return "".join(self._part(day, about, postings) for day, postings in parts)

    def _part(self, day: date, about: Sequence[str], postings: Sequence[Posting]) -> str:
        """What a transaction posts on a day, balanced in itself."""
        rest = balancing(postings)
        opened = self._open_between_dates() if rest else []
        heading, *details = about
        lines = [f"  {one.path}  {one.amount} {one.commodity}" for one in _addable([*postings, *rest])]
        return _text([*opened, "", f"{day}{heading}", *details, *lines])

    def _open_between_dates(self) -> list[str]:
        if self._has_between_dates:
            return []
        self._has_between_dates = True
        return ["", f"{self._head.opened_on} open {BETWEEN_DATES}"]


def _addable(postings: Sequence[Posting]) -> Iterator[Posting]:
    """The same amounts in as many parts as it takes for beancount to add them up without losing a digit."""
    place = 1
    while place == 1 or any(abs(posting.minor) >= place for posting in postings):
        for posting in postings:
            part = abs(posting.minor) // place % _PART * place
            if part or (posting.minor == 0 and place == 1):
                yield posting._replace(minor=part if posting.minor >= 0 else -part)
        place *= _PART


def _about_account(account: JournalAccount) -> Iterator[str]:
    yield f'  ledger-id: "{account.id}"'
    if account.external_id is not None:
        yield f"  ledger-external-id: {_quoted(account.external_id)}"
    yield f"  ledger-name: {_quoted(account.name)}"
    yield from _metadata(account.metadata)


def _about_transaction(transaction: JournalTransaction) -> Iterator[str]:
    if transaction.id is not None:
        yield f'  ledger-id: "{transaction.id}"'
    if transaction.external_id is not None:
        yield f"  ledger-external-id: {_quoted(transaction.external_id)}"
    if transaction.reverses is not None:
        yield f'  ledger-reverses: "{transaction.reverses}"'
    yield from _metadata(transaction.metadata)


def _metadata(metadata: Mapping[str, str]) -> Iterator[str]:
    rest = {}
    for key, value in metadata.items():
        if _KEY.fullmatch(key):
            yield f"  {key}: {_quoted(value)}"
        else:
            rest[key] = value
    if rest:
        yield f"  ledger-metadata: {_quoted(json.dumps(rest, ensure_ascii=False))}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
