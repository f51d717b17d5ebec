"""One borrower of the simulated Codat, its loans' events, and its books as amounts in major units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

from tests.flow.stack import Stack, eventually

_numbers = count(1)
TAXED = ("Sage Intacct",)
"""Platforms that want a tax rate named in the mapping."""


@dataclass
class Borrower:
    """A company on one platform, mapped or not, with one loan under test."""

    stack: Stack
    company: Mapping[str, Any]
    loan_id: str
    currency: str
    lender_account_id: str = ""
    feed_id: str = ""
    expense_account_id: str = ""
    supplier_id: str = ""

    @classmethod
    async def on(cls, stack: Stack, platform: str = "Xero") -> Borrower:
        """The borrower of a fresh simulated world that uses this platform."""
        await stack.reset()
        world = await stack.look("world")
        company = next(one for one in world["companies"] if one["connections"][0]["platform"] == platform)
        return cls(stack, company, f"LN-{next(_numbers)}", company["baseCurrency"])

    @property
    def path(self) -> str:
        """Where this borrower's mapping is configured."""
        return f"/v1/companies/{self.company['id']}/connections/{self.company['connectionId']}/mapping"

    async def map(self, profile: str = "matched", **changes: Any) -> Mapping[str, Any]:
        """Map the borrower's books with accounts that exist already, and wait until the mapping is ready."""
        company = self.company
        lender: dict[str, Any] = {"id": company["lenderAccountId"]}
        if "sourceAccountId" in company:
            lender = {
                "source_account_id": company["sourceAccountId"],
                "target_account_id": company["lenderAccountId"],
            }
            if company["feedConnectionId"] != company["connectionId"]:
                lender["connection_id"] = company["feedConnectionId"]
        body: dict[str, Any] = {
            "profile": profile,
            "currency": self.currency,
            "lender_account": lender,
            "borrower_account": {"id": company["borrowerAccountId"]},
            "expense_account": {"id": company["expenseAccountId"]},
            "supplier": {"id": company["supplierId"]},
            **({"tax_rate_id": company["taxRateId"]} if company["platform"] in TAXED else {}),
            **changes,
        }
        status, answer = await self.stack.call("PUT", self.path, body)
        assert status in (200, 202), answer
        return await self.ready()

    async def ready(self) -> Mapping[str, Any]:
        """The mapping that was asked for, once it can be used."""

        async def ready() -> bool:
            _, current = await self.stack.call("GET", self.path)
            assert current["state"] != "failed", current
            return bool(current["state"] == "ready")

        await eventually(ready)
        _, mapping = await self.stack.call("GET", self.path)
        return self._adopt(mapping)

    def _adopt(self, mapping: Mapping[str, Any]) -> Mapping[str, Any]:
        self.lender_account_id = mapping["lender_account_id"]
        self.feed_id = mapping["lender_feed_id"]
        self.expense_account_id = mapping["expense_account_id"]
        self.supplier_id = mapping["supplier_id"]
        return mapping

    def event(self, event_type: str, day: str = "2026-10-05", **data: Any) -> dict[str, Any]:
        """The body of one of this loan's events."""
        common = {"loan_id": self.loan_id, "currency": self.currency, "effective_date": day}
        return {"type": event_type, "timestamp": f"{day}T09:00:00Z", "data": {**common, **data}}

    async def tell(self, event_type: str, day: str = "2026-10-05", **data: Any) -> str:
        """Send one of this loan's events as a new webhook and return its id."""
        webhook_id = f"msg-{self.loan_id}-{next(_numbers)}"
        status = await self.stack.send(webhook_id, self.event(event_type, day, **data))
        assert status == 202, status
        return webhook_id

    async def agree(self, recognition: str = "accrual", investors: Sequence[Mapping[str, str]] = ()) -> None:
        """Tell the loan's creation."""
        await self.tell(
            "loan.created",
            borrower_id="BR-1",
            company_id=self.company["id"],
            connection_id=self.company["connectionId"],
            interest_recognition=recognition,
            investors=list(investors),
        )

    async def books(self) -> Books:
        """The borrower's true books."""
        return Books(self, await self.stack.look(f"books/{self.company['id']}"))

    async def ledger(self) -> dict[str, Decimal]:
        """The lender's posted balances by account name, from the normal side, accounts at zero left out."""
        rows = await self.stack.fetch(
            "select a.name, a.normal_balance, a.currency_exponent, b.posted_debits, b.posted_credits"
            " from ledger_accounts a join ledger_account_balances b on b.account_id = a.id"
        )
        balances = {}
        for row in rows:
            debit = row["posted_debits"] - row["posted_credits"]
            amount = debit if row["normal_balance"] == "debit" else -debit
            if amount:
                balances[row["name"]] = amount.scaleb(-row["currency_exponent"])
        return balances


@dataclass
class Books:
    """What the borrower's bookkeeper would see."""

    borrower: Borrower
    document: Mapping[str, Any]

    def balance(self, account_id: str) -> Decimal:
        """The balance of one account in the general ledger."""
        return next(Decimal(one["balance"]) for one in self.document["accounts"] if one["id"] == account_id)

    @property
    def lender(self) -> Decimal:
        """L: the lender's account."""
        return self.balance(self.borrower.lender_account_id)

    @property
    def bank(self) -> Decimal:
        """B: the borrower's own bank account."""
        return self.balance(self.borrower.company["borrowerAccountId"])

    @property
    def expense(self) -> Decimal:
        """E: what the loan cost."""
        return self.balance(self.borrower.expense_account_id)

    @property
    def lines(self) -> list[Mapping[str, Any]]:
        """The lines of the lender's statement."""
        statements = self.document["statements"]
        return [line for one in statements if one["accountId"] == self.borrower.feed_id for line in one["lines"]]

    @property
    def statement(self) -> Decimal:
        """What the lender's statement says the account holds."""
        statements = self.document["statements"]
        return next(
            (Decimal(one["balance"]) for one in statements if one["accountId"] == self.borrower.feed_id), Decimal(0)
        )

    def records(self, data_type: str) -> list[Mapping[str, Any]]:
        """Records of one type that the writeback wrote."""
        return [one for one in self.document["records"][data_type] if not one["deleted"]]
