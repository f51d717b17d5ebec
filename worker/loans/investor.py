"""What is known of one investor in one currency: capital given and returned, interest earned and paid out. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InvestorAccount:
    """Running totals in minor units; each only ever grows, so arrival order leaves no trace in them.

    Not reduced by losses borne or interest given up: a distribution made before them happened all the same, and must be
    told the same way when they are heard of first. What an investor then has to give back is seen in the ledger.
    """

    investor_id: str
    currency: str
    contributed: int = 0
    principal_distributed: int = 0
    interest_earned: int = 0
    interest_distributed: int = 0

    @property
    def principal_due(self) -> int:
        """Capital the investor has not been given back."""
        return self.contributed - self.principal_distributed

    @property
    def interest_due(self) -> int:
        """Interest the investor has earned and not been paid."""
        return self.interest_earned - self.interest_distributed
