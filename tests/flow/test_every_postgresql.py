"""The main job on every PostgreSQL found on the machine, the wheel's first."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.flow.borrower import Borrower
from tests.flow.stack import Stack, open_stack
from tests.foundation.servers import installed_binaries, running_server
from worker.database import Database
from worker.ledger.store import ensure_ledger, verify
from worker.loans.postings import LEDGER_NAME


async def repaid_and_reversed(stack: Stack) -> Borrower:
    """A loan of £1000 with a repayment that settled after it was announced, and another that came back."""
    borrower = await Borrower.on(stack)
    await borrower.map()
    await borrower.agree()
    await borrower.tell("loan.disbursed", drawdown_id="D1", amount="1000.00")
    await borrower.tell("loan.interest_accrued", accrual_id="A1", amount="66.67")
    split = {"principal": "333.33", "interest": "66.67", "fees": "0"}
    await borrower.tell("loan.repayment_initiated", repayment_id="R1", **split)
    await borrower.tell("loan.repayment_settled", repayment_id="R1", **split)
    await borrower.tell("loan.repayment_settled", repayment_id="R2", principal="100.00", interest="0", fees="0")
    await borrower.tell("loan.repayment_reversed", repayment_id="R2", reason="returned unpaid")
    await stack.settled()
    return borrower


@pytest.mark.parametrize("binaries", installed_binaries(), ids=lambda path: path.parent.name)
async def test_a_loan_reaches_both_books_on_every_postgresql_found(binaries: Path, tmp_path: Path) -> None:
    async with running_server(binaries) as server, open_stack(server.url(), tmp_path) as stack:
        borrower = await repaid_and_reversed(stack)
        ledger = await borrower.ledger()
        assert ledger[f"Principal - Loan {borrower.loan_id}"] == Decimal("666.67")
        assert f"Interest - Loan {borrower.loan_id}" not in ledger
        books = await borrower.books()
        assert books.statement == books.lender == Decimal("-666.67")
        assert books.expense == Decimal("66.67")
        async with Database.open(server.url()) as database, database.transaction() as connection:
            assert await verify(connection, await ensure_ledger(connection, LEDGER_NAME)) == []
