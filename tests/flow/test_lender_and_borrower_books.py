"""From a signed webhook to both sets of books, in every profile."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.flow.borrower import Books, Borrower
from tests.flow.stack import Stack

PROFILES = ("matched", "codat-2023", "codat-2026")
THIRDS = (("333.33", "66.67"), ("333.33", "66.67"), ("333.34", "66.66"))


async def drawn(stack: Stack, profile: str, platform: str = "Xero", **terms: str) -> tuple[Borrower, Books]:
    """A borrower with £1000 drawn under this profile, and its books before that."""
    borrower = await Borrower.on(stack, platform)
    await borrower.map(profile)
    before = await borrower.books()
    await borrower.agree()
    await borrower.tell("loan.disbursed", drawdown_id="D1", amount="1000.00", **terms)
    await stack.settled()
    return borrower, before


def moved(before: Books, after: Books) -> tuple[Decimal, Decimal, Decimal]:
    """How far L, B and E moved."""
    return after.lender - before.lender, after.bank - before.bank, after.expense - before.expense


def new_lines(before: Books, after: Books) -> list[Decimal]:
    """The amounts of the lines that came onto the lender's statement."""
    return [Decimal(line["amount"]) for line in after.lines[len(before.lines) :]]


def pounds(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(amount) for amount in amounts)


@pytest.mark.parametrize(
    ("profile", "line"), [("matched", "-1000.00"), ("codat-2023", "1000.00"), ("codat-2026", "-1000.00")]
)
async def test_a_drawdown_moves_money_from_the_lender_to_the_borrower_and_shows_one_line(
    stack: Stack, profile: str, line: str
) -> None:
    borrower, before = await drawn(stack, profile)

    after = await borrower.books()

    assert moved(before, after) == pounds("-1000.00", "1000.00", "0")
    assert new_lines(before, after) == list(pounds(line))
    assert (await borrower.ledger())[f"Principal - Loan {borrower.loan_id}"] == Decimal("1000.00")


@pytest.mark.parametrize(
    ("profile", "books", "lines"),
    [
        ("matched", ("0", "-200.00", "200.00"), ["-1000.00"] + ["400.00", "-66.67"] * 2 + ["400.00", "-66.66"]),
        ("codat-2023", ("-200.00", "0", "200.00"), ["1000.00", "400.00", "400.00", "400.00"]),
        ("codat-2026", ("0", "-200.00", "200.00"), ["-1000.00", "400.00", "400.00", "400.00"]),
    ],
)
async def test_three_repayments_of_four_hundred_close_a_loan_of_a_thousand(
    stack: Stack, profile: str, books: tuple[str, str, str], lines: list[str]
) -> None:
    borrower, before = await drawn(stack, profile)
    for number, (principal, interest) in enumerate(THIRDS, 1):
        await borrower.tell("loan.interest_accrued", accrual_id=f"A{number}", amount=interest)
        split = {"principal": principal, "interest": interest, "fees": "0"}
        await borrower.tell("loan.repayment_settled", repayment_id=f"R{number}", amount="400.00", **split)
    await borrower.tell("loan.closed")
    await stack.settled()

    after = await borrower.books()

    assert moved(before, after) == pounds(*books)
    assert new_lines(before, after) == list(pounds(*lines))
    if profile == "matched":
        assert after.statement - before.statement == after.lender - before.lender
    loan_accounts = {name: amount for name, amount in (await borrower.ledger()).items() if borrower.loan_id in name}
    assert loan_accounts == {}
    rows = await stack.fetch("select closed_on from loans where loan_id = $1", borrower.loan_id)
    assert rows[0]["closed_on"] is not None


