"""What the borrower's books hold after each movement of a loan, on every platform and in every profile."""

from __future__ import annotations

from datetime import date

import pytest

from tests.writeback.conftest import Open
from tests.writeback.station import Station
from worker.codat.profiles import Profile
from worker.writeback.movement import Drawdown, Refund, Repayment, RepaymentReversal

PLATFORMS = ["Xero", "QuickBooks Online", "Sage", "FreeAgent", "Sandbox", "QuickBooks Desktop", "Sage Intacct"]
INSTALMENTS = [
    Repayment("R1", 33_333, 6_667, 0),
    Repayment("R2", 33_333, 6_667, 0),
    Repayment("R3", 33_334, 6_666, 0),
]


async def whole_loan(station: Station) -> None:
    """£1000 drawn, a charge of £200, three repayments of £400."""
    sagas = [await station.saga(Drawdown("D1", 100_000))]
    sagas += [await station.saga(repayment) for repayment in INSTALMENTS]
    await station.finish(*sagas)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_matched_loan_ends_with_the_lender_at_zero_and_a_statement_equal_to_the_ledger(
    open_station: Open, platform: str
) -> None:
    station = await open_station(platform)
    await station.map()

    await whole_loan(station)

    assert await station.balance("lenderAccountId") == "0.00"
    assert await station.balance("expenseAccountId") == "200.00"
    assert await station.balance("borrowerAccountId") == "-200.00"
    assert await station.amounts() == ["-1000.00", "400.00", "-66.67", "400.00", "-66.67", "400.00", "-66.66"]
    balances = [line["balance"] for line in await station.lines()]
    assert balances == ["-1000.00", "-600.00", "-666.67", "-266.67", "-333.34", "66.66", "0.00"]
    assert not any(line["duplicateOf"] for line in await station.lines())


async def test_the_guide_of_2026_shows_the_cost_on_no_statement_line(open_station: Open) -> None:
    station = await open_station()
    await station.map(Profile.CODAT_2026)

    await whole_loan(station)

    assert await station.balance("lenderAccountId") == "0.00"
    assert await station.balance("expenseAccountId") == "200.00"
    assert await station.amounts() == ["-1000.00", "400.00", "400.00", "400.00"]


async def test_the_guide_of_2023_sends_its_own_example_in_its_own_order(open_station: Open) -> None:
    station = await open_station("Sandbox")
    await station.map(Profile.CODAT_2023)

    await station.finish(
        await station.saga(Drawdown("D1", 100_000)), await station.saga(Repayment("R1", 32_000, 8_000, 0))
    )

    paths = [request["path"].rsplit("/push/", 1)[1].split("/")[-1] for request in await station.sent()]
    assert paths == ["bankTransactions", "transfers", "bankTransactions", "transfers", "directCosts"]
    assert await station.amounts() == ["1000.00", "400.00"]
    assert [record["from"]["amount"] for record in await station.records("transfers")] == ["1000.00", "320.00"]
    assert [record["totalAmount"] for record in await station.records("directCosts")] == ["80.00"]
    assert await station.balance("lenderAccountId") == "-760.00"


@pytest.mark.parametrize(
    ("repayment", "written"),
    [
        (Repayment("R1", 0, 5_000, 2_500), {"transfers": 1, "directCosts": 1, "lines": ["75.00", "-75.00"]}),
        (Repayment("R1", 40_000, 0, 0), {"transfers": 1, "directCosts": 0, "lines": ["400.00"]}),
        (Repayment("R1", 10_000, 2_000, 0, 500), {"transfers": 1, "directCosts": 1, "lines": ["125.00", "-20.00"]}),
    ],
    ids=["fee only", "principal only", "overpaid"],
)
async def test_a_repayment_writes_only_what_is_not_zero(
    station: Station, repayment: Repayment, written: dict[str, object]
) -> None:
    await station.finish(await station.saga(repayment))

    assert len(await station.records("transfers")) == written["transfers"]
    assert len(await station.records("directCosts")) == written["directCosts"]
    assert await station.amounts() == written["lines"]


async def test_a_fee_kept_back_from_a_drawdown_is_a_cost_with_a_line_of_its_own(station: Station) -> None:
    await station.finish(await station.saga(Drawdown("D1", 100_000, fee=3_000)))

    assert await station.balance("lenderAccountId") == "-1000.00"
    assert await station.balance("borrowerAccountId") == "970.00"
    assert await station.balance("expenseAccountId") == "30.00"
    assert await station.amounts() == ["-970.00", "-30.00"]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("profile", list(Profile))
async def test_a_reversed_repayment_leaves_the_books_as_they_were(
    open_station: Open, platform: str, profile: Profile
) -> None:
    station = await open_station(platform)
    await station.map(profile)
    await station.finish(await station.saga(Drawdown("D1", 100_000)))
    before = {
        role: await station.balance(role) for role in ("lenderAccountId", "borrowerAccountId", "expenseAccountId")
    }

    await station.finish(
        await station.saga(Repayment("R1", 33_333, 6_667, 0)), await station.saga(RepaymentReversal("R1", "returned"))
    )

    assert before == {role: await station.balance(role) for role in before}
    lines = await station.amounts()
    assert sum(int(amount.replace(".", "")) for amount in lines[1:]) == 0


async def test_a_reversal_names_what_it_reverses(open_station: Open) -> None:
    station = await open_station("Sage")
    await station.map()
    await station.finish(
        await station.saga(Repayment("R1", 33_333, 6_667, 0)), await station.saga(RepaymentReversal("R1", "returned"))
    )

    descriptions = [line["description"] for line in await station.lines()]
    assert "LN-1 repayment R1" in descriptions[0]
    assert "LN-1 reversal of repayment R1" in descriptions[2]


async def test_a_refund_returns_the_overpayment_to_the_borrower(station: Station) -> None:
    await station.finish(await station.saga(Repayment("R1", 0, 0, 0, 2_500)), await station.saga(Refund("X1", 2_500)))

    assert await station.balance("lenderAccountId") == "0.00"
    assert await station.amounts() == ["25.00", "-25.00"]


async def test_lines_of_two_loans_on_one_account_run_on_in_balance_and_date(open_station: Open) -> None:
    station = await open_station("Sage")
    await station.map()
    later = await station.saga(Drawdown("D1", 100_000), "LN-1", date(2026, 3, 1))
    earlier = await station.saga(Drawdown("D1", 50_000), "LN-2", date(2026, 2, 20))

    await station.finish(later, earlier)

    first, second = await station.lines()
    assert [first["balance"], second["balance"]] == ["-1000.00", "-1500.00"]
    assert [first["date"], second["date"]] == ["2026-03-01", "2026-03-01"]
    assert "effective 2026-02-20" in second["description"]
    transfers = {record["date"][:10] for record in await station.records("transfers")}
    assert transfers == {"2026-03-01", "2026-02-20"}
