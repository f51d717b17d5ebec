"""What one event does to a loan: the cases a person will ask about, each with the reason they will read."""

from __future__ import annotations

import pytest

from tests.loans.books import MemoryBooks
from tests.loans.events import Delivery, LoanSystem
from worker.ledger.transaction import Status
from worker.loans.decision import Apply, Duplicate, Hold, Refuse

REPAYMENT = "loan.repayment:L1:R1"


@pytest.fixture
def system() -> LoanSystem:
    return LoanSystem()


@pytest.fixture
def books(system: LoanSystem) -> MemoryBooks:
    """A loan that accrues interest, with 1000.00 drawn, 50.00 of interest and a fee of 10.00."""
    return MemoryBooks().deliver(
        system.create("accrual", MoneyNow="0.5"),
        system.tell("loan.disbursed", drawdown_id="D1", amount=1_000_00),
        system.tell("loan.interest_accrued", accrual_id="A1", amount=50_00),
        system.tell("loan.fee_charged", fee_id="F1", amount=10_00, kind="late"),
    )


def why_held(books: MemoryBooks, event: Delivery) -> tuple[str, set[str]]:
    decision = books.deliver(event).decision(event)
    assert isinstance(decision, Hold)
    return decision.reason, set(decision.needs)


def why_refused(books: MemoryBooks, event: Delivery) -> tuple[str, str]:
    decision = books.deliver(event).decision(event)
    assert isinstance(decision, Refuse)
    return decision.field, decision.reason


class TestAnEventThatComesTooEarlyWaits:
    def test_before_its_loan_exists(self, system: LoanSystem) -> None:
        early = system.tell("loan.disbursed", drawdown_id="D1", amount=1_000_00)
        assert why_held(MemoryBooks(), early) == ("loan L1 has not been created yet", {"loan.created"})

    def test_before_anything_was_drawn(self, system: LoanSystem) -> None:
        books = MemoryBooks().deliver(system.create())
        drawn_first = ("nothing has been drawn on loan L1 yet", {"loan.disbursed"})
        assert why_held(books, system.settle("R1", principal=1)) == drawn_first
        assert why_held(books, system.initiate("R2", principal=1)) == drawn_first
        assert why_held(books, system.tell("loan.refunded", refund_id="X1", amount=1)) == drawn_first
        assert why_held(books, system.tell("loan.written_off", principal=1)) == drawn_first
        assert why_held(books, system.tell("loan.recovered", amount=1)) == drawn_first

    def test_a_failure_before_its_repayment(self, books: MemoryBooks, system: LoanSystem) -> None:
        reason = "repayment R1 failed before it was told to be initiated"
        assert why_held(books, system.fail("R1")) == (reason, {"initiated:R1"})

    def test_a_reversal_before_its_repayment_settled(self, books: MemoryBooks, system: LoanSystem) -> None:
        books.deliver(system.initiate("R1", principal=1))
        assert why_held(books, system.reverse("R1")) == (
            "repayment R1 is reversed before it settled",
            {"settled:repayment:R1"},
        )

    def test_a_waiver_before_its_fee(self, books: MemoryBooks, system: LoanSystem) -> None:
        waiver = system.tell("loan.fee_waived", fee_id="F2", amount=1, kind="late")
        assert why_held(books, waiver) == ("fee F2 is waived before it was charged", {"fee:F2"})

    def test_a_repayment_of_more_than_is_outstanding(self, books: MemoryBooks, system: LoanSystem) -> None:
        reason, needs = why_held(books, system.settle("R1", principal=1_200_00, interest=60_00, fees=10_00))
        assert reason == (
            "repayment R1 takes 1200.00 GBP of principal where 1000.00 GBP is outstanding"
            " and 60.00 GBP of interest where 50.00 GBP is outstanding"
        )
        assert needs == {"principal", "interest", "reversal:repayment:R1"}

    def test_a_waiver_of_a_fee_that_was_paid(self, books: MemoryBooks, system: LoanSystem) -> None:
        waiver = system.tell("loan.fee_waived", fee_id="F1", amount=4_00, kind="late")
        books.deliver(system.settle("R1", fees=10_00))
        reason = "the waiver of fee F1 takes 4.00 GBP of fees where 0.00 GBP is outstanding"
        assert why_held(books, waiver) == (reason, {"fees"})

    def test_a_refund_of_more_than_was_overpaid(self, books: MemoryBooks, system: LoanSystem) -> None:
        books.deliver(system.settle("R1", over=5_00))
        reason = "refund X1 takes 6.00 GBP of an overpayment where 5.00 GBP is outstanding"
        assert why_held(books, system.tell("loan.refunded", refund_id="X1", amount=6_00)) == (reason, {"overpayment"})

    def test_a_recovery_of_more_than_was_written_off(self, books: MemoryBooks, system: LoanSystem) -> None:
        recovered = system.tell("loan.recovered", amount=6_00)
        books.deliver(system.tell("loan.written_off", principal=5_00))
        reason, needs = why_held(books, recovered)
        assert reason.endswith("takes 6.00 GBP of what was written off where 5.00 GBP is outstanding")
        assert needs == {"write_off"}

    def test_a_closing_while_anything_is_owed(self, books: MemoryBooks, system: LoanSystem) -> None:
        books.deliver(system.initiate("R1", principal=1), system.settle("R2", over=3_00))
        assert why_held(books, system.tell("loan.closed")) == (
            "loan L1 closes, but 1000.00 GBP of principal is outstanding, 50.00 GBP of interest is outstanding, "
            "10.00 GBP of fees is outstanding, 3.00 GBP is owed to the borrower, repayments under way: 1",
            {"settled_up"},
        )


