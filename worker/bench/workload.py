"""What is posted: a disbursement of five entries, the same for every variant. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LOAN_ACCOUNTS: Final = 10_000
"""Accounts that a loan's entries are spread over."""

CASH, INVESTOR_INTEREST, REVENUE = 1, 2, 3
"""The numbers of the accounts that every disbursement of a lender meets."""

FIRST_LOAN_ACCOUNT: Final = 4
ACCOUNTS: Final = range(1, FIRST_LOAN_ACCOUNT + LOAN_ACCOUNTS)
"""The numbers of all accounts; the loans' own come last."""

SIDES: Final = (1, 1, -1, -1, -1)
"""Debits (1) and credits (-1): principal and interest; cash, the investor's share of the interest, and revenue."""

AMOUNTS: Final = (100_000, 1_000, 100_000, 700, 300)
"""Minor units of each entry."""

ENTRIES: Final = len(SIDES)
"""Entries of one transaction."""

METADATA: Final = {"type": "disbursement", "loan_id": "LN-123456", "event_id": "evt-1"}
"""Kept with every transaction."""


@dataclass(frozen=True, slots=True)
class Disbursement:
    """One transaction to post; ``accounts`` are numbers out of :data:`ACCOUNTS`, in the order of :data:`SIDES`."""

    external_id: str
    accounts: tuple[int, int, int, int, int]
