"""The lender's chart of accounts: every account the worker uses, with its name, side, metadata and categories.

Accounts are per currency, and so are the categories that add them up. External ids are stable and readable; they are
how the rest of the worker names an account.
"""

from __future__ import annotations

from worker.ledger.transaction import AccountSpec, CategorySpec, Direction


def cash(currency: str) -> AccountSpec:
    """Money the lender holds."""
    omnibus = _category(f"cash:{currency}", "Cash", Direction.DEBIT, currency, categoryType="cash")
    return AccountSpec(f"cash:{currency}", "Cash", Direction.DEBIT, currency, {"accountType": "cash"}, (omnibus,))


def expenses(currency: str) -> AccountSpec:
    """What running the loans costs: processing fees, bank fees, vendors."""
    return AccountSpec(f"expenses:{currency}", "Expenses", Direction.DEBIT, currency, {"accountType": "expense"})


def charge_off(currency: str) -> AccountSpec:
    """Loans given up, less what was recovered later."""
    return AccountSpec(f"charge_off:{currency}", "Charge-off", Direction.DEBIT, currency, {"accountType": "expense"})


def revenue_from_interest(currency: str) -> AccountSpec:
    """The lender's own part of the interest."""
    return _revenue("interest", "Revenue from Interest", currency)


def revenue_from_fees(currency: str) -> AccountSpec:
    """Fees charged to borrowers."""
    return _revenue("fees", "Revenue from Fees", currency)


def loan_principal(loan_id: str, borrower_id: str, currency: str) -> AccountSpec:
    """Principal the borrower still owes on a loan."""
    outstanding = _category(
        f"principal_outstanding:{currency}",
        "Principal Outstanding",
        Direction.DEBIT,
        currency,
        categoryType="principal",
    )
    return _loan_balance("principal", "Principal", (loan_id, borrower_id), currency, (outstanding,))


def loan_interest(loan_id: str, borrower_id: str, currency: str) -> AccountSpec:
    """Interest the borrower still owes on a loan."""
    return _loan_balance("interest", "Interest", (loan_id, borrower_id), currency)


def loan_fees(loan_id: str, borrower_id: str, currency: str) -> AccountSpec:
    """Fees the borrower still owes on a loan."""
    return _loan_balance("fees", "Fees", (loan_id, borrower_id), currency)


def borrower_payable(loan_id: str, borrower_id: str, currency: str) -> AccountSpec:
    """What the borrower paid too much on a loan, until it is refunded."""
    return AccountSpec(
        f"loan:{loan_id}:payable:{currency}",
        f"Borrower Payable - Loan {loan_id}",
        Direction.CREDIT,
        currency,
        {"accountType": "payable", "loanID": loan_id, "borrowerID": borrower_id},
    )


def investor_principal_due(investor_id: str, currency: str) -> AccountSpec:
    """Capital owed to an investor."""
    return _investor_balance("principal_due", "Principal Due", investor_id, currency)


def investor_interest_due(investor_id: str, currency: str) -> AccountSpec:
    """Interest owed to an investor."""
    investor_interest = _category(
        f"investor_interest:{currency}", "Investor Interest", Direction.CREDIT, currency, categoryType="interest"
    )
    return _investor_balance("interest_due", "Interest Due", investor_id, currency, (investor_interest,))


def _category(
    external_id: str, name: str, side: Direction, currency: str, parent: CategorySpec | None = None, **metadata: str
) -> CategorySpec:
    return CategorySpec(external_id, name, side, currency, metadata, parent)


def _revenue(stream: str, name: str, currency: str) -> AccountSpec:
    total = _category(f"total_revenue:{currency}", "Total Revenue", Direction.CREDIT, currency, categoryType="revenue")
    return AccountSpec(
        f"revenue:{stream}:{currency}", name, Direction.CREDIT, currency, {"accountType": "revenue"}, (total,)
    )


def _loan_balance(
    part: str, title: str, parties: tuple[str, str], currency: str, categories: tuple[CategorySpec, ...] = ()
) -> AccountSpec:
    loan_id, borrower_id = parties
    side = Direction.DEBIT
    borrower = _category(
        f"borrower:{borrower_id}:{currency}",
        f"Borrower {borrower_id}",
        side,
        currency,
        categoryType="borrower",
        borrowerID=borrower_id,
    )
    loan = _category(
        f"loan:{loan_id}:{currency}", f"Loan {loan_id}", side, currency, borrower, categoryType="loan", loanID=loan_id
    )
    metadata = {"accountType": "loan", "loanID": loan_id, "borrowerID": borrower_id}
    return AccountSpec(
        f"loan:{loan_id}:{part}:{currency}", f"{title} - Loan {loan_id}", side, currency, metadata, (*categories, loan)
    )


def _investor_balance(
    part: str, title: str, investor_id: str, currency: str, categories: tuple[CategorySpec, ...] = ()
) -> AccountSpec:
    side = Direction.CREDIT
    balance = _category(
        f"investor:{investor_id}:{currency}",
        f"Investor Balance - {investor_id}",
        side,
        currency,
        categoryType="investor",
        investorID=investor_id,
    )
    return AccountSpec(
        f"investor:{investor_id}:{part}:{currency}",
        f"{title} - {investor_id}",
        side,
        currency,
        {"accountType": "LP", "investorID": investor_id},
        (*categories, balance),
    )
