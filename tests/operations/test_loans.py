"""Loans under ``/v1/loans``: terms, totals and what is outstanding, as exact amounts."""

from __future__ import annotations

from tests.loans.events import LoanSystem
from tests.loans.station import Station
from tests.operations.conftest import Api, Story

NOTHING = {"principal": "0.00", "interest": "0.00", "fees": "0.00", "overpayment": "0.00"}


async def test_a_loan_shows_its_terms_its_totals_and_what_is_outstanding(api: Api, story: Story) -> None:
    loan = await api.get("/v1/loans/L1")

    assert (loan["status"], loan["currency"], loan["interest_recognition"]) == ("active", "GBP", "accrual")
    assert loan["outstanding"] == {**NOTHING, "principal": "620.00"}
    assert loan["totals"]["disbursed"] == "1000.00"
    assert loan["totals"]["repaid"] == {**NOTHING, "principal": "380.00", "interest": "20.00"}


async def test_a_loan_shows_what_it_waits_for(api: Api, story: Story) -> None:
    loan = await api.get("/v1/loans/L1")

    assert [event["webhook_id"] for event in loan["held_events"]] == [story.held.webhook_id]
    assert [saga["movement"]["type"] for saga in loan["sagas"]] == ["repayment", "drawdown"]


async def test_a_loan_is_agreed_then_active_then_settled_then_closed(api: Api, station: Station) -> None:
    loan = LoanSystem()
    seen = []
    for told in (
        loan.create(INV="0.60"),
        loan.tell("loan.disbursed", drawdown_id="D1", amount=5_000),
        loan.settle("R1", principal=5_000),
        loan.tell("loan.closed"),
    ):
        await station.play(told)
        seen.append((await api.get("/v1/loans/L1"))["status"])

    assert seen == ["agreed", "active", "settled", "closed"]
    closed = await api.get("/v1/loans/L1")
    assert (closed["closed_on"], closed["outstanding"]) == ("2026-03-02", NOTHING)
    assert closed["investors"] == [{"investor_id": "INV", "share": "0.6"}]


async def test_amounts_have_the_decimals_of_their_currency(api: Api, station: Station) -> None:
    for currency, amount, shown in (("JPY", 12_345, "12345"), ("KWD", 12_345, "12.345")):
        loan = LoanSystem(loan_id=f"L-{currency}", currency=currency)
        await station.play(loan.create(), loan.tell("loan.disbursed", drawdown_id="D1", amount=amount))

        assert (await api.get(f"/v1/loans/L-{currency}"))["totals"]["disbursed"] == shown
        (saga,) = (await api.get(f"/v1/sagas?loan_id=L-{currency}"))["data"]
        assert saga["movement"]["amount"] == shown


async def test_loans_come_in_pages_by_their_ids(api: Api, station: Station) -> None:
    await station.play(*(LoanSystem(loan_id=loan_id).create() for loan_id in ("L3", "L1", "L2")))

    first = await api.get("/v1/loans?limit=2")
    second = await api.get(f"/v1/loans?limit=2&after={first['next']}")

    assert [loan["loan_id"] for loan in first["data"] + second["data"]] == ["L1", "L2", "L3"]
    assert second["next"] is None
