"""Draws the transactions to post."""

from __future__ import annotations

import itertools
import random

from worker.bench.workload import (
    ACCOUNTS,
    CASH,
    FIRST_LOAN_ACCOUNT,
    INVESTOR_INTEREST,
    LOAN_ACCOUNTS,
    REVENUE,
    Disbursement,
)

_PRINCIPALS = range(FIRST_LOAN_ACCOUNT, FIRST_LOAN_ACCOUNT + LOAN_ACCOUNTS // 2)
_INTERESTS = range(_PRINCIPALS.stop, ACCOUNTS.stop)
_LOAN_ACCOUNTS = range(FIRST_LOAN_ACCOUNT, ACCOUNTS.stop)


class Draw:
    """An endless supply of disbursements, no two with the same external id, which begins with ``name``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._numbers = itertools.count(1)
        self._random = random.Random()

    def hot(self) -> Disbursement:
        """One that meets the three accounts everybody meets."""
        accounts = (
            self._random.choice(_PRINCIPALS),
            self._random.choice(_INTERESTS),
            CASH,
            INVESTOR_INTEREST,
            REVENUE,
        )
        return Disbursement(f"{self._name}-{next(self._numbers)}", accounts)

    def spread(self) -> Disbursement:
        """One whose five accounts are any of the loans'."""
        first, second, third, fourth, fifth = self._random.sample(_LOAN_ACCOUNTS, 5)
        return Disbursement(f"{self._name}-{next(self._numbers)}", (first, second, third, fourth, fifth))