class TestAnEventThatCanNeverBeRightIsRefused:
    def test_in_another_currency(self, books: MemoryBooks) -> None:
        dollars = LoanSystem(currency="USD", sent=50)
        assert why_refused(books, dollars.settle("R1", principal=1)) == (
            "data.currency",
            "loan L1 is in GBP, the event is in USD",
        )

    def test_a_loan_created_again_on_other_terms(self, books: MemoryBooks, system: LoanSystem) -> None:
        again = system.create("at_disbursement", MoneyNow="0.5")
        reason = "loan L1 was already created with another interest_recognition"
        assert why_refused(books, again) == ("data.interest_recognition", reason)

    @pytest.mark.parametrize(
        ("event_type", "field", "told", "contradicting"),
        [
            ("loan.disbursed", "amount", {"drawdown_id": "D1"}, 1_000_01),
            ("loan.interest_accrued", "amount", {"accrual_id": "A1"}, 50_01),
            ("loan.fee_charged", "amount", {"fee_id": "F1", "kind": "late"}, 10_01),
        ],
    )
    def test_a_fact_told_again_with_another_amount(
        self,
        books: MemoryBooks,
        system: LoanSystem,
        event_type: str,
        field: str,
        told: dict[str, str],
        contradicting: int,
    ) -> None:
        refused_field, reason = why_refused(books, system.tell(event_type, **told, amount=contradicting))
        assert refused_field == f"data.{field}"
        assert "was already told with amount" in reason

    def test_interest_at_disbursement_on_a_loan_that_accrues(self, books: MemoryBooks, system: LoanSystem) -> None:
        both = system.tell("loan.disbursed", drawdown_id="D2", amount=1, interest=1)
        reason = "loan L1 recognises interest by accrual, so a drawdown can carry none"
        assert why_refused(books, both) == ("data.interest", reason)

    def test_an_accrual_on_a_loan_that_recognises_at_disbursement(self, system: LoanSystem) -> None:
        books = MemoryBooks().deliver(system.create("at_disbursement"))
        accrual = system.tell("loan.interest_accrued", accrual_id="A1", amount=1)
        reason = "loan L1 recognises interest at disbursement, so none can accrue"
        assert why_refused(books, accrual) == ("type", reason)

    def test_a_waiver_of_more_than_was_charged(self, books: MemoryBooks, system: LoanSystem) -> None:
        waiver = system.tell("loan.fee_waived", fee_id="F1", amount=10_01, kind="late")
        reason = "10.01 GBP of fee F1 is waived, 10.00 GBP was charged"
        assert why_refused(books, waiver) == ("data.amount", reason)

    def test_a_loss_of_somebody_who_is_no_investor_of_the_loan(self, books: MemoryBooks, system: LoanSystem) -> None:
        reason = "Jane is no investor of loan L1, so it bears none of its loss"
        written_off = system.lose({"MoneyNow": 1_00, "Jane": 1_00}, principal=5_00)
        assert why_refused(books, written_off) == ("data.losses[1].investor_id", reason)

    def test_a_second_settlement_with_another_split(self, books: MemoryBooks, system: LoanSystem) -> None:
        books.deliver(system.settle("R1", principal=100_00))
        reason = "repayment R1 was already told with principal 100.00 GBP, now with 99.00 GBP"
        assert why_refused(books, system.settle("R1", principal=99_00, interest=1_00)) == ("data.principal", reason)

    @pytest.mark.parametrize("part", ["unapplied_cash", "processing_cost"])
    def test_a_second_settlement_with_another_tender(self, books: MemoryBooks, system: LoanSystem, part: str) -> None:
        books.deliver(system.settle("R1", principal=100_00, **{part: 2_00}), system.reverse("R1"))
        reason = f"repayment R1 was already told with {part} 2.00 GBP, now with 0.00 GBP"
        assert why_refused(books, system.settle("R1", principal=100_00)) == (f"data.{part}", reason)

    def test_a_settlement_after_the_failure(self, books: MemoryBooks, system: LoanSystem) -> None:
        books.deliver(system.initiate("R1", principal=1), system.fail("R1"))
        field, reason = why_refused(books, system.settle("R1", principal=1))
        assert (field, reason.split(";")[0]) == ("data.repayment_id", "repayment R1 failed")

    def test_a_failure_after_the_settlement(self, books: MemoryBooks, system: LoanSystem) -> None:
        books.deliver(system.settle("R1", principal=1))
        reason = "repayment R1 settled, so it cannot fail any more; it can be reversed"
        assert why_refused(books, system.fail("R1")) == ("data.repayment_id", reason)

    def test_a_failure_that_waited_for_a_repayment_which_then_settled(
        self, books: MemoryBooks, system: LoanSystem
    ) -> None:
        failure = system.fail("R1")
        books.deliver(failure, system.settle("R1", principal=1))
        assert isinstance(books.decision(failure), Refuse)
        assert books.held == {}

    def test_a_reversal_that_waited_for_a_repayment_which_then_failed(
        self, books: MemoryBooks, system: LoanSystem
    ) -> None:
        reversal = system.reverse("R1")
        books.deliver(reversal, system.initiate("R1", principal=1), system.fail("R1"))
        assert isinstance(books.decision(reversal), Refuse)
        assert books.held == {}


