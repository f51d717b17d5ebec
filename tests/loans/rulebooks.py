"""Rulebooks a lender could have: the program's own, and it with changes."""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

from worker.loans.rulebook_text import parse_rulebook

TEXT: Final = resources.files("worker.loans").joinpath("rulebook.toml").read_text(encoding="utf-8")


def changed(old: str, new: str) -> str:
    """The program's own text with the first ``old`` replaced."""
    assert old in TEXT, old
    return TEXT.replace(old, new, 1)


def with_sections(sections: str) -> str:
    """The program's own text with these sections in place of its own of the same name."""
    text = TEXT
    for section in re.split(r"\n(?=\[)", sections.strip()):
        head = section.split("\n", 1)[0]
        own = re.compile(rf"^{re.escape(head)}\n(?:[^\n\[#].*\n)+", re.MULTILINE)
        [found] = own.finditer(text)
        text = text[: found.start()] + f"{section.strip()}\n" + text[found.end() :]
    return text


def guarded(event_type: str, *accounts: str) -> str:
    """The program's own text with a rule that must not take these accounts below zero."""
    head = f'[rules."{event_type}"]\n'
    return changed(head, f"{head}not_below_zero = {list(accounts)}\n")


def as_offered(event_type: str) -> str:
    """The program's own text with the debit that a comment above the rule of this event offers instead."""
    rule = re.compile(rf'^# (debit = .*)\n(\[rules\."{re.escape(event_type)}"\]\n)debit = .*$', re.MULTILINE)
    text, rules = rule.subn(r"\2\1", TEXT)
    assert rules == 1, event_type
    return text


TAKING_BACK: Final = parse_rulebook(as_offered("loan.written_off"))
"""Writing interest and fees off takes back the revenue, and what investors earned, as it was recognised."""
