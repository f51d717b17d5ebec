"""What each event writes into the lender's ledger (contract, section 5)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.loans.books import MemoryBooks
from tests.loans.events import Delivery, LoanSystem
from tests.loans.rulebooks import TAKING_BACK
from worker.ledger.transaction import Direction
from worker.loans.batch import Batch
from worker.loans.postings import Postings, transaction_id

PRINCIPAL, INTEREST, FEES, PAYABLE = (f"loan:L1:{part}:GBP" for part in ("principal", "interest", "fees", "payable"))
CASH, UNAPPLIED, EXPENSES, CHARGE_OFF = "cash:GBP", "unapplied_cash:GBP", "expenses:GBP", "charge_off:GBP"
REVENUE_INTEREST, REVENUE_FEES = "revenue:interest:GBP", "revenue:fees:GBP"


def written_by(books: MemoryBooks, event: Delivery) -> tuple[dict[str, int], dict[str, int]]:
    """Debits and credits by account of the one transaction the event adds."""
    before = set(books.ledger.live)
    books.deliver(event)
    [added] = set(books.ledger.live) - before
    entries = books.ledger.live[added].entries
    sides = [
        {str(entry.account): entry.amount for entry in entries if entry.direction is side}
        for side in (Direction.DEBIT, Direction.CREDIT)
    ]
    return sides[0], sides[1]


def taking_back() -> MemoryBooks:
    """Books of a lender who takes back revenue when interest and fees are written off."""
    return MemoryBooks(Batch({}, {}, {}, Postings(TAKING_BACK)))


def a_loan(
    system: LoanSystem, recognition: str = "accrual", books: MemoryBooks | None = None, **shares: str
) -> MemoryBooks:
    """1000.00 drawn, 50.00 accrued, a fee of 10.00, and 20.00 of the principal written off."""
    books = (books or MemoryBooks()).deliver(
        system.create(recognition, **shares), system.tell("loan.disbursed", drawdown_id="D1", amount=1_000_00)
    )
    if recognition == "accrual":
        books.deliver(system.tell("loan.interest_accrued", accrual_id="A1", amount=50_00))
    return books.deliver(
        system.tell("loan.fee_charged", fee_id="F1", amount=10_00, kind="late"),
        system.tell("loan.written_off", principal=20_00),
        system.settle("R0", over=5_00),
    )


SPLIT = {"principal": 100_00, "interest": 10_00, "fees": 2_00}


@pytest.mark.parametrize(
    ("event_type", "data", "debits", "credits"),
    [
        ("capital.contributed", {"investor_id": "I", "amount": 7}, {CASH: 7}, {"investor:I:principal_due:GBP": 7}),
        (
            "loan.disbursed",
            {"drawdown_id": "D2", "amount": 500_00, "fee": 15_00},
            {PRINCIPAL: 500_00},
            {CASH: 485_00, REVENUE_FEES: 15_00},
        ),
        ("loan.interest_accrued", {"accrual_id": "A2", "amount": 9}, {INTEREST: 9}, {REVENUE_INTEREST: 9}),
        ("loan.fee_charged", {"fee_id": "F2", "amount": 9, "kind": "nsf"}, {FEES: 9}, {REVENUE_FEES: 9}),
        ("loan.fee_waived", {"fee_id": "F1", "amount": 9, "kind": "late"}, {REVENUE_FEES: 9}, {FEES: 9}),
        (
            "loan.repayment_initiated",
            {"repayment_id": "R1", **SPLIT},
            {CASH: 112_00},
            {PRINCIPAL: 100_00, INTEREST: 10_00, FEES: 2_00},
        ),
        (
            "loan.repayment_settled",
            {"repayment_id": "R1", **SPLIT, "overpayment": 3_00},
            {CASH: 115_00},
            {PRINCIPAL: 100_00, INTEREST: 10_00, FEES: 2_00, PAYABLE: 3_00},
        ),
        ("loan.repayment_reversed", {"repayment_id": "R0", "reason": "R02"}, {PAYABLE: 5_00}, {CASH: 5_00}),
        (
            "loan.interest_rebated",
            {"rebate_id": "B1", "amount": 9, "kind": "early pay-off"},
            {REVENUE_INTEREST: 9},
            {INTEREST: 9},
        ),
        ("loan.refunded", {"refund_id": "X1", "amount": 4}, {PAYABLE: 4}, {CASH: 4}),
        (
            "loan.written_off",
            {"principal": 3, "interest": 2, "fees": 1},
            {CHARGE_OFF: 6},
            {PRINCIPAL: 3, INTEREST: 2, FEES: 1},
        ),
        ("loan.recovered", {"amount": 4}, {CASH: 4}, {CHARGE_OFF: 4}),
        (
            "loan.repayment_settled",
            {"repayment_id": "R1", **SPLIT, "processing_cost": 2_50},
            {CASH: 109_50, EXPENSES: 2_50},
            {PRINCIPAL: 100_00, INTEREST: 10_00, FEES: 2_00},
        ),
        (
            "loan.repayment_settled",
            {"repayment_id": "R1", **SPLIT, "unapplied_cash": 112_00},
            {UNAPPLIED: 112_00},
            {PRINCIPAL: 100_00, INTEREST: 10_00, FEES: 2_00},
        ),
        ("cash.received", {"amount": 4}, {CASH: 4}, {UNAPPLIED: 4}),
        ("cash.swept", {"amount": 4}, {"cash:reserve:GBP": 4}, {CASH: 4}),
        ("expense.incurred", {"amount": 4, "kind": "bank fee"}, {EXPENSES: 4}, {CASH: 4}),
    ],
)
def test_an_event_writes_its_entries(
    event_type: str, data: dict[str, object], debits: dict[str, int], credits: dict[str, int]
) -> None:
    system = LoanSystem()
    assert written_by(a_loan(system), system.tell(event_type, **data)) == (debits, credits)


def test_a_distribution_pays_an_investor_what_is_due() -> None:
    system = LoanSystem()
    books = a_loan(system, MoneyNow="0.5")
    books.deliver(system.tell("capital.contributed", investor_id="MoneyNow", amount=100))
    paid_out = system.tell("capital.distributed", investor_id="MoneyNow", principal=100, interest=25_00)

    due = {"investor:MoneyNow:principal_due:GBP": 100, "investor:MoneyNow:interest_due:GBP": 25_00}
    assert written_by(books, paid_out) == (due, {CASH: 26_00})


@pytest.mark.parametrize("recognition", ["at_disbursement", "accrual"])
def test_a_rebate_takes_back_what_revenue_and_investors_earned_and_its_reversal_gives_it_again(
    recognition: str,
) -> None:
    system = LoanSystem()
    books = MemoryBooks().deliver(
        system.create(recognition, MoneyNow="0.5", Jane="0.25"),
        system.tell(
            "loan.disbursed", drawdown_id="D1", amount=1_000_00, interest=200_00 * (recognition == "at_disbursement")
        ),
    )
    if recognition == "accrual":
        books.deliver(system.tell("loan.interest_accrued", accrual_id="A1", amount=200_00))

    taken_back = {
        "investor:MoneyNow:interest_due:GBP": 50_02,  # 50.015 half-even
        "investor:Jane:interest_due:GBP": 25_01,  # 25.0075
        REVENUE_INTEREST: 25_00,
    }
    assert written_by(books, system.rebate("B1", 100_03)) == (taken_back, {INTEREST: 100_03})
    assert written_by(books, system.reverse_rebate("B1")) == ({INTEREST: 100_03}, taken_back)


def test_a_repayment_initiated_is_posted_anew_when_a_processor_kept_some_of_it() -> None:
    system = LoanSystem()
    books = a_loan(system)
    books.deliver(system.initiate("R1", **SPLIT), system.settle("R1", **SPLIT, processing_cost=2_50))
    assert [reason for _, reason in books.ledger.archived] == ["superseded: settled with another split"]
    owed = {PRINCIPAL: 100_00, INTEREST: 10_00, FEES: 2_00}
    assert written_by(books, system.reverse("R1")) == (owed, {CASH: 109_50, EXPENSES: 2_50})


def test_investors_bear_of_a_write_off_what_the_event_says() -> None:
    system = LoanSystem()
    books = a_loan(system, MoneyNow="0.5", Jane="0.25")
    given_up = system.lose({"MoneyNow": 60_00, "Jane": 15_00}, principal=100_00, interest=10_00, fees=1_00)

    borne = {"investor:MoneyNow:principal_due:GBP": 60_00, "investor:Jane:principal_due:GBP": 15_00}
    owed = {PRINCIPAL: 100_00, INTEREST: 10_00, FEES: 1_00}
    assert written_by(books, given_up) == ({CHARGE_OFF: 36_00, **borne}, owed)


def test_a_lender_may_take_back_what_was_recognised_when_it_is_written_off() -> None:
    system = LoanSystem()
    books = a_loan(system, books=taking_back(), MoneyNow="0.5", Jane="0.25")
    given_up = system.lose({"MoneyNow": 80_00}, principal=100_00, interest=10_03, fees=1_00)

    taken_back = {
        "investor:MoneyNow:interest_due:GBP": 5_02,  # 5.015 half-even
        "investor:Jane:interest_due:GBP": 2_51,  # 2.5075
        REVENUE_INTEREST: 2_50,
        REVENUE_FEES: 1_00,
    }
    borne = {"investor:MoneyNow:principal_due:GBP": 80_00, CHARGE_OFF: 20_00}
    assert written_by(books, given_up) == (borne | taken_back, {PRINCIPAL: 100_00, INTEREST: 10_03, FEES: 1_00})


@given(st.integers(1, 10**12), st.lists(st.integers(0, 100), min_size=1, max_size=10))
def test_what_is_taken_back_is_divided_as_it_was_recognised_and_adds_up(interest: int, weights: list[int]) -> None:
    system, whole = LoanSystem(), max(sum(weights), 1)
    shares = {f"I{n}": f"{Decimal(weight * 10**6 // whole).scaleb(-6):f}" for n, weight in enumerate(weights)}
    books = taking_back().deliver(
        system.create("accrual", **shares), system.tell("loan.disbursed", drawdown_id="D1", amount=1)
    )

    debits, recognised = written_by(books, system.tell("loan.interest_accrued", accrual_id="A1", amount=interest))
    taken_back, credits = written_by(books, system.tell("loan.written_off", interest=interest))

    assert debits == credits == {INTEREST: interest}
    assert taken_back == recognised
    assert sum(taken_back.values()) == interest
    assert books.ledger.balances() == {PRINCIPAL: 1, CASH: -1}


def test_interest_at_disbursement_is_shared_when_the_money_goes_out() -> None:
    system = LoanSystem()
    books = MemoryBooks().deliver(system.create("at_disbursement", MoneyNow="0.5", Jane="0.25"))
    drawn = system.tell("loan.disbursed", drawdown_id="D1", amount=1_000_00, interest=200_00)

    debits, credits = written_by(books, drawn)

    assert debits == {PRINCIPAL: 1_000_00, INTEREST: 200_00}
    assert credits == {
        CASH: 1_000_00,
        "investor:MoneyNow:interest_due:GBP": 100_00,
        "investor:Jane:interest_due:GBP": 50_00,
        REVENUE_INTEREST: 50_00,
    }


@pytest.mark.parametrize(("interest", "investors"), [(1, 0), (3, 2), (5, 2), (7, 4)])
def test_half_a_minor_unit_of_a_share_goes_to_the_even_side(interest: int, investors: int) -> None:
    system = LoanSystem()
    books = a_loan(system, MoneyNow="0.5")
    _, credits = written_by(books, system.tell("loan.interest_accrued", accrual_id="A2", amount=interest))
    assert credits.get("investor:MoneyNow:interest_due:GBP", 0) == investors
    assert credits.get(REVENUE_INTEREST, 0) == interest - investors


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1), min_size=2, max_size=2))
def test_no_two_facts_share_a_transaction_id(ids: list[str]) -> None:
    loan_id, fact_id = ids
    read = transaction_id("loan.disbursed", loan_id, fact_id).split(":")
    assert [part.replace("%3A", ":").replace("%25", "%") for part in read] == ["loan.disbursed", loan_id, fact_id]


def test_a_transaction_names_its_type_its_loan_and_its_event() -> None:
    system = LoanSystem()
    books = a_loan(system)
    event = system.tell("loan.fee_charged", fee_id="F9", amount=1, kind="nsf")
    books.deliver(event)

    written = books.ledger.live["loan.fee_charged:L1:F9"]
    assert written.description == "Fee F9 (nsf) of loan L1"
    assert written.metadata == {"transactionType": "loan.fee_charged", "loanID": "L1", "event_id": event.webhook_id}