class TestAFactToldAgainChangesNothing:
    def test_whatever_the_fact(self, books: MemoryBooks, system: LoanSystem) -> None:
        def told() -> list[Delivery]:
            return [
                system.create("accrual", MoneyNow="0.5"),
                system.tell("loan.disbursed", drawdown_id="D1", amount=1_000_00),
                system.tell("loan.interest_accrued", accrual_id="A1", amount=50_00),
                system.tell("loan.fee_charged", fee_id="F1", amount=10_00, kind="late"),
                system.tell("loan.fee_waived", fee_id="F1", amount=2_00, kind="late"),
                system.initiate("R1", principal=10_00),
                system.settle("R1", principal=10_00, over=5_00),
                system.tell("loan.refunded", refund_id="X1", amount=5_00),
                system.reverse("R1"),
                system.initiate("R2", principal=10_00),
                system.fail("R2"),
                system.rebate("B1", 9_00),
                system.reverse_rebate("B1"),
            ]

        books.deliver(*told())
        before = (books.ledger.contents(), dict(books.batch.loans), list(books.movements), books.ledger.archived[:])
        again = told()
        books.deliver(*again)

        assert {type(books.decision(event)) for event in again} == {Duplicate}
        assert before == (books.ledger.contents(), books.batch.loans, books.movements, books.ledger.archived)


