"""A journal in hledger's language. Metadata are tags, a comment line each.

In descriptions and tags, whatever would end them or mean something to hledger is percent-encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from worker.ledger.journal.values import (
    BETWEEN_DATES,
    Chart,
    JournalAccount,
    JournalEntry,
    JournalHead,
    JournalTransaction,
    Posting,
    balancing,
    by_day,
)

_KEY: Final = re.compile(r"(?!ledger-)[A-Za-z0-9_-]+")
_TAKEN: Final = frozenset({"date", "date2", "type"})
"""Tags that hledger acts upon."""


class HledgerJournal:
    """Writes a journal in pieces: :meth:`opening` first, then every transaction in order.

    An entry whose date is not its transaction's has a posting date.
    """

    def __init__(self, head: JournalHead) -> None:
        self._head = head
        self._chart = Chart(head.accounts)
        self._has_between_dates = False

    def opening(self) -> str:
        """Directives that declare every commodity with its decimals, and every account."""
        decimals: dict[str, int] = {}
        for account in self._head.accounts:
            decimals[account.commodity] = max(account.exponent, decimals.get(account.commodity, 0))
        lines = [f"; {_encoded(self._head.title)}", "decimal-mark ."]
        lines += [f"commodity 1000.{'0' * places} {_symbol(name)}" for name, places in sorted(decimals.items())]
        lines.append("")
        for path, account in self._chart:
            lines += [f"account {path}", *_about_account(account)]
        return _text(lines)

    def transaction(self, transaction: JournalTransaction) -> str:
        """One transaction; a part of one for each day when some of its entries are outside of the journal's period."""
        day = transaction.effective_date
        if not balancing(self._chart.postings(transaction.entries)):
            return self._part(day, transaction, transaction.entries)
        return "".join(self._part(day, transaction, entries) for day, entries in by_day(transaction.entries))

    def _part(self, day: date, transaction: JournalTransaction, entries: Sequence[JournalEntry]) -> str:
        description = re.sub(r"^\(", "%28", _encoded(transaction.description or ""))
        heading = f"{day} {transaction.flag} {description}".rstrip()
        postings = self._chart.postings(entries)
        rest = balancing(postings)
        lines = [_posting(one, entry.effective_date, day) for one, entry in zip(postings, entries, strict=True)]
        lines += [_posting(one, day, day) for one in rest]
        opened = self._declare_between_dates() if rest else []
        return _text([*opened, "", heading, *_about_transaction(transaction), *lines])

    def _declare_between_dates(self) -> list[str]:
        if self._has_between_dates:
            return []
        self._has_between_dates = True
        return ["", f"account {BETWEEN_DATES}"]


def _posting(posting: Posting, day: date, transactions_day: date) -> str:
    dated = "" if day == transactions_day else f"  ; date:{day}"
    return f"    {posting.path}  {posting.amount} {_symbol(posting.commodity)}{dated}"


def _about_account(account: JournalAccount) -> Iterator[str]:
    yield _tag("ledger-id", str(account.id))
    if account.external_id is not None:
        yield _tag("ledger-external-id", account.external_id)
    yield _tag("ledger-name", account.name)
    yield from _metadata(account.metadata)


def _about_transaction(transaction: JournalTransaction) -> Iterator[str]:
    if transaction.id is not None:
        yield _tag("ledger-id", str(transaction.id))
    if transaction.external_id is not None:
        yield _tag("ledger-external-id", transaction.external_id)
    if transaction.reverses is not None:
        yield _tag("ledger-reverses", str(transaction.reverses))
    yield from _metadata(transaction.metadata)


def _metadata(metadata: Mapping[str, str]) -> Iterator[str]:
    for key, value in metadata.items():
        plain = _KEY.fullmatch(key) and key not in _TAKEN
        yield _tag(key if plain else "".join(f"%{byte:02X}" for byte in key.encode()), value)


def _tag(name: str, value: str) -> str:
    return f"    ; {name}: {_encoded(value)}"


def _encoded(text: str) -> str:
    inner = "".join(one if one.isprintable() and one not in "%,;|" else _percent(one) for one in text)
    stripped = inner.strip(" ")
    before = len(inner) - len(inner.lstrip(" "))
    after = len(inner) - before - len(stripped)
    return "%20" * before + stripped + "%20" * after


def _percent(one: str) -> str:
    return "".join(f"%{byte:02X}" for byte in one.encode())


def _symbol(commodity: str) -> str:
    return commodity if commodity.isalpha() else f'"{commodity}"'


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
