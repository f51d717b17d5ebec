"""What the demo prints at its end: both books side by side, one repayment's way through them, and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from worker.commands.table import beside, render
from worker.demo.agreement import Check
from worker.ledger.reading import AccountBalance
from worker.ledger.transaction import Direction
from worker.money import format_major


def lenders_ledger(accounts: Sequence[AccountBalance]) -> str:
    """The lender's trial balance: every account on the side it stands on, and the totals that must be equal."""
    rows, totals = [], [0, 0]
    for account in sorted(accounts, key=lambda one: one.name):
        debit = account.posted if account.normal_balance is Direction.DEBIT else -account.posted
        side = 0 if debit > 0 or (debit == 0 and account.normal_balance is Direction.DEBIT) else 1
        totals[side] += abs(debit)
        cells = ["", ""]
        cells[side] = format_major(abs(debit), account.currency)
        rows.append((account.name, *cells))
    currency = accounts[0].currency
    rows.append(("Total", format_major(totals[0], currency), format_major(totals[1], currency)))
    return render("The lender's ledger", ("Account", "Debit", "Credit"), rows)


def borrowers_books(
    before: Mapping[str, int], after: Mapping[str, int], names: Mapping[str, str], currency: str
) -> str:
    """The accounts the loan touched: where they were, how far they moved, where they are."""
    rows = [
        (
            name,
            format_major(before.get(account_id, 0), currency),
            format_major(after[account_id] - before.get(account_id, 0), currency),
            format_major(after[account_id], currency),
        )
        for account_id, name in names.items()
    ]
    return render("The borrower's books", ("Account", "Before", "Moved", "Now"), rows)


def lenders_statement(lines: Sequence[Mapping[str, Any]]) -> str:
    """The lines on the lender's account, as the borrower's bookkeeper reconciles them."""
    rows = [(line["date"], line["description"], line["amount"], line["balance"] or "") for line in lines]
    return render("The lender's statement in the borrower's books", ("Date", "Line", "Amount", "Balance"), rows)


def both_books(ledger: str, books: str) -> str:
    """The two tables side by side."""
    return beside(ledger, books)


def timeline(moments: Sequence[tuple[datetime, str]]) -> str:
    """What happened when, each moment with its distance in seconds from the first."""
    ordered = sorted(moments, key=lambda moment: moment[0])
    start = ordered[0][0]
    rows = [(f"+{(at - start).total_seconds():.3f} s", text) for at, text in ordered]
    return render("One repayment, from its webhook to the borrower's books", ("When", "What"), rows)


def disagreements(checks: Sequence[Check], currency: str) -> str:
    """The figures that differ; empty when none does."""
    wrong = [
        (check.figure, format_major(check.expected, currency), format_major(check.found, currency))
        for check in checks
        if not check.holds
    ]
    return render("The books disagree", ("Figure", "Ledger says", "Books say"), wrong) if wrong else ""