class TestARebate:
    def test_leaves_less_interest_to_repay(self, books: MemoryBooks, system: LoanSystem) -> None:
        books.deliver(system.rebate("B1", 20_00), system.settle("R1", principal=1_000_00, interest=30_00))
        assert books.held == {}
        assert books.batch.loans["L1"].outstanding.interest == 0

    def test_of_more_interest_than_is_owed_waits(self, books: MemoryBooks, system: LoanSystem) -> None:
        reason = "rebate B1 takes 50.01 GBP of interest where 50.00 GBP is outstanding"
        assert why_held(books, system.rebate("B1", 50_01)) == (reason, {"interest", "reversal:rebate:B1"})
        books.deliver(system.tell("loan.interest_accrued", accrual_id="A2", amount=1))
        assert books.held == {}

    def test_told_again_with_another_amount_is_refused(self, books: MemoryBooks, system: LoanSystem) -> None:
        books.deliver(system.rebate("B1", 20_00))
        reason = "rebate B1 was already told with amount 20.00 GBP, now with 19.99 GBP"
        assert why_refused(books, system.rebate("B1", 19_99)) == ("data.amount", reason)

    def test_and_a_repayment_may_have_the_same_id(self, books: MemoryBooks, system: LoanSystem) -> None:
        books.deliver(system.rebate("1", 20_00), system.reverse("1"))
        assert len(books.held) == 1
        books.deliver(system.settle("1", interest=5_00))
        assert books.held == {}
        assert books.batch.loans["L1"].outstanding.interest == 30_00

    @pytest.mark.parametrize("reversal_first", [False, True], ids=["told in order", "reversal first"])
    def test_taken_back_is_owed_again(self, books: MemoryBooks, system: LoanSystem, reversal_first: bool) -> None:
        before = books.ledger.balances()
        told = [system.rebate("B1", 33_33), system.reverse_rebate("B1")]
        books.deliver(*(reversed(told) if reversal_first else told))
        assert books.held == {}
        assert books.batch.loans["L1"].outstanding.interest == 50_00
        assert books.ledger.balances() == before
        again = system.reverse_rebate("B1")
        books.deliver(again)
        assert books.decision(again) == Duplicate("rebate B1 had already been reversed")

    def test_taken_back_frees_it_from_waiting_for_interest_that_was_repaid(
        self, books: MemoryBooks, system: LoanSystem
    ) -> None:
        rebate = system.rebate("B1", 50_00)
        books.deliver(system.settle("R1", interest=50_00), rebate)
        assert isinstance(books.decision(rebate), Hold)

        books.deliver(system.reverse_rebate("B1"))

        assert books.held == {}
        assert books.batch.loans["L1"].outstanding.interest == 0

    def test_closes_a_loan_that_is_paid_off_early(self, system: LoanSystem) -> None:
        books = MemoryBooks().deliver(
            system.create("at_disbursement", MoneyNow="0.5"),
            system.tell("loan.disbursed", drawdown_id="D1", amount=1_000_00, interest=200_00),
            system.settle("R1", principal=1_000_00, interest=120_00),
            system.tell("loan.closed"),
        )
        assert len(books.held) == 1
        books.deliver(system.rebate("B1", 80_00))
        assert books.batch.loans["L1"].closed
        due, revenue = "investor:MoneyNow:interest_due:GBP", "revenue:interest:GBP"
        assert books.ledger.balances() == {"cash:GBP": 120_00, due: -60_00, revenue: -60_00}


