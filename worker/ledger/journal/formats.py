"""The languages a journal can be written in."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from worker.ledger.journal.beancount import BeancountJournal
from worker.ledger.journal.hledger import HledgerJournal
from worker.ledger.journal.values import JournalHead


class JournalFormat(StrEnum):
    """An accounting program that reads plain text."""

    BEANCOUNT = "beancount"
    HLEDGER = "hledger"


def journal_in(language: JournalFormat, head: JournalHead) -> BeancountJournal | HledgerJournal:
    """The writer of a journal in a language."""
    match language:
        case JournalFormat.BEANCOUNT:
            return BeancountJournal(head)
        case JournalFormat.HLEDGER:
            return HledgerJournal(head)
        case _:
            assert_never(language)
