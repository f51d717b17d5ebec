"""Where the rulebook comes from: the lender's own file, or the one that comes with the program."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from worker.errors import UsageError
from worker.loans.rulebook import Rulebook
from worker.loans.rulebook_text import RulebookError, parse_rulebook


def read_rulebook(path: Path | None) -> Rulebook:
    """The rulebook in this file, or the program's own; raises :class:`UsageError` naming what is wrong with it."""
    if path is None:
        return default_rulebook()
    try:
        return parse_rulebook(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"POSTING_RULES names {path}, which cannot be read: {error}") from None
    except RulebookError as error:
        raise UsageError(f"POSTING_RULES, {path}: {error}") from None


def default_rulebook() -> Rulebook:
    """The rulebook that comes with the program: a chart that lenders know, and the entries of the README."""
    return parse_rulebook(resources.files("worker.loans").joinpath("rulebook.toml").read_text(encoding="utf-8"))
