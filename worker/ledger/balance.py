"""The running sums of an account and the three balances they make."""

from __future__ import annotations

from typing import Final, NamedTuple, assert_never

from worker.ledger.transaction import BalanceKind, Direction


class Sums(NamedTuple):
    """Debits and credits of an account in minor units; ``pending_*`` include ``posted_*``."""

    posted_debits: int
    posted_credits: int
    pending_debits: int
    pending_credits: int

    def moved(self, direction: Direction, *, posted: int, pending: int) -> Sums:
        """These sums after amounts (negative to take back) went onto one side."""
        if direction is Direction.DEBIT:
            return Sums(
                self.posted_debits + posted, self.posted_credits, self.pending_debits + pending, self.pending_credits
            )
        return Sums(
            self.posted_debits, self.posted_credits + posted, self.pending_debits, self.pending_credits + pending
        )

    def balance(self, kind: BalanceKind, normal_balance: Direction) -> int:
        """A balance, seen from the account's normal side.

        Available is cautious: what is settled, less what is still in flight against the account's normal side.
        """
        match kind:
            case BalanceKind.POSTED:
                debits, credits = self.posted_debits, self.posted_credits
            case BalanceKind.PENDING:
                debits, credits = self.pending_debits, self.pending_credits
            case BalanceKind.AVAILABLE if normal_balance is Direction.DEBIT:
                debits, credits = self.posted_debits, self.pending_credits
            case BalanceKind.AVAILABLE:
                debits, credits = self.pending_debits, self.posted_credits
            case _:
                assert_never(kind)
        return debits - credits if normal_balance is Direction.DEBIT else credits - debits


NOTHING: Final = Sums(0, 0, 0, 0)
"""The sums of an account nothing was ever written to."""
