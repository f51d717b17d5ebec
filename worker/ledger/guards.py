"""The triggers that guard the ledger's tables, as the migrations make them: pure.

They are read out of the program's own files, not out of the database: whoever may drop a trigger there could also drop
it from a list that is kept beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

_CREATE_TRIGGER: Final = re.compile(r"^create trigger (\w+)\s[^;]*?\son (ledger\w*)\b", re.MULTILINE)


class Guard(NamedTuple):
    """A trigger, by its table and its name."""

    relation: str
    name: str


def guards_of(scripts: Iterable[str]) -> list[Guard]:
    """Every trigger that the migrations' scripts create on a table of the ledger."""
    return sorted(Guard(relation, name) for script in scripts for name, relation in _CREATE_TRIGGER.findall(script))
