"""The lender's chart of accounts: names, sides, metadata and categories, created once however often asked for."""

from __future__ import annotations

import pytest

from worker.database import Connection, Database
from worker.ledger import store
from worker.ledger.transaction import AccountSpec, CategorySpec, Direction
from worker.loans.rulebook_file import default_rulebook

RULEBOOK = default_rulebook()
NAMES = {"currency": "GBP", "loan_id": "L1", "borrower_id": "B1", "investor_id": "I1"}
CHART = (
    *(RULEBOOK.account(key, NAMES) for key in RULEBOOK.accounts),
    RULEBOOK.account("principal", NAMES | {"loan_id": "L2"}),
)

ACCOUNTS = {
    "cash:GBP": ("Cash", "debit", {"accountType": "cash"}),
    "cash:reserve:GBP": ("Cash Reserve", "debit", {"accountType": "cash"}),
    "unapplied_cash:GBP": ("Unapplied Cash", "credit", {"accountType": "payable"}),
    "expenses:GBP": ("Expenses", "debit", {"accountType": "expense"}),
    "charge_off:GBP": ("Charge-off", "debit", {"accountType": "expense"}),
    "revenue:interest:GBP": ("Revenue from Interest", "credit", {"accountType": "revenue"}),
    "revenue:fees:GBP": ("Revenue from Fees", "credit", {"accountType": "revenue"}),
    "loan:L1:principal:GBP": (
        "Principal - Loan L1",
        "debit",
        {"accountType": "loan", "loanID": "L1", "borrowerID": "B1"},
    ),
    "loan:L1:interest:GBP": (
        "Interest - Loan L1",
        "debit",
        {"accountType": "loan", "loanID": "L1", "borrowerID": "B1"},
    ),
    "loan:L1:fees:GBP": ("Fees - Loan L1", "debit", {"accountType": "loan", "loanID": "L1", "borrowerID": "B1"}),
    "loan:L2:principal:GBP": (
        "Principal - Loan L2",
        "debit",
        {"accountType": "loan", "loanID": "L2", "borrowerID": "B1"},
    ),
    "loan:L1:payable:GBP": (
        "Borrower Payable - Loan L1",
        "credit",
        {"accountType": "payable", "loanID": "L1", "borrowerID": "B1"},
    ),
    "investor:I1:principal_due:GBP": ("Principal Due - I1", "credit", {"accountType": "LP", "investorID": "I1"}),
    "investor:I1:interest_due:GBP": ("Interest Due - I1", "credit", {"accountType": "LP", "investorID": "I1"}),
}

CATEGORIES = {
    "Cash": ("debit", {"Cash", "Cash Reserve"}, set()),
    "Total Revenue": ("credit", {"Revenue from Interest", "Revenue from Fees"}, set()),
    "Principal Outstanding": ("debit", {"Principal - Loan L1", "Principal - Loan L2"}, set()),
    "Individual Loan - L1": ("debit", {"Principal - Loan L1", "Interest - Loan L1", "Fees - Loan L1"}, set()),
    "Individual Loan - L2": ("debit", {"Principal - Loan L2"}, set()),
    "Borrower - B1": ("debit", set(), {"Individual Loan - L1", "Individual Loan - L2"}),
    "Investor Balance - I1": ("credit", {"Principal Due - I1", "Interest Due - I1"}, set()),
    "Investor Interest": ("credit", {"Interest Due - I1"}, set()),
}


def test_the_chart_names_accounts_as_lenders_do() -> None:
    assert {s.external_id: (s.name, str(s.normal_balance), dict(s.metadata)) for s in CHART} == ACCOUNTS
    assert {s.currency for s in CHART} == {"GBP"}


async def categories(connection: Connection) -> dict[str, tuple[str, set[str], set[str]]]:
    """Every category with its side, the names of its accounts and of the categories nested in it."""
    rows = await connection.fetch("""
        select c.name, c.normal_balance,
               array(select a.name from ledger_account_category_members m
                     join ledger_accounts a on a.id = m.account_id where m.category_id = c.id) as accounts,
               array(select n.name from ledger_account_category_nestings e
                     join ledger_account_categories n on n.id = e.child_id where e.parent_id = c.id) as children
        from ledger_account_categories c
    """)
    return {row["name"]: (row["normal_balance"], set(row["accounts"]), set(row["children"])) for row in rows}


async def test_the_chart_is_created_once_with_its_categories(database: Database) -> None:
    async with database.transaction() as connection:
        ledger_id = await store.ensure_ledger(connection, "lender")
        first = await store.ensure_accounts(connection, ledger_id, CHART)
    async with database.transaction() as connection:
        assert await store.ensure_ledger(connection, "lender") == ledger_id
        assert await store.ensure_accounts(connection, ledger_id, (*CHART, *CHART)) == first
        assert await categories(connection) == CATEGORIES
        assert first.keys() == ACCOUNTS.keys()


async def test_an_account_that_joins_a_category_later_keeps_its_identity(database: Database) -> None:
    plain = AccountSpec("vault", "Vault", Direction.DEBIT, "GBP")
    grouped = AccountSpec("vault", "Vault", Direction.DEBIT, "GBP", {}, RULEBOOK.account("cash", NAMES).categories)
    async with database.transaction() as connection:
        ledger_id = await store.ensure_ledger(connection, "lender")
        first = await store.ensure_accounts(connection, ledger_id, [plain])
        assert await store.ensure_accounts(connection, ledger_id, [grouped]) == first
        assert await categories(connection) == {"Cash": ("debit", {"Vault"}, set())}


async def test_each_currency_has_accounts_and_categories_of_its_own(database: Database) -> None:
    async with database.transaction() as connection:
        ledger_id = await store.ensure_ledger(connection, "lender")
        specs = [RULEBOOK.account("cash", {"currency": currency}) for currency in ("GBP", "JPY", "KWD")]
        await store.ensure_accounts(connection, ledger_id, specs)
        exponents = await connection.fetch("""
            select a.currency, a.currency_exponent, c.currency_exponent as of_category
            from ledger_accounts a
            join ledger_account_category_members m on m.account_id = a.id
            join ledger_account_categories c on c.id = m.category_id
            order by a.currency
        """)
    assert [tuple(row) for row in exponents] == [("GBP", 2, 2), ("JPY", 0, 0), ("KWD", 3, 3)]


@pytest.mark.parametrize("depth", [1, 5])
async def test_a_chain_of_nested_categories_is_created_with_its_account(database: Database, depth: int) -> None:
    innermost: CategorySpec | None = None
    for level in range(depth):
        innermost = CategorySpec(f"c{level}", f"Level {level}", Direction.DEBIT, "GBP", {}, innermost)
    assert innermost is not None
    spec = AccountSpec("deep", "Deep", Direction.DEBIT, "GBP", {}, (innermost,))
    async with database.transaction() as connection:
        ledger_id = await store.ensure_ledger(connection, "lender")
        await store.ensure_accounts(connection, ledger_id, [spec])
        found = await categories(connection)
    assert found[f"Level {depth - 1}"] == ("debit", {"Deep"}, set())
    assert all(found[f"Level {level}"] == ("debit", set(), {f"Level {level + 1}"}) for level in range(depth - 1))
