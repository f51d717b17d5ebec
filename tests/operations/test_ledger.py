"""The lender's books under ``/v1/ledger``."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.loans.events import LoanSystem
from tests.loans.station import Station
from tests.operations.conftest import Api
from worker.operations import reader

PRINCIPAL = f"/v1/ledger/accounts/{quote('loan:L1:principal:GBP', safe='')}/statement"


async def lend(station: Station) -> None:
    """A drawdown on the 2nd of March, repayments on the 5th (pending) and the 9th."""
    loan = LoanSystem()
    await station.play(loan.create(), loan.tell("loan.disbursed", drawdown_id="D1", amount=100_000))
    loan.day = "2026-03-05"
    await station.play(loan.initiate("R1", principal=30_000))
    loan.day = "2026-03-09"
    await station.play(loan.settle("R2", principal=40_000))


async def test_a_trial_balance_shows_every_account_on_its_side_and_equal_totals(api: Api, station: Station) -> None:
    await lend(station)

    document = await api.get("/v1/ledger/trial-balance")

    sides = {one["name"]: (one["debit"], one["credit"], one["pending"]) for one in document["accounts"]}
    assert sides == {
        "Cash": ("0.00", "600.00", "-300.00"),
        "Principal - Loan L1": ("600.00", "0.00", "300.00"),
    }
    assert document["totals"] == [{"currency": "GBP", "currency_exponent": 2, "debit": "600.00", "credit": "600.00"}]


async def test_a_trial_balance_of_a_past_day_knows_nothing_of_later_ones(api: Api, station: Station) -> None:
    await lend(station)

    on_the_8th = await api.get("/v1/ledger/trial-balance?as_of=2026-03-08")
    before = await api.get("/v1/ledger/trial-balance?as_of=2026-03-01")

    assert on_the_8th["totals"] == [
        {"currency": "GBP", "currency_exponent": 2, "debit": "1000.00", "credit": "1000.00"}
    ]
    assert (before["accounts"], before["totals"], before["as_of"]) == ([], [], "2026-03-01")


async def test_a_statement_runs_from_its_opening_to_its_closing_balance(api: Api, station: Station) -> None:
    await lend(station)

    statement = await api.get(f"{PRINCIPAL}?from=2026-03-03&to=2026-03-09")

    assert (statement["opening_balance"], statement["closing_balance"]) == ("1000.00", "600.00")
    lines = [(line["effective_date"], line["status"], line["credit"], line["balance"]) for line in statement["lines"]]
    assert lines == [("2026-03-05", "pending", "300.00", "1000.00"), ("2026-03-09", "posted", "400.00", "600.00")]


async def test_a_statement_too_long_to_read_is_refused(
    api: Api, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lend(station)
    monkeypatch.setattr(reader, "MAX_STATEMENT_ENTRIES", 2)

    status, problem = await api.call("GET", f"{PRINCIPAL}?from=2026-03-01&to=2026-03-09")

    assert (status, problem["errors"][0]["field"]) == (400, "to")
    assert len((await api.get(f"{PRINCIPAL}?from=2026-03-01&to=2026-03-08"))["lines"]) == 2


async def test_a_loan_and_an_investor_have_trial_balances_and_statements_of_their_own(
    api: Api, station: Station
) -> None:
    await lend(station)
    await station.play(LoanSystem("L2").tell("capital.contributed", investor_id="I1", amount=250_000))

    loan = await api.get("/v1/ledger/trial-balance?loan_id=L1")
    investor = await api.get("/v1/ledger/trial-balance?investor_id=I1&as_of=2026-03-31")
    statements = await api.get("/v1/ledger/loans/L1/statement?from=2026-03-01&to=2026-03-09")
    capital = await api.get("/v1/ledger/investors/I1/statement?from=2026-03-01&to=2026-03-09")

    assert loan["totals"] == [{"currency": "GBP", "currency_exponent": 2, "debit": "600.00", "credit": "0.00"}]
    assert [(one["name"], one["credit"]) for one in investor["accounts"]] == [("Principal Due - I1", "2500.00")]
    assert {one["external_id"]: one["closing_balance"] for one in statements["statements"]} == {
        "loan:L1:fees:GBP": "0.00",
        "loan:L1:interest:GBP": "0.00",
        "loan:L1:principal:GBP": "600.00",
    }
    (principal,) = (one for one in statements["statements"] if one["lines"])
    assert (principal["total_debit"], principal["total_credit"]) == ("1000.00", "400.00")
    assert {one["closing_balance"] for one in capital["statements"]} == {"2500.00"}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/ledger/trial-balance?loan_id=L9",
        "/v1/ledger/trial-balance?investor_id=I9",
        "/v1/ledger/loans/L9/statement?from=2026-03-01&to=2026-03-09",
        "/v1/ledger/investors/I9/statement?from=2026-03-01&to=2026-03-09",
    ],
)
async def test_whom_no_account_is_kept_for_is_not_found(api: Api, path: str) -> None:
    status, problem = await api.call("GET", path)

    assert status == 404
    assert problem["detail"] in {"there is no loan L9", "there is no investor I9"}


async def test_an_account_nobody_opened_has_no_statement(api: Api) -> None:
    status, problem = await api.call("GET", f"{PRINCIPAL}?from=2026-03-03&to=2026-03-09")

    assert (status, problem["detail"]) == (404, "there is no ledger account loan:L1:principal:GBP")