class TestARepaymentUnderWay:
    def test_is_pending_and_not_written_back(self, books: MemoryBooks, system: LoanSystem) -> None:
        books.deliver(system.initiate("R1", principal=100_00))
        assert books.ledger.live[REPAYMENT].status is Status.PENDING
        assert len(books.movements) == 1  # the drawdown

    def test_is_posted_when_it_settles_as_initiated(self, books: MemoryBooks, system: LoanSystem) -> None:
        books.deliver(system.initiate("R1", principal=100_00), system.settle("R1", principal=100_00))
        assert books.ledger.live[REPAYMENT].status is Status.POSTED
        assert books.ledger.archived == []
        assert len(books.movements) == 2

    def test_is_replaced_when_it_settles_with_another_split(self, books: MemoryBooks, system: LoanSystem) -> None:
        settled = system.settle("R1", principal=90_00, interest=10_00)
        at_once = MemoryBooks().deliver(
            system.create("accrual", MoneyNow="0.5"),
            system.tell("loan.disbursed", drawdown_id="D1", amount=1_000_00),
            system.tell("loan.interest_accrued", accrual_id="A1", amount=50_00),
            settled,
        )
        books.deliver(system.initiate("R1", principal=100_00), settled)
        assert books.ledger.contents()[REPAYMENT] == at_once.ledger.contents()[REPAYMENT]
        assert books.ledger.archived == [(REPAYMENT, "superseded: settled with another split")]

    @pytest.mark.parametrize("failure_first", [False, True], ids=["initiated first", "failed first"])
    def test_is_archived_when_it_fails(self, books: MemoryBooks, system: LoanSystem, failure_first: bool) -> None:
        told = [system.initiate("R1", principal=100_00), system.fail("R1")]
        books.deliver(*(reversed(told) if failure_first else told))
        assert REPAYMENT not in books.ledger.live
        assert books.ledger.archived == [(REPAYMENT, "failed: R01")]
        assert books.held == {}

    def test_initiated_after_it_settled_changes_nothing(self, books: MemoryBooks, system: LoanSystem) -> None:
        late = system.initiate("R1", principal=55_00)
        books.deliver(system.settle("R1", principal=100_00), late)
        assert books.decision(late) == Duplicate("repayment R1 has got past being initiated: it settled")


class TestAReversal:
    def test_frees_its_own_repayment_from_waiting_for_money_that_is_not_there(
        self, books: MemoryBooks, system: LoanSystem
    ) -> None:
        """R2 collected again what R1 bounced; heard of first, R2 leaves nothing for R1 to repay."""
        bounced, collected = system.settle("R1", principal=1_000_00), system.settle("R2", principal=1_000_00)
        books.deliver(collected, bounced)
        assert isinstance(books.decision(bounced), Hold)

        books.deliver(system.reverse("R1"))

        assert books.held == {}
        assert books.batch.loans["L1"].outstanding.principal == 0

    def test_opens_a_closed_loan_again(self, system: LoanSystem) -> None:
        books = MemoryBooks().deliver(
            system.create(),
            system.tell("loan.disbursed", drawdown_id="D1", amount=100_00),
            system.settle("R1", principal=100_00),
            system.tell("loan.closed"),
        )
        told = (system.reverse("R1"), system.settle("R2", principal=100_00))
        closed = [books.batch.loans["L1"].closed]
        closed += [books.deliver(event).batch.loans["L1"].closed for event in told]
        assert closed == [True, False, True]

    @pytest.mark.parametrize("days", [("2026-03-02", "2026-04-02"), ("2026-04-02", "2026-03-02")])
    def test_leaves_a_loan_closed_on_the_later_day_whichever_is_heard_of_first(
        self, system: LoanSystem, days: tuple[str, str]
    ) -> None:
        books = MemoryBooks().deliver(
            system.create(),
            system.tell("loan.disbursed", drawdown_id="D1", amount=100_00),
            system.settle("R1", principal=100_00),
            *(system.tell("loan.closed", effective_date=day) for day in days),
        )
        assert str(books.batch.loans["L1"].closed_on) == "2026-04-02"

    def test_does_not_take_back_a_refund_that_was_paid_out(self, books: MemoryBooks, system: LoanSystem) -> None:
        refund = system.tell("loan.refunded", refund_id="X1", amount=5_00)
        books.deliver(system.settle("R1", over=5_00), system.reverse("R1"), refund)
        assert isinstance(books.decision(refund), Apply)
        assert books.batch.loans["L1"].outstanding.overpayment == -5_00
