"""What a process remembers of the accounts it posts to, so that the next batch on them need not read them first.

A hint and never the truth: the statement that writes compares the version of every account under its lock, and writes
nothing when one has moved on. Only what is durable is remembered.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from worker.ledger.book import Account
from worker.ledger.posting_store import Names

ACCOUNTS_REMEMBERED: Final = 20_000
"""Accounts kept in mind, of all ledgers: about 20 MB. Those written longest ago are forgotten first."""

LATEST_ANSWER: Final = timedelta(seconds=1)
"""Longest an answer is on its way: a clock that seems to go back by more was set back."""


class Memory:
    """Accounts as they were last seen or written, and the database's clock."""

    def __init__(self) -> None:
        self._accounts: dict[UUID, Account] = {}
        self._told: tuple[datetime, float] | None = None

    def recall(self, named: Names) -> tuple[dict[UUID, Account], Names]:
        """Those of the named accounts that are remembered, by id; and the names of the others.

        An external id is never remembered: it may be another account's by now, and the tables know only ids.
        """
        found: dict[UUID, Account] = {}
        unknown = Names(set(named.external_ids))
        for account_id in named.ids:
            account = self._accounts.get(account_id)
            if account is None:
                unknown.ids.add(account_id)
            else:
                found[account_id] = account
        return found, unknown

    def keep(self, accounts: Iterable[Account]) -> None:
        """Remember accounts as they are in the database; whoever remembers a later version of one keeps that."""
        for account in accounts:
            fixed = account.fixed
            known = self._accounts.pop(fixed.id, None)
            self._accounts[fixed.id] = account if known is None or known.lock_version <= account.lock_version else known
        while len(self._accounts) > ACCOUNTS_REMEMBERED:
            self.forget([next(iter(self._accounts))])

    def forget(self, account_ids: Iterable[UUID]) -> None:
        """Have these accounts read again: they are no longer what they were."""
        for account_id in account_ids:
            self._accounts.pop(account_id, None)

    def forget_clock(self) -> None:
        """Have the database tell its clock again: it may have been set back by less than can be seen from here."""
        self._told = None

    def clear(self) -> None:
        """Forget everything: the database may have come back as another one, and its clock with it."""
        self._accounts.clear()
        self.forget_clock()

    def set_clock(self, moment: datetime) -> None:
        """Take over what the database just said of its clock; it arrives late, but time does not go back for that."""
        known = self.now
        if known is None or not moment < known < moment + LATEST_ANSWER:
            self._told = (moment, time.monotonic())

    @property
    def now(self) -> datetime | None:
        """The moment by the database's clock, never ahead of it; None when it never said one."""
        if self._told is None:
            return None
        moment, then = self._told
        return moment + timedelta(seconds=time.monotonic() - then)
