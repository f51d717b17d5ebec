"""A set of books, told through every operation under ``/api``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.openapi.teller import Teller

USD = {"currency": "USD"}


@dataclass
class LedgerStory:
    """Ids of what is there when the story has been told, for whoever goes on with it."""

    teller: Teller
    ledger: str = ""
    cash: str = ""
    due: str = ""
    category: str = ""
    pending: str = ""
    posted: str = ""

    async def tell(self) -> None:
        """Tell it all."""
        await self.teller.tell("GET", "/api/ping")
        await self._chart()
        await self._categories()
        await self._transactions()
        await self._treasury()
        await self._settlements()
        await self._bulk()
        await self._discard()

    async def make(self, kind: str, **body: Any) -> str:
        """Create an object; its id."""
        made = await self.teller.tell("POST", f"/api/{kind}", body)
        return str(made["id"])

    async def account(self, name: str, side: str = "debit", **body: Any) -> str:
        """Open an account."""
        return await self.make("ledger_accounts", name=name, normal_balance=side, ledger_id=self.ledger, **USD, **body)

    async def transaction(self, status: str = "pending", amount: int = 100, **body: Any) -> str:
        """Move an amount from what is due to cash."""
        return await self.make("ledger_transactions", ledger_entries=self.entries(amount), status=status, **body)

    def entries(self, amount: int, **more: Any) -> list[dict[str, Any]]:
        """Two entries that balance."""
        return [
            {"ledger_account_id": self.cash, "direction": "debit", "amount": amount, **more},
            {"ledger_account_id": self.due, "direction": "credit", "amount": amount, **more},
        ]

    async def show(self, kind: str, object_id: str, query: str = "") -> None:
        """Show an object and the list it is in."""
        await self.teller.tell("GET", f"/api/{kind}/{{id}}", id=object_id, query=query)
        await self.teller.tell("GET", f"/api/{kind}")

    async def change(self, kind: str, object_id: str, **body: Any) -> None:
        """Change an object."""
        await self.teller.tell("PATCH", f"/api/{kind}/{{id}}", body, id=object_id)

    async def _chart(self) -> None:
        self.ledger = await self.make("ledgers", name="LendNow", metadata={"region": "north"})
        await self.show("ledgers", self.ledger)
        await self.change("ledgers", self.ledger, description="A lender's books", metadata={"region": None})
        self.cash = await self.account("Cash", external_id="cash")
        self.due = await self.account("Principal Due", "credit")
        await self.change("ledger_accounts", self.cash, name="Cash at bank")
        await self.show("ledger_accounts", self.cash, "?balances[as_of_date]=2026-01-31")
        await self.show("ledger_accounts", "cash")

    async def _categories(self) -> None:
        common: dict[str, Any] = {"normal_balance": "debit", "ledger_id": self.ledger, **USD}
        self.category = await self.make("ledger_account_categories", name="Assets", **common)
        inner = await self.make("ledger_account_categories", name="Money", external_id="money", **common)
        await self.show("ledger_account_categories", self.category)
        await self.change("ledger_account_categories", inner, description="At banks")
        place = "/api/ledger_account_categories/{id}/"
        for path, member in (
            ("ledger_accounts/{ledger_account_id}", {"ledger_account_id": self.cash}),
            ("ledger_account_categories/{sub_category_id}", {"sub_category_id": inner}),
        ):
            await self.teller.tell("PUT", place + path, id=self.category, **member)
            await self.teller.tell("DELETE", place + path, id=self.category, **member)
        path = f"{place}ledger_accounts/{{ledger_account_id}}"
        await self.teller.tell("PUT", path, id=self.category, ledger_account_id=self.cash)

    async def _transactions(self) -> None:
        lock = {"ledger_account_category_id": self.category, "available_balance_amount": {"gte": 0}}
        self.pending, self.posted = (
            await self.transaction(ledger_account_category_balance_locks=[lock]),
            await self.transaction("posted", 10**20, external_id="T-1"),
        )
        await self.show("ledger_transactions", self.posted)
        await self.show("ledger_transactions", "T-1")
        await self.change("ledger_transactions", self.pending, ledger_entries=self.entries(90), metadata={"step": "2"})
        path = "/api/ledger_transactions/{id}"
        shown = {"posted_ledger_entries": self.entries(40, show_resulting_ledger_account_balances=True)}
        await self.teller.tell("POST", f"{path}/partial_post", shown, id=self.pending)
        await self.teller.tell("POST", f"{path}/reversal", id=await self.transaction("posted"))
        (*_, entry) = await self.teller.tell(
            "GET", "/api/ledger_entries", query="?show_balances=true&show_deleted=true"
        )
        await self.show("ledger_entries", entry["id"], "?show_balances=true")
        await self.change("ledger_entries", entry["id"], metadata={"checked": "yes"})
        await self.teller.tell("GET", f"{path}/versions", id=self.pending)
        await self.teller.tell("GET", "/api/ledger_transaction_versions")

    async def _treasury(self) -> None:
        bounds = {"effective_at_lower_bound": "2026-01-01", "effective_at_upper_bound": "2027-01-01T00:00:00Z"}
        statement = await self.make("ledger_account_statements", ledger_account_id=self.cash, **bounds)
        await self.teller.tell("GET", "/api/ledger_account_statements/{id}", id=statement)
        condition = {"field": "posted_balance_amount", "operator": "greater_than", "value": 50}
        kind = "ledger_account_balance_monitors"
        monitor = await self.make(kind, ledger_account_id=self.cash, alert_condition=condition)
        await self.show(kind, monitor)
        await self.change(kind, monitor, description="Plenty")
        await self.teller.tell("DELETE", f"/api/{kind}/{{id}}", id=monitor)
        await self.show(kind, await self.make(kind, ledger_account_id=self.due, alert_condition=condition))

    async def _settlements(self) -> None:
        kind, accounts = "ledger_account_settlements", {"settled_ledger_account_id": self.cash}
        draft = await self.make(kind, contra_ledger_account_id=self.due, status="drafting", **accounts)
        entries = await self.teller.tell(
            "GET", "/api/ledger_entries", query=f"?ledger_account_id={self.cash}&status=posted"
        )
        named = {"ledger_entry_ids": [entries[0]["id"]]}
        for method in ("PATCH", "DELETE"):
            await self.teller.tell(method, f"/api/{kind}/{{id}}/ledger_entries", named, id=draft)
        await self.change(kind, draft, description="Month's end")
        await self.make(kind, contra_ledger_account_id=self.due, allow_either_direction=True, **accounts)
        await self.show(kind, draft)
        events = await self.teller.tell("GET", "/api/events")
        assert {event["resource"] for event in events} >= {kind[:-1], "ledger_account_balance_monitor"}
        await self.show("events", events[0]["id"])

    async def _bulk(self) -> None:
        resources = [{"ledger_entries": self.entries(1)}, {"ledger_entries": []}]
        kinds = {"action_type": "create", "resource_type": "ledger_transaction"}
        request = await self.make("bulk_requests", resources=resources, **kinds)
        await self.show("bulk_requests", request)
        query = f"?request_id={request}"
        while len(results := await self.teller.tell("GET", "/api/bulk_results", query=query)) < len(resources):
            pass
        for result in results:
            await self.show("bulk_results", result["id"])

    async def _discard(self) -> None:
        unused = await self.make("ledgers", name="Unused")
        await self.teller.tell("DELETE", "/api/ledgers/{id}", id=unused)
        account = await self.account("Unused")
        await self.teller.tell("DELETE", "/api/ledger_accounts/{id}", id=account)
        kind, unit = "ledger_account_categories", {"normal_balance": "debit", "ledger_id": self.ledger, **USD}
        category = await self.make(kind, name="Unused", **unit)
        await self.teller.tell("DELETE", f"/api/{kind}/{{id}}", id=category)
