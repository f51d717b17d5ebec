"""Do the lender's ledger and the borrower's books agree? Pure arithmetic over what both say.

What the accounts of the borrower's books must hold follows from the loan accounts of the ledger; each profile's
arithmetic is that of its records (contract, section 6): a transfer moves money between two accounts, a direct cost
moves it from the lender's account to the expense account, a statement line moves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from worker.codat.profiles import Profile


@dataclass(frozen=True, slots=True)
class LoanInLedger:
    """The loan's posted sums in the lender's ledger, minor units."""

    principal_lent: int
    principal_repaid: int
    cost_repaid: int

    @property
    def outstanding(self) -> int:
        """Principal the borrower still owes."""
        return self.principal_lent - self.principal_repaid


@dataclass(frozen=True, slots=True)
class BorrowerBooks:
    """How far the loan moved the borrower's accounts, minor units."""

    lender_account: int
    borrower_account: int
    expense_account: int
    lender_statement: int


@dataclass(frozen=True, slots=True)
class Check:
    """One figure both books must agree on."""

    figure: str
    expected: int
    found: int

    @property
    def holds(self) -> bool:
        """Whether they agree to the penny."""
        return self.expected == self.found


def expected_books(loan: LoanInLedger, profile: Profile) -> BorrowerBooks:
    """What the borrower's books must show for the loan as the ledger has it."""
    match profile:
        case Profile.MATCHED:
            statement = -loan.outstanding
        case Profile.CODAT_2026:
            statement = -loan.outstanding + loan.cost_repaid
        case Profile.CODAT_2023:
            return BorrowerBooks(
                lender_account=-loan.outstanding - loan.cost_repaid,
                borrower_account=loan.outstanding,
                expense_account=loan.cost_repaid,
                lender_statement=loan.principal_lent + loan.principal_repaid + loan.cost_repaid,
            )
        case _:
            assert_never(profile)
    return BorrowerBooks(
        lender_account=-loan.outstanding,
        borrower_account=loan.outstanding - loan.cost_repaid,
        expense_account=loan.cost_repaid,
        lender_statement=statement,
    )


def compare(loan: LoanInLedger, profile: Profile, found: BorrowerBooks) -> list[Check]:
    """Every figure the two sets of books share."""
    expected = expected_books(loan, profile)
    return [
        Check("lender's account", expected.lender_account, found.lender_account),
        Check("borrower's bank account", expected.borrower_account, found.borrower_account),
        Check("loan cost account", expected.expense_account, found.expense_account),
        Check("lender's statement", expected.lender_statement, found.lender_statement),
    ]
