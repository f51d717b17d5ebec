"""Categories as two sets of pairs in memory: what the real ones must equal."""

from __future__ import annotations

from uuid import UUID

from tests.ledger.model_state import Account

DEEPEST = 4
"""Levels below a root."""


class Categories:
    """Which accounts and categories are in which categories."""

    def __init__(self) -> None:
        self.units: dict[str, Account] = {}
        """Those in use: their normal side, and in what they count."""
        self.names: dict[UUID, str] = {}
        """What the real ledger calls them, be they discarded or of another ledger."""
        self.members: set[tuple[str, str]] = set()
        self.nestings: set[tuple[str, str]] = set()

    def contents(self, category: str) -> set[str]:
        """The accounts in it, directly or nested."""
        inside = {account for parent, account in self.members if parent == category}
        return inside.union(*(self.contents(child) for parent, child in self.nestings if parent == category))

    def nest(self, parent: str, child: str) -> bool:
        """Nest a category in another; False, and nothing changes, when it may not be."""
        before = set(self.nestings)
        self.nestings.add((parent, child))
        if self._too_deep(parent, child):
            self.nestings = before
            return False
        return True

    def _too_deep(self, parent: str, child: str) -> bool:
        """Whether a path through this nesting has too many levels, as every circle has."""
        return self._levels(parent, 1, 0) + 1 + self._levels(child, 0, 1) > DEEPEST

    def _levels(self, category: str, here: int, there: int, walked: int = 0) -> int:
        if walked > DEEPEST:
            return walked
        nexts = [pair[there] for pair in self.nestings if pair[here] == category]
        return max((1 + self._levels(one, here, there, walked + 1) for one in nexts), default=0)