@pytest.mark.parametrize(
    ("profile", "split", "books", "records"),
    [
        ("matched", ("0", "30.00", "20.00"), ("0", "-50.00", "50.00"), (1, 1, ["50.00", "-50.00"])),
        ("codat-2023", ("0", "30.00", "20.00"), ("-50.00", "0", "50.00"), (0, 1, ["50.00"])),
        ("codat-2026", ("0", "30.00", "20.00"), ("0", "-50.00", "50.00"), (1, 1, ["50.00"])),
        ("matched", ("250.00", "0", "0"), ("250.00", "-250.00", "0"), (1, 0, ["250.00"])),
        ("codat-2023", ("250.00", "0", "0"), ("250.00", "-250.00", "0"), (1, 0, ["250.00"])),
        ("codat-2026", ("250.00", "0", "0"), ("250.00", "-250.00", "0"), (1, 0, ["250.00"])),
    ],
)
async def test_a_repayment_of_costs_only_or_of_principal_only_leaves_out_what_is_zero(
    stack: Stack,
    profile: str,
    split: tuple[str, str, str],
    books: tuple[str, str, str],
    records: tuple[int, int, list[str]],
) -> None:
    borrower, _ = await drawn(stack, profile)
    await borrower.tell("loan.interest_accrued", accrual_id="A1", amount="30.00")
    await borrower.tell("loan.fee_charged", fee_id="F1", amount="20.00", kind="late")
    before = await borrower.books()
    principal, interest, fees = split
    await borrower.tell("loan.repayment_settled", repayment_id="R1", principal=principal, interest=interest, fees=fees)
    await stack.settled()

    after = await borrower.books()

    transfers = len(after.records("transfers")) - len(before.records("transfers"))
    direct_costs = len(after.records("directCosts")) - len(before.records("directCosts"))
    assert moved(before, after) == pounds(*books)
    assert (transfers, direct_costs, new_lines(before, after)) == (*records[:2], list(pounds(*records[2])))


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_reversed_repayment_is_compensated_in_both_books(stack: Stack, profile: str) -> None:
    borrower, _ = await drawn(stack, profile)
    await borrower.tell("loan.interest_accrued", accrual_id="A1", amount="66.67")
    await stack.settled()
    before, owed = await borrower.books(), await borrower.ledger()
    split = {"principal": "333.33", "interest": "66.67", "fees": "0"}
    await borrower.tell("loan.repayment_settled", repayment_id="R1", **split)
    await borrower.tell("loan.repayment_reversed", repayment_id="R1", reason="returned unpaid")
    await stack.settled()

    after = await borrower.books()

    assert moved(before, after) == pounds("0", "0", "0")
    assert sum(new_lines(before, after)) == 0
    assert new_lines(before, after) != []
    assert await borrower.ledger() == owed


@pytest.mark.parametrize(
    ("profile", "lines"),
    [("matched", ["-50.00"]), ("codat-2023", ["50.00"]), ("codat-2026", ["-50.00"])],
)
async def test_an_overpayment_is_part_of_the_total_and_is_refunded(
    stack: Stack, profile: str, lines: list[str]
) -> None:
    borrower, start = await drawn(stack, profile)
    split = {"principal": "1000.00", "interest": "0", "fees": "0", "overpayment": "50.00", "amount": "1050.00"}
    await borrower.tell("loan.repayment_settled", repayment_id="R1", **split)
    await stack.settled()
    overpaid = await borrower.books()
    assert moved(start, overpaid) == pounds("50.00", "-50.00", "0")
    assert (await borrower.ledger())[f"Borrower Payable - Loan {borrower.loan_id}"] == Decimal("50.00")

    await borrower.tell("loan.refunded", refund_id="X1", amount="50.00")
    await stack.settled()

    after = await borrower.books()
    assert moved(start, after) == pounds("0", "0", "0")
    assert new_lines(overpaid, after) == list(pounds(*lines))
    assert not [name for name in await borrower.ledger() if borrower.loan_id in name]


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_repayment_reaches_the_borrowers_books_when_it_settles_and_not_before(
    stack: Stack, profile: str
) -> None:
    borrower, before = await drawn(stack, profile)
    drawn_only = await borrower.books()
    split = {"principal": "400.00", "interest": "0", "fees": "0"}
    await borrower.tell("loan.repayment_initiated", repayment_id="R1", **split)
    await borrower.tell("loan.repayment_initiated", repayment_id="R2", **split)
    await stack.settled()
    assert moved(drawn_only, await borrower.books()) == pounds("0", "0", "0")
    assert (await borrower.ledger())[f"Principal - Loan {borrower.loan_id}"] == Decimal("1000.00")

    await borrower.tell("loan.repayment_settled", repayment_id="R1", **split)
    await borrower.tell("loan.repayment_failed", repayment_id="R2", reason="insufficient funds")
    await stack.settled()

    assert moved(before, await borrower.books()) == pounds("-600.00", "600.00", "0")
    assert (await borrower.ledger())[f"Principal - Loan {borrower.loan_id}"] == Decimal("600.00")
    rows = await stack.fetch(
        "select status from ledger_transactions where metadata->>'loanID' = $1 and external_id like '%repayment%'"
        " order by external_id",
        borrower.loan_id,
    )
    assert [row["status"] for row in rows] == ["posted", "archived"]


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_fee_kept_back_from_a_drawdown_is_a_cost_of_its_own(stack: Stack, profile: str) -> None:
    borrower, before = await drawn(stack, profile, fee="40.00")

    after = await borrower.books()

    assert moved(before, after) == pounds("-1000.00", "960.00", "40.00")
    ledger = await borrower.ledger()
    assert ledger[f"Principal - Loan {borrower.loan_id}"] == Decimal("1000.00")
