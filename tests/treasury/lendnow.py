"""The tutorial told as loan events, and the books as the official client reads them, in the tutorial's words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import count
from typing import Any, Literal
from uuid import UUID

from modern_treasury import AsyncModernTreasury

from tests.api.lendnow import END
from tests.treasury.stage import Event

COMPANY = str(UUID(int=1))
INVESTOR = "MoneyNow"
Side = Literal["debit", "credit"]

_numbers = count(1)


def tutorial() -> list[Event]:
    """The tutorial's five transactions, one event each.

    It books Loan 1's interest when the loan is disbursed and once more at the end of a month. A loan of ours has one
    way of recognising interest, so the month's is that of a second loan of the same borrower.
    """
    return [
        _event("capital.contributed", "2020-08-27", investor_id=INVESTOR, amount="10000.00"),
        _created("Loan 1", "at_disbursement", "2020-09-10"),
        _disbursed("Loan 1", "2020-09-10", "500.00"),
        _created("Loan 1 by month", "accrual", "2020-10-10"),
        _accrued("Loan 1 by month", "2020-10-10", "M1"),
        _repaid("Loan 1", "2020-10-11", "R1"),
        _distributed("2021-07-10"),
    ]


def whole_life(loan_id: str, recognition: str) -> list[Event]:
    """The loan as its words intend it: ten instalments, all interest booked once, everybody paid."""
    at_once = recognition == "at_disbursement"
    months = [*(f"2020-{month}" for month in range(10, 13)), *(f"2021-{month:02}" for month in range(1, 8))]
    story = [
        _event("capital.contributed", "2020-08-27", investor_id=INVESTOR, amount="10000.00"),
        _created(loan_id, recognition, "2020-09-10"),
        _disbursed(loan_id, "2020-09-10", "500.00" if at_once else "0"),
    ]
    for number, month in enumerate(months, 1):
        if not at_once:
            story.append(_accrued(loan_id, f"{month}-10", f"M{number}"))
        story.append(_repaid(loan_id, f"{month}-11", f"R{number}"))
    return [*story, _distributed("2021-07-12"), _of_loan("loan.closed", "2021-07-12", loan_id)]


async def read_end(client: AsyncModernTreasury, ledger_name: str) -> dict[str, tuple[int, int, int]]:
    """Posted debits, credits and balance of every account the tutorial knows, added up over loans."""
    debits, credits, sides = Counter[str](), Counter[str](), dict[str, Side]()
    for account in await _accounts(client, ledger_name):
        word, posted = _word(account.external_id), account.balances.posted_balance
        debits[word] += posted.debits
        credits[word] += posted.credits
        sides[word] = account.normal_balance
    return {
        word: (debits[word], credits[word], _amount(sides.get(word), debits[word], credits[word]))
        for word in {*END, *sides}
    }


async def read_transactions(
    client: AsyncModernTreasury, ledger_name: str
) -> list[tuple[str, dict[str, int], dict[str, int]]]:
    """Day, debits and credits of every transaction, by day; all of them are posted."""
    words = {account.id: _word(account.external_id) for account in await _accounts(client, ledger_name)}
    told = []
    async for transaction in client.ledger_transactions.list(ledger_id=await _ledger_id(client, ledger_name)):
        assert transaction.status == "posted"
        debits, credits = (
            {words[one.ledger_account_id]: one.amount for one in transaction.ledger_entries if one.direction == side}
            for side in ("debit", "credit")
        )
        told.append((transaction.effective_date.isoformat(), debits, credits))
    return sorted(told, key=lambda one: one[0])


async def read_categories(client: AsyncModernTreasury, ledger_name: str) -> dict[str, int]:
    """Posted balance of every category by name."""
    ledger_id = await _ledger_id(client, ledger_name)
    return {
        category.name: category.balances.posted_balance.amount
        async for category in client.ledger_account_categories.list(ledger_id=ledger_id)
    }


async def _ledger_id(client: AsyncModernTreasury, name: str) -> str:
    (found,) = [ledger.id async for ledger in client.ledgers.list() if ledger.name == name]
    return found


async def _accounts(client: AsyncModernTreasury, ledger_name: str) -> list[Any]:
    return [one async for one in client.ledger_accounts.list(ledger_id=await _ledger_id(client, ledger_name))]


def _word(external_id: str) -> str:
    """``loan:Loan 1:principal:USD`` is ``loan_principal``, ``investor:MoneyNow:interest_due:USD`` is
    ``investor_interest``, ``revenue:fees:USD`` is ``revenue``."""
    kind, *within = external_id.split(":")
    return f"{kind}_{within[1].removesuffix('_due')}" if kind in ("loan", "investor") else kind


def _amount(side: Side | None, debits: int, credits: int) -> int:
    return debits - credits if side == "debit" else credits - debits


def _event(event_type: str, day: str, **data: Any) -> Event:
    common = {"currency": "USD", "effective_date": day, **data}
    return f"lendnow-{next(_numbers)}", {"type": event_type, "timestamp": f"{day}T09:00:00Z", "data": common}


def _of_loan(event_type: str, day: str, loan_id: str, **data: Any) -> Event:
    return _event(event_type, day, loan_id=loan_id, **data)


def _created(loan_id: str, recognition: str, day: str) -> Event:
    shares: list[Mapping[str, str]] = [{"investor_id": INVESTOR, "share": "0.5"}]
    agreement = {"borrower_id": "Borrower 1", "company_id": COMPANY, "connection_id": COMPANY}
    return _of_loan("loan.created", day, loan_id, **agreement, interest_recognition=recognition, investors=shares)


def _disbursed(loan_id: str, day: str, interest: str) -> Event:
    return _of_loan("loan.disbursed", day, loan_id, drawdown_id="D1", amount="10000.00", interest=interest)


def _accrued(loan_id: str, day: str, accrual_id: str) -> Event:
    return _of_loan("loan.interest_accrued", day, loan_id, accrual_id=accrual_id, amount="50.00")


def _repaid(loan_id: str, day: str, repayment_id: str) -> Event:
    split = {"principal": "1000.00", "interest": "50.00", "fees": "0", "amount": "1050.00"}
    return _of_loan("loan.repayment_settled", day, loan_id, repayment_id=repayment_id, **split)


def _distributed(day: str) -> Event:
    return _event("capital.distributed", day, investor_id=INVESTOR, principal="10000.00", interest="250.00")
