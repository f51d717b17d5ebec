"""The writeback station against the real simulator over HTTP and a real PostgreSQL, in time that only moves on demand.

``drive`` plays the queue: it advances a saga, and where the saga wants to wait it moves both clocks by that long.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp

from tests.simulator.client import START
from worker.codat.client import CodatClient
from worker.codat.profiles import Profile
from worker.database import Database
from worker.inbox import store as inbox_store
from worker.inbox.codat_webhooks import read_envelope
from worker.inbox.messages import codat_message
from worker.jobs.job import Done, Outcome, Snooze
from worker.jobs.store import enqueue_jobs
from worker.writeback import statements, store
from worker.writeback.configure import store as configure_store
from worker.writeback.configure.request import Existing, ExistingFeed, MappingRequest
from worker.writeback.desk import Desk
from worker.writeback.mapping import MappingState
from worker.writeback.movement import Drawdown, Movement, NewSaga
from worker.writeback.saga import SagaHandler
from worker.writeback.settlement import WebhookHandler
from worker.writeback.timings import Timings

DAY = date(2026, 3, 2)
TRANSFERS = {"path": "*/push/transfers", "method": "POST"}
COSTS = {"path": "*/push/directCosts", "method": "POST"}
LINES = {"path": "*/bankTransactions", "method": "POST"}
"""Where each kind of record is written, for faults that meet it."""

LONGEST_DRIVE = timedelta(days=3)
"""A saga that has not come to rest in this much simulated time never will."""

Document = dict[str, Any]


@dataclass
class Station:
    """One company, one worker, one simulator."""

    database: Database
    session: aiohttp.ClientSession
    url: str
    codat: CodatClient
    company: Document
    now: datetime = START
    timings: Timings = field(default_factory=Timings)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        desk = Desk(self.database, self.codat, lambda: self.now, self.timings)
        self.desk = desk
        self.handler = SagaHandler(desk)
        self.webhooks = WebhookHandler(desk)

    # --- who is who

    @property
    def company_id(self) -> UUID:
        return UUID(self.company["id"])

    @property
    def connection_id(self) -> UUID:
        return UUID(self.company["connectionId"])

    @property
    def feed_connection_id(self) -> UUID:
        return UUID(self.company.get("feedConnectionId", self.company["connectionId"]))

    # --- arranging

    async def map(self, profile: Profile = Profile.MATCHED, *, enabled: bool = True, **ids: str) -> int:
        """A ready mapping of the company's own accounts; ``ids`` replace single ones."""
        known = {**self.company, **ids}
        lender: Existing | ExistingFeed = Existing(known["lenderAccountId"])
        if "sourceAccountId" in known:
            lender = ExistingFeed(known["sourceAccountId"], known["lenderAccountId"], self.feed_connection_id)
        request = MappingRequest(
            profile=profile,
            currency=known["baseCurrency"],
            enabled=enabled,
            lender=lender,
            borrower_account_id=known["borrowerAccountId"],
            expense=Existing(known["expenseAccountId"]),
            supplier=Existing(known["supplierId"]),
            tax_rate_id=known["taxRateId"] if known["platform"] == "Sage Intacct" else None,
        )
        new = configure_store.NewMapping(
            company_id=self.company_id,
            connection_id=self.connection_id,
            request=request,
            feed_connection_id=self.feed_connection_id,
            lender_account_id=known["lenderAccountId"],
            lender_feed_id=known.get("sourceAccountId", known["lenderAccountId"]),
            expense_account_id=known["expenseAccountId"],
            supplier_id=known["supplierId"],
            supplier_name="Northgate Capital",
        )
        async with self.database.transaction() as connection:
            version = await configure_store.insert_mapping(connection, new, MappingState.READY, self.now)
            await statements.ensure_feed(connection, self.connection_id, new.lender_feed_id or "", 0)
        return version

    async def saga(self, movement: Movement, loan_id: str = "LN-1", day: date = DAY) -> int:
        """A new saga of a loan, as the loans station creates it."""
        number = next(self.numbers)
        new = NewSaga(
            message_id=number,
            event_id=f"msg_{number}",
            loan_id=loan_id,
            company_id=self.company_id,
            connection_id=self.connection_id,
            currency=self.company["baseCurrency"],
            effective_date=day,
            movement=movement,
            ledger_transaction_id=None,
        )
        async with self.database.transaction() as connection:
            await enqueue_jobs(connection, await store.create_sagas(connection, [new]))
        async with self.database.connection() as connection:
            saga_id: int = await connection.fetchval("select id from sagas where message_id = $1", number)
        return saga_id

    async def arrange(self, *faults: Document) -> None:
        """Faults for what comes next."""
        await self.simulator("POST", "/_simulator/faults", list(faults))

    async def connection_becomes(self, status: str) -> None:
        await self.simulator("POST", f"/_simulator/connections/{self.connection_id}", {"status": status})

    # --- time and work

    async def advance_clocks(self, by: timedelta) -> None:
        self.now += by
        await self.simulator("POST", "/_simulator/clock", {"advanceSeconds": by.total_seconds()})

    async def drive(self, saga_id: int, *, until_waiting: bool = True) -> Outcome:
        """Advance a saga until it is done or parked, moving time where it wants to wait."""
        deadline = self.now + LONGEST_DRIVE
        while self.now < deadline:
            outcome = await self.handler.advance(saga_id)
            if not isinstance(outcome, Snooze):
                return outcome
            if until_waiting and (await self.row("sagas", saga_id))["state"] == "waiting":
                return outcome
            await self.advance_clocks(max(outcome.delay, timedelta(milliseconds=100)))
        raise AssertionError(f"saga {saga_id} came to no rest: {await self.story(saga_id)}")

    async def finish(self, *sagas: int) -> None:
        """Drive sagas in order; every one must succeed."""
        for saga_id in sagas:
            outcome = await self.drive(saga_id, until_waiting=False)
            assert isinstance(outcome, Done), (outcome, await self.story(saga_id))
            row = await self.row("sagas", saga_id)
            assert row["state"] == "succeeded", dict(row)

    async def turns(self, saga_id: int, state: str) -> None:
        """Take single turns until the saga's first unfinished step is in this state."""
        for _ in range(200):
            steps = await self.steps(saga_id)
            current = next((step for step in steps if step["state"] != "succeeded"), None)
            if current is not None and current["state"] == state:
                return
            outcome = await self.handler.run_once(saga_id)
            if isinstance(outcome, Snooze):
                await self.advance_clocks(outcome.delay)
        raise AssertionError(f"no step became {state}: {await self.story(saga_id)}")

    async def turns_within(self, saga_id: int, span: timedelta) -> int:
        """How often the saga's job runs in this long, moving time where it wants to wait."""
        until, count = self.now + span, 0
        while self.now < until:
            outcome = await self.handler.advance(saga_id)
            count += 1
            if not isinstance(outcome, Snooze):
                break
            await self.advance_clocks(outcome.delay)
        return count

    async def lost_and_equal_transfer(self) -> tuple[int, int]:
        """Two loans' sagas that write equal transfers: one whose answer was lost, and one under way a minute ago."""
        await self.arrange({"kind": "status_before", "match": TRANSFERS, "status": 500})
        lost = await self.saga(Drawdown("D1", 100_000), "LN-1")
        await self.turns(lost, "unknown")
        equal = await self.saga(Drawdown("D1", 100_000), "LN-2")
        await self.turns(equal, "pending")
        await self.advance_clocks(timedelta(minutes=1))
        return lost, equal

    async def hear(self, event: Document) -> Outcome:
        """Receive one webhook and run its job."""
        number = next(self.numbers)
        body = json.dumps(event).encode()
        message = codat_message(f"wh_{number}", read_envelope(body), body)
        async with self.database.transaction() as connection:
            verdict = (await inbox_store.record_messages(connection, [message]))[0]
        return await self.webhooks.hear(verdict.message_id)

    # --- looking

    async def simulator(self, method: str, path: str, body: object = None) -> Any:
        async with self.session.request(method, self.url + path, json=body) as response:
            assert response.status < 300, await response.text()
            return await response.json() if response.content_length else None

    async def books(self) -> Document:
        found: Document = await self.simulator("GET", f"/_simulator/books/{self.company['id']}")
        return found

    async def balance(self, role: str) -> str:
        accounts = (await self.books())["accounts"]
        return next(str(account["balance"]) for account in accounts if account["id"] == self.company[role])

    async def records(self, kind: str) -> list[Document]:
        """Records of a kind that are not deleted."""
        found: list[Document] = (await self.books())["records"][kind]
        return [record for record in found if not record["deleted"]]

    async def lines(self) -> list[Document]:
        """The lender account's statement lines."""
        account = self.company.get("sourceAccountId", self.company["lenderAccountId"])
        statements = (await self.books())["statements"]
        return next((list(s["lines"]) for s in statements if s["accountId"] == account), [])

    async def amounts(self) -> list[str]:
        return [line["amount"] for line in await self.lines()]

    async def sent(self) -> list[Document]:
        """Every write request the simulator received, in order."""
        entries = (await self.simulator("GET", "/_simulator/requests"))["requests"]
        return [entry for entry in entries if entry["method"] in ("POST", "DELETE") and "/push/" in entry["path"]]

    async def row(self, table: str, row_id: int) -> Any:
        async with self.database.connection() as connection:
            return await connection.fetchrow(f"select * from {table} where id = $1", row_id)

    async def steps(self, saga_id: int) -> list[Any]:
        async with self.database.connection() as connection:
            return await connection.fetch("select * from steps where saga_id = $1 order by n", saga_id)

    async def story(self, saga_id: int) -> list[str]:
        """The saga's history in words, for failing tests and for tests of the history."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "select t.n, t.kind, a.action, a.outcome, a.detail from step_attempts a "
                "join steps t on t.id = a.step_id where t.saga_id = $1 order by a.id",
                saga_id,
            )
            saga = await connection.fetch("select state, waiting_for, reason from sagas where id = $1", saga_id)
        return [" | ".join(str(value) for value in row.values()) for row in [*rows, *saga]]


def push_webhook(key: UUID, status: str, data_type: str = "transfers") -> Document:
    """What Codat's new service says of a push operation."""
    kind = "successful" if status == "Success" else "unsuccessful"
    payload = {"id": str(key), "type": "Create", "status": status}
    return {"id": "e1", "eventType": f"{data_type}.write.{kind}", "payload": payload}


def connection_webhook(connection_id: UUID, status: str) -> Document:
    """What Codat's new service says of a connection."""
    payload = {"connection": {"id": str(connection_id), "status": status}}
    return {"id": "e2", "eventType": "connection.reconnected", "payload": payload}
