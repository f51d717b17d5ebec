"""Posting variants of one loan, and what each leaves behind: lender account, borrower's bank, expense, statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.client import Bodies, Client, Open
from worker.simulator.books import Books
from worker.simulator.platforms import SANDBOX_PLATFORM
from worker.simulator.world import build_world
from worker.simulator.writes import Desk, Written, write_direct_cost, write_transfer

PLATFORMS = ("Xero", "QuickBooks", "Sage", "FreeAgent", "Sandbox", "QuickBooks Desktop", "Sage Intacct")
COSTS = ("66.67", "66.67", "66.66")
PRINCIPALS = ("333.33", "333.33", "333.34")
TOTALS = ("400", "400", "400")
LENDER, BORROWER = "lenderAccountId", "borrowerAccountId"


@dataclass(frozen=True)
class Variant:
    """One way to write a 1000.00 loan with 200.00 of cost over three repayments of 400.00, and its outcome."""

    returned: tuple[str, ...]
    costs: tuple[str, ...]
    payer: str
    lines: tuple[str, ...]
    outcome: tuple[str, str, str, str]


VARIANTS = {
    "2023, rounded example": Variant(
        ("320",) * 3, ("80",) * 3, LENDER, ("1000", *TOTALS), ("-280.00", "40.00", "240.00", "2200.00")
    ),
    "2023, true split": Variant(PRINCIPALS, COSTS, LENDER, ("1000", *TOTALS), ("-200.00", "0.00", "200.00", "2200.00")),
    "2023, cost from the borrower": Variant(
        PRINCIPALS, COSTS, BORROWER, ("1000", *TOTALS), ("0.00", "-200.00", "200.00", "2200.00")
    ),
    "2023, cost from the borrower, lines of principal": Variant(
        PRINCIPALS, COSTS, BORROWER, ("-1000", *PRINCIPALS), ("0.00", "-200.00", "200.00", "0.00")
    ),
    "2026, one line a repayment": Variant(
        TOTALS, COSTS, LENDER, ("-1000", *TOTALS), ("0.00", "-200.00", "200.00", "200.00")
    ),
    "2026, cost from the borrower": Variant(
        TOTALS, COSTS, BORROWER, ("-1000", *TOTALS), ("200.00", "-400.00", "200.00", "200.00")
    ),
}

MATCHED = Variant(
    TOTALS,
    COSTS,
    LENDER,
    ("-1000", "400", "-66.67", "400", "-66.67", "400", "-66.66"),
    ("0.00", "-200.00", "200.00", "0.00"),
)
"""Two lines a repayment: the one variant in which ledger and statement both close and every line has its record."""


async def written(client: Client, variant: Variant) -> tuple[str, str, str, str]:
    """Writes the loan and returns lender account, borrower's bank, expense and the lender account's statement."""
    account_id = client.company.get("sourceAccountId") or client.company[LENDER]
    feeds = client.feeds if "feedConnectionId" in client.company else client.connection
    writes = [("transfers", client.transfer("1000"))]
    for returned, cost in zip(variant.returned, variant.costs, strict=True):
        writes.append(("transfers", client.transfer(returned, BORROWER, LENDER)))
        writes.append(("directCosts", client.cost(cost, variant.payer)))
    operations = [await client.push(f"{client.connection}/push/{kind}", body) for kind, body in writes]
    lines = client.lines(account_id, *variant.lines)
    operations.append(await client.push(f"{feeds}/push/bankAccounts/{account_id}/bankTransactions", lines))
    assert [operation["status"] for operation in operations] == ["Success"] * len(operations)
    return (
        await client.balance(LENDER),
        await client.balance(BORROWER),
        await client.balance("expenseAccountId"),
        (await client.books())["statements"][0]["balance"],
    )


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
async def test_every_posting_variant_ends_where_its_arithmetic_says(variant: Variant, open_company: Open) -> None:
    assert await written(await open_company("Sandbox"), variant) == variant.outcome


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_two_lines_a_repayment_close_ledger_and_statement_on_every_platform(
    platform: str, open_company: Open
) -> None:
    assert await written(await open_company(platform), MATCHED) == MATCHED.outcome


NOW = datetime(2026, 3, 2, tzinfo=UTC)
ROLES = (LENDER, BORROWER, "savingsAccountId")


def total(books: Books) -> int:
    return sum(account.balance for account in books.accounts.values())


@given(
    st.lists(
        st.tuples(st.integers(-(10**9), 10**9), st.sampled_from(ROLES), st.sampled_from(ROLES), st.booleans()),
        max_size=20,
    )
)
def test_whatever_is_written_or_refused_the_ledger_balances(
    writes: list[tuple[int, str, str, bool]],
) -> None:
    company = list(build_world(1, NOW).values())[-1]
    bodies = Bodies({**company.presets, "baseCurrency": "GBP"})
    ids = (str(number) for number in count())
    desk = Desk(company.books, SANDBOX_PLATFORM, lambda: next(ids), lambda: NOW)
    records = 0
    for minor, source, target, is_cost in writes:
        amount = str(Decimal(minor).scaleb(-2))
        if is_cost:
            records += isinstance(write_direct_cost(desk, bodies.cost(amount, source)), Written)
        else:
            records += isinstance(write_transfer(desk, bodies.transfer(amount, source, target)), Written)
        assert total(desk.books) == 0
    costs = sum(is_cost for *_, is_cost in writes)
    positive = sum(minor > 0 for minor, _, _, is_cost in writes if not is_cost)
    assert records == costs + positive
