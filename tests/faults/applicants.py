"""Companies that ask for a mapping in which everything is created, and how their books must look in the end."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.faults.story import assert_nothing_left
from tests.flow.borrower import Borrower
from tests.flow.stack import Stack
from worker.writeback.plan import StepKind

BANK_FEED = frozenset({StepKind.CREATE_SOURCE_ACCOUNT, StepKind.MAP_SOURCE_ACCOUNT})
CREATIONS = BANK_FEED | {StepKind.CREATE_BANK_ACCOUNT, StepKind.CREATE_ACCOUNT, StepKind.CREATE_SUPPLIER}

ACCOUNT = "Northgate loan"
EXPENSES = "Cost of borrowing"
SUPPLIER = "Northgate Lending"

WANTED = {
    "expense_account": {"create": {"name": EXPENSES, "nominal_code": "7950"}},
    "supplier": {"create": {"name": SUPPLIER}},
}
LENDER_KINDS = {"Xero": "source_account", "Sandbox": "bank_account"}
"""Platforms that between them take every kind of creation, and what the lender's account is created as."""


@dataclass(frozen=True)
class Applicants:
    """Companies that are not mapped yet: as many as are wanted. Those that were taken are kept for the end."""

    stack: Stack
    waiting: defaultdict[str, deque[dict[str, Any]]]
    taken: list[Borrower]

    @classmethod
    def of(cls, stack: Stack) -> Applicants:
        return cls(stack, defaultdict(deque), [])

    async def ask(self, platform: str, fault: Mapping[str, Any] | None = None) -> None:
        """Have the next company on this platform mapped, everything created; ``fault`` meets it on the way."""
        while not self.waiting[platform]:
            for company in await self.stack.admit():
                self.waiting[company["platform"]].append(company)
        company = self.waiting[platform].popleft()
        borrower = Borrower(self.stack, company, "", company["baseCurrency"])
        self.taken.append(borrower)
        if fault is not None:
            match = {**fault["match"], "companyId": company["id"]}
            await self.stack.control("faults", [{**fault, "match": match}])
        await put(borrower, LENDER_KINDS[platform])


async def put(borrower: Borrower, lender_kind: str) -> None:
    """Ask for the mapping until the answer arrives, as a person who saw the connection break does."""
    company = borrower.company
    lender = {"kind": lender_kind, "name": ACCOUNT, "sort_code": "040004"}
    body = {
        "currency": company["baseCurrency"],
        "lender_account": {"create": lender},
        "borrower_account": {"id": company["borrowerAccountId"]},
        **WANTED,
    }
    while True:
        try:
            status, answer = await borrower.stack.call("PUT", borrower.path, body)
        except aiohttp.ClientError:
            status, answer = None, None  # nobody there, or the answer was cut off
        if status in (200, 202):
            return
        assert status in (None, 503), answer
        await asyncio.sleep(0.02)


async def assert_created_once(applicants: Applicants) -> None:
    """Every mapping asked for is ready, its first version, with the one account, supplier and feed there are."""
    stack = applicants.stack
    await stack.settled()
    await assert_nothing_left(stack)
    world = {company["id"]: company for company in (await stack.look("world"))["companies"]}
    for borrower in applicants.taken:
        _, mapping = await stack.call("GET", borrower.path)
        assert (mapping["state"], mapping["version"], mapping["reason"]) == ("ready", 1, None), borrower.company["name"]
        document = (await borrower.books()).document
        accounts = {account["id"]: account["name"] for account in document["accounts"]}
        assert Counter(accounts.values()) & Counter({ACCOUNT: 9, EXPENSES: 9}) == Counter({ACCOUNT: 1, EXPENSES: 1})
        assert accounts[mapping["lender_account_id"]] == ACCOUNT
        assert accounts[mapping["expense_account_id"]] == EXPENSES
        suppliers = [one["id"] for one in document["records"]["suppliers"] if one["supplierName"] == SUPPLIER]
        assert suppliers == [mapping["supplier_id"]]
        connections = world[borrower.company["id"]]["connections"]
        feeds = {one["id"]: one["targetAccountId"] for item in connections for one in item["sourceAccounts"]}
        feeds.pop(borrower.company.get("sourceAccountId"), None)
        if borrower.company["platform"] == "Xero":
            assert feeds == {mapping["lender_feed_id"]: mapping["lender_account_id"]}
        else:
            assert (feeds, mapping["lender_feed_id"]) == ({}, mapping["lender_account_id"])
