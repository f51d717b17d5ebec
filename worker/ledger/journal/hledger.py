"""A journal in hledger's language. Metadata are tags, a comment line each.

In descriptions and tags, whatever would end them or mean something to hledger is percent-encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from worker.ledger.journal.values import JournalAccount, JournalHead, JournalTransaction

_KEY: Final = re.compile(r"(?!ledger-)[A-Za-z0-9_-]+")
_TAKEN: Final = frozenset({"date", "date2", "type"})
"""Tags that hledger acts upon."""


class HledgerJournal:
    """Writes a journal in pieces: :meth:`opening` first, then every transaction in order."""

    def __init__(self, head: JournalHead) -> None:
        self._head = head
        self._accounts = {account.id: account for account in head.accounts}

    def opening(self) -> str:
        """Directives that declare every commodity with its decimals, and every account."""
        decimals: dict[str, int] = {}
        for account in self._head.accounts:
            decimals[account.commodity] = max(account.exponent, decimals.get(account.commodity, 0))
        lines = [f"; {_encoded(self._head.title)}", "decimal-mark ."]
        lines += [f"commodity 1000.{'0' * places} {_symbol(name)}" for name, places in sorted(decimals.items())]
        lines.append("")
        for account in sorted(self._head.accounts, key=lambda one: one.path):
            lines += [f"account {account.path}", *_about_account(account)]
        return _text(lines)

    def transaction(self, transaction: JournalTransaction) -> str:
        """One transaction."""
        description = re.sub(r"^\(", "%28", _encoded(transaction.description or ""))
        heading = f"{transaction.effective_date} {transaction.flag} {description}".rstrip()
        postings = [_posting(self._accounts[account_id], minor) for account_id, minor in transaction.entries]
        return _text(["", heading, *_about_transaction(transaction), *postings])


def _posting(account: JournalAccount, minor: int) -> str:
    return f"    {account.path}  {account.amount(minor)} {_symbol(account.commodity)}"


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
