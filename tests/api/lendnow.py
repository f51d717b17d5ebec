"""The lender of the tutorial: a chart of accounts, and five transactions with their exact end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, Unpack

from modern_treasury import AsyncModernTreasury
from modern_treasury.types import LedgerAccount, LedgerTransaction
from modern_treasury.types.ledger_account_retrieve_params import Balances
from modern_treasury.types.shared import TransactionDirection
from modern_treasury.types.shared_params import LedgerEntryCreateRequest

BOOKS = ("LendNow Ledger", "Represents LendNow's funds and investor and borrower's balances")
"""The ledger's name and description."""

CHART: dict[str, tuple[str, str, TransactionDirection]] = {
    "loan_principal": ("Loan 1 - Principal", "Tracks Loan 1 outstanding principal due", "debit"),
    "loan_interest": ("Loan 1 - Interest", "Tracks Loan 1 outstanding interest due", "debit"),
    "loan_fees": ("Loan 1 - Fees", "Tracks fees associated with Loan 1", "debit"),
    "investor_principal": ("MoneyNow - Principal Due", "Tracks principal owed to MoneyNow", "credit"),
    "investor_interest": ("MoneyNow - Interest Due", "Tracks interest owed to MoneyNow", "credit"),
    "cash": ("LendNow Cash Account", "Tracks LendNow cash balances", "debit"),
    "revenue": ("LendNow Revenue", "Tracks LendNow revenue from all streams, including fees and interest", "credit"),
    "expenses": (
        "LendNow Expenses",
        "Tracks LendNow expenses in the course of business, including bank and service fees",
        "debit",
    ),
}
"""Name, description and normal balance of every account."""

STORY = (
    ("2020-08-27", "MoneyNow liquidity provided", {"cash": 1_000_000}, {"investor_principal": 1_000_000}),
    (
        "2020-09-10",
        "Loan 1 disbursed",
        {"loan_principal": 1_000_000, "loan_interest": 50_000},
        {"cash": 1_000_000, "revenue": 25_000, "investor_interest": 25_000},
    ),
    (
        "2020-10-10",
        "Loan 1 - Month 1 Interest",
        {"loan_interest": 5_000},
        {"revenue": 2_500, "investor_interest": 2_500},
    ),
    ("2020-10-11", "Loan 1 repayment 1", {"cash": 105_000}, {"loan_principal": 100_000, "loan_interest": 5_000}),
    (
        "2021-07-10",
        "Payment back to MoneyNow for Loan 1",
        {"investor_principal": 1_000_000, "investor_interest": 25_000},
        {"cash": 1_025_000},
    ),
)
"""What happened: the day, in words, what was debited, what was credited."""

END = {
    "cash": (1_105_000, 2_025_000, -920_000),
    "loan_principal": (1_000_000, 100_000, 900_000),
    "loan_interest": (55_000, 5_000, 50_000),
    "loan_fees": (0, 0, 0),
    "investor_principal": (1_000_000, 1_000_000, 0),
    "investor_interest": (25_000, 27_500, 2_500),
    "revenue": (0, 27_500, 27_500),
    "expenses": (0, 0, 0),
}
"""Debits, credits and amount of every account after the story."""


Status: TypeAlias = Literal["posted", "pending", "archived"]
"""What the official client lets a transaction be."""

SIDES: tuple[TransactionDirection, ...] = ("debit", "credit")


@dataclass
class LendNow:
    """A ledger with the chart of accounts, and short words for posting to it."""

    client: AsyncModernTreasury
    ledger_id: str
    ids: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def open(cls, client: AsyncModernTreasury) -> LendNow:
        name, description = BOOKS
        lender = cls(client, (await client.ledgers.create(name=name, description=description)).id)
        for word, (name, description, side) in CHART.items():
            account = await client.ledger_accounts.create(
                name=name,
                description=description,
                normal_balance=side,
                currency="USD",
                ledger_id=lender.ledger_id,
                external_id=word,
            )
            lender.ids[word] = account.id
        return lender

    def entries(self, debits: Mapping[str, int], credits: Mapping[str, int]) -> list[LedgerEntryCreateRequest]:
        """The entries of a transaction, debits first."""
        return [
            {"amount": amount, "direction": side, "ledger_account_id": self.ids[word]}
            for side, amounts in zip(SIDES, (debits, credits), strict=True)
            for word, amount in amounts.items()
        ]

    async def post(self, debits: Mapping[str, int], credits: Mapping[str, int], **said: Any) -> LedgerTransaction:
        """A transaction, posted unless said otherwise."""
        entries = self.entries(debits, credits)
        return await self.client.ledger_transactions.create(ledger_entries=entries, **{"status": "posted", **said})

    async def account(self, word: str, **balances: Unpack[Balances]) -> LedgerAccount:
        """An account as it stands."""
        return await self.client.ledger_accounts.retrieve(self.ids[word], balances=balances)

    async def amounts(self, word: str, **balances: Unpack[Balances]) -> tuple[int, int, int]:
        """Posted, pending and available amount of an account."""
        shown = (await self.account(word, **balances)).balances
        return shown.posted_balance.amount, shown.pending_balance.amount, shown.available_balance.amount
