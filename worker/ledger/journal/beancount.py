"""A journal in beancount's language (v3). Amounts must balance exactly: beancount is told to tolerate nothing.

Whatever beancount's metadata keys cannot be named after is kept as JSON under ``ledger-metadata``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from worker.ledger.journal.values import JournalAccount, JournalHead, JournalTransaction

_KEY: Final = re.compile(r"(?!ledger-|(?:filename|lineno)\Z)[a-z][a-zA-Z0-9_-]+")
"""A key beancount accepts, and neither it nor this module uses itself."""

_PART: Final = 10**24
"""Minor units that are written as one posting at most. Beancount adds with 28 digits, those of thousands of such."""


class BeancountJournal:
    """Writes a journal in pieces: :meth:`opening` first, then every transaction in order."""

    def __init__(self, head: JournalHead) -> None:
        self._head = head
        self._accounts = {account.id: account for account in head.accounts}

    def opening(self) -> str:
        """Options, and a directive that opens each account."""
        commodities = sorted({account.commodity for account in self._head.accounts})
        lines = [
            f'option "title" {_quoted(self._head.title)}',
            'option "tolerance_multiplier" "0"',
            *(f'option "operating_currency" "{name}"' for name in commodities),
            "",
        ]
        for account in sorted(self._head.accounts, key=lambda one: one.path):
            lines += [f"{self._head.opened_on} open {account.path} {account.commodity}", *_about_account(account)]
        return _text(lines)

    def transaction(self, transaction: JournalTransaction) -> str:
        """One transaction; a reversal and what it reverses carry the same link."""
        link = f" ^{transaction.reverses or transaction.id}" if transaction.reverses or transaction.reversed else ""
        heading = f"{transaction.effective_date} {transaction.flag} {_quoted(transaction.description or '')}{link}"
        postings = [_posting(self._accounts[account_id], minor) for account_id, minor in _addable(transaction.entries)]
        return _text(["", heading, *_about_transaction(transaction), *postings])


def _addable(entries: Sequence[tuple[UUID, int]]) -> Iterator[tuple[UUID, int]]:
    """The same amounts in as many parts as it takes for beancount to add them up without losing a digit."""
    place = 1
    while place == 1 or any(abs(minor) >= place for _, minor in entries):
        for account_id, minor in entries:
            part = abs(minor) // place % _PART * place
            if part or (minor == 0 and place == 1):
                yield account_id, part if minor >= 0 else -part
        place *= _PART


def _posting(account: JournalAccount, minor: int) -> str:
    return f"  {account.path}  {account.amount(minor)} {account.commodity}"


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
