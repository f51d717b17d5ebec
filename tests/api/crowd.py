"""Callers who all want something of the same accounts at once, and what they were told."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

import aiohttp

PAUSE_SECONDS = 0.05
"""Before a call is sent again, as a client would."""

PATIENCE_SECONDS = 60.0
"""How long a caller insists on a definite answer: a killed process is back long before."""

WELL_UNDER_WAY = 200
"""Transactions after which everybody is in the midst of something."""

FINAL_REFUSALS = {404, 422}
"""Answers that say no, and mean it."""

Document = dict[str, Any]


class Reply(NamedTuple):
    """A definite answer; ``repeated`` if a connection broke before it: an earlier call may have had its effect."""

    status: int
    body: Any
    repeated: bool = False

    @property
    def accepted(self) -> bool:
        return self.status < 300


class Fact(NamedTuple):
    """A transaction as somebody was told it is."""

    status: str
    external_id: str | None
    reverses: str | None
    partially_posts: str | None
    entries: tuple[tuple[str, str, int], ...]


@dataclass
class Tally:
    """What all callers together were told."""

    facts: dict[str, Fact] = field(default_factory=dict)
    """Transactions by id, as they were last acknowledged."""
    refused: set[str] = field(default_factory=set)
    """External ids of transactions that were refused, and of none that was accepted."""
    statuses: Counter[int] = field(default_factory=Counter)
    broken_connections: int = 0
    well_under_way: asyncio.Event = field(default_factory=asyncio.Event)

    def acknowledge(self, document: Document) -> Document:
        """Remember a transaction from an answer."""
        entries = (
            (entry["ledger_account_id"], entry["direction"], entry["amount"]) for entry in document["ledger_entries"]
        )
        self.facts[document["id"]] = Fact(
            document["status"],
            document["external_id"],
            document["reverses_ledger_transaction_id"],
            document["partially_posts_ledger_transaction_id"],
            tuple(sorted(entries)),
        )
        if len(self.facts) >= WELL_UNDER_WAY:
            self.well_under_way.set()
        return document


class Doors:
    """The processes that serve one database, and how a patient client talks to them."""

    def __init__(self, session: aiohttp.ClientSession, urls: Sequence[str], tally: Tally) -> None:
        self.session = session
        self.urls = urls
        self.tally = tally
        self.one_is_dying = False

    async def ask(self, door: int, method: str, path: str, body: object = None, key: str | None = None) -> Reply:
        """Send a call until somebody answers it definitely; who does not answer at all is left for another door."""
        headers, repeated = {} if key is None else {"Idempotency-Key": key}, False
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                url = f"{self.urls[door % len(self.urls)]}/api/{path}"
                try:
                    async with self.session.request(method, url, json=body, headers=headers) as response:
                        status, answer = response.status, await response.json(content_type=None)
                except aiohttp.ClientError:
                    self.tally.broken_connections += 1
                    door, repeated = door + 1, True
                else:
                    self.tally.statuses[status] += 1
                    if status < 300 or status in FINAL_REFUSALS:
                        return Reply(status, answer, repeated)
                    assert status == 409 or (status == 503 and self.one_is_dying), (method, path, status, answer)
                await asyncio.sleep(PAUSE_SECONDS)


@dataclass(frozen=True)
class Chart:
    """The accounts and categories everybody works on, by id."""

    ledger: str
    cash: str
    reserve: str
    revenue: str
    loans: tuple[str, ...]
    euros: tuple[str, ...]
    top: str
    shelves: tuple[str, ...]


async def open_chart(doors: Doors) -> Chart:
    """Books with a cash account, a reserve, loans, some euros; and categories: two shelves, nested in a top."""
    ledger = (await _made(doors, "ledgers", name="LendNow"))["id"]

    async def account(name: str, side: str, currency: str = "USD") -> str:
        given = {"normal_balance": side, "currency": currency, "ledger_id": ledger}
        return str((await _made(doors, "ledger_accounts", name=name, **given))["id"])

    async def category(name: str, *parents: str) -> str:
        given = {"normal_balance": "debit", "currency": "USD", "ledger_id": ledger}
        made = await _made(doors, "ledger_account_categories", name=name, ledger_account_category_ids=parents, **given)
        return str(made["id"])

    top = await category("Top")
    chart = Chart(
        ledger,
        await account("Cash", "debit"),
        await account("Reserve", "debit"),
        await account("Revenue", "credit"),
        tuple([await account(f"Loan {n}", "debit") for n in range(6)]),
        tuple([await account(f"Euros {n}", "debit", "EUR") for n in range(8)]),
        top,
        (await category("Left", top), await category("Right", top)),
    )
    for shelf in chart.shelves:
        reply = await doors.ask(0, "PUT", f"ledger_account_categories/{shelf}/ledger_accounts/{chart.cash}")
        assert reply.accepted
    return chart


async def _made(doors: Doors, path: str, **given: object) -> Document:
    reply = await doors.ask(0, "POST", path, given)
    assert reply.status == 201, reply
    return dict(reply.body)


def debit(account: str, amount: int, **more: Any) -> Document:
    """An entry that debits."""
    return {"ledger_account_id": account, "direction": "debit", "amount": amount, **more}


def credit(account: str, amount: int, **more: Any) -> Document:
    """An entry that credits."""
    return {"ledger_account_id": account, "direction": "credit", "amount": amount, **more}


class Caller:
    """One of the crowd. Nobody else changes what it creates, so it always knows what is in the books of its own."""

    def __init__(self, number: int, doors: Doors, chart: Chart) -> None:
        self.number = number
        self.doors = doors
        self.chart = chart
        self.tally = doors.tally
        self.chance = random.Random(number)
        self.own: set[str] = set()
        self._names = count()

    def name(self) -> str:
        """An external id nobody else uses."""
        return f"{self.number}-{next(self._names)}"

    def key(self) -> str:
        """An idempotency key nobody else uses."""
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    async def live(self, stories: int) -> None:
        """Go through some stories, in no fixed order."""
        ways = (
            self.earn,
            self.disburse,
            self.disburse,
            self.draw_on_reserve,
            self.expect_a_version,
            self.post_and_archive_at_once,
            self.reverse_at_once,
            self.post_in_parts_at_once,
            self.repeat_a_key_at_once,
            self.take_a_name_at_once,
            self.replace_entries,
            self.annotate_at_once,
            self.rename_at_once,
            self.ask_for_too_much,
            self.move_categories,
            self.look,
        )
        for _ in range(stories):
            await self.chance.choice(ways)()

    async def ask(self, method: str, path: str, body: object = None, door: int | None = None) -> Reply:
        """One call, at any door."""
        at = self.chance.randrange(2) if door is None else door
        return await self.doors.ask(at, method, path, body, self.key() if method == "POST" else None)

    def wanted(self, *entries: Document, status: str = "posted", **more: Any) -> Document:
        """The body of a new transaction."""
        given = {"external_id": self.name(), "metadata": {"caller": str(self.number)}, **more}
        return {"status": status, "ledger_entries": entries, **given}

    async def create(self, wanted: Document, door: int | None = None) -> Document | None:
        """A new transaction, None when it is refused."""
        return self.heard(await self.ask("POST", "ledger_transactions", wanted, door), wanted.get("external_id"))

    def heard(self, reply: Reply, external_id: str | None = None) -> Document | None:
        """A transaction as it is now, None when the call was refused."""
        if not reply.accepted:
            assert reply.status == 422, reply
            if external_id is not None:
                self.tally.refused.add(external_id)
            return None
        self.own.add(reply.body["id"])
        return self.tally.acknowledge(reply.body)

    def disbursement(self, amount: int, **more: Any) -> Document:
        """Cash goes out for a loan, but only what is there."""
        guarded = credit(self.chart.cash, amount, available_balance_amount={"gte": 0})
        return self.wanted(debit(self.chance.choice(self.chart.loans), amount), guarded, **more)

    async def earn(self) -> None:
        amount = self.chance.randrange(0, 400)
        entries = (debit(self.chart.cash, amount), credit(self.chart.revenue, amount))
        effective_at = f"20{self.chance.randrange(10, 60)}-01-31T12:00:00Z"
        assert await self.create(self.wanted(*entries, effective_at=effective_at)) is not None

    async def disburse(self) -> None:
        made = await self.create(self.disbursement(self.chance.randrange(1, 100)))
        assert made is None or made["status"] == "posted"

    async def draw_on_reserve(self) -> None:
        amount = self.chance.randrange(1, 50)
        if self.chance.random() < 0.5:
            entries = debit(self.chart.reserve, amount), credit(self.chart.revenue, amount)
            assert await self.create(self.wanted(*entries)) is not None
        else:
            guarded = credit(self.chart.reserve, amount, posted_balance_amount={"gte": 0})
            await self.create(self.wanted(debit(self.chart.revenue, amount), guarded))

    async def expect_a_version(self) -> None:
        loan = self.chance.choice(self.chart.loans)
        read = await self.ask("GET", f"ledger_accounts/{loan}")
        version = read.body["lock_version"]
        expecting = debit(loan, 1, lock_version=version)
        made = await self.create(self.wanted(expecting, credit(self.chart.revenue, 1)))
        if made is not None:
            assert made["ledger_entries"][0]["ledger_account_lock_version"] == version + 1

    async def post_and_archive_at_once(self) -> None:
        made = await self.create(self.disbursement(self.chance.randrange(1, 20), status="pending"))
        if made is None:
            return
        path = f"ledger_transactions/{made['id']}"
        ends = ("posted", "archived")
        replies = await asyncio.gather(
            *(self.ask("PATCH", path, {"status": end}, door) for door, end in enumerate(ends))
        )
        assert sorted(reply.status for reply in replies) == [200, 422]
        (one,) = (reply for reply in replies if reply.accepted)
        self.heard(one)

    async def reverse_at_once(self) -> None:
        amount = self.chance.randrange(1, 20)
        made = await self.create(self.disbursement(amount))
        if made is None:
            return
        path = f"ledger_transactions/{made['id']}/reversal"
        about = {"caller": str(self.number)}
        names = [self.name(), self.name()]
        replies = await asyncio.gather(
            *(self.ask("POST", path, {"external_id": name, "metadata": about}, door) for door, name in enumerate(names))
        )
        assert sorted(reply.status for reply in replies) == [201, 422]
        for reply, name in zip(replies, names, strict=True):
            self.heard(reply, name)

    async def post_in_parts_at_once(self) -> None:
        whole = self.disbursement(100, status="pending")
        made = await self.create(whole)
        if made is None:
            return
        loan, cash = (entry["ledger_account_id"] for entry in made["ledger_entries"])
        path = f"ledger_transactions/{made['id']}"
        parts = [
            {
                "posted_ledger_entries": [debit(loan, amount), credit(cash, amount)],
                "metadata": {"caller": str(self.number)},
            }
            for amount in (30, 60)
        ]
        replies = await asyncio.gather(
            *(self.ask("POST", f"{path}/partial_post", part, door) for door, part in enumerate(parts))
        )
        for reply in replies:
            assert self.heard(reply) is not None
        rest = self.heard(await self.ask("PATCH", path, {"status": self.chance.choice(("posted", "archived"))}))
        assert rest is not None
        assert [entry["amount"] for entry in rest["ledger_entries"]] == [10, 10]

    async def repeat_a_key_at_once(self) -> None:
        wanted, key = self.disbursement(self.chance.randrange(1, 50)), self.key()
        replies = await asyncio.gather(
            *(self.doors.ask(door, "POST", "ledger_transactions", wanted, key) for door in (0, 1, 0, 1))
        )
        accepted = [reply for reply in replies if reply.accepted]
        assert all(reply[:2] == accepted[0][:2] for reply in accepted)
        for reply in accepted or replies:
            self.heard(reply, wanted["external_id"])

    async def take_a_name_at_once(self) -> None:
        """Of two names, each at both doors and in either order, on accounts that have nothing else in common."""
        names = [self.name(), self.name()]

        async def take(door: int, name: str, first: int) -> Reply:
            euros = self.chart.euros[first : first + 2]
            wanted = self.wanted(debit(euros[0], 1), credit(euros[1], 1), external_id=name)
            return await self.ask("POST", "ledger_transactions", wanted, door)

        replies = await asyncio.gather(
            take(0, names[0], 0), take(0, names[1], 2), take(1, names[1], 4), take(1, names[0], 6)
        )
        for one, other in ((replies[0], replies[3]), (replies[1], replies[2])):
            assert sorted((one.status, other.status)) == [201, 422]
        for reply in replies:
            self.heard(reply)

    async def replace_entries(self) -> None:
        made = await self.create(self.disbursement(40, status="pending"))
        if made is None:
            return
        path = f"ledger_transactions/{made['id']}"
        other = self.disbursement(self.chance.choice((10, 70)))["ledger_entries"]
        reply = await self.ask("PATCH", path, {"ledger_entries": other, "metadata": {"replaced": "yes"}})
        if self.heard(reply) is None and reply.repeated:
            self.heard(await self.ask("GET", path))  # it may have been replaced before, and now it was refused
        if self.chance.random() < 0.7:
            assert self.heard(await self.ask("PATCH", path, {"status": "posted"})) is not None

    async def annotate_at_once(self) -> None:
        """Metadata touches no account, and is merged all the same."""
        made = await self.create(self.disbursement(1, status=self.chance.choice(("pending", "posted"))))
        if made is None:
            return
        path = f"ledger_transactions/{made['id']}"
        changes = ({"metadata": {"left": "1"}}, {"metadata": {"right": "1"}})
        replies = await asyncio.gather(*(self.ask("PATCH", path, change, door) for door, change in enumerate(changes)))
        assert [reply.status for reply in replies] == [200, 200]
        shown = (await self.ask("GET", path)).body
        assert shown["metadata"] == {"caller": str(self.number), "left": "1", "right": "1"}
        versions = (await self.ask("GET", f"{path}/versions")).body
        assert sorted(version["version"] for version in versions) == [0, 1, 2]

    async def rename_at_once(self) -> None:
        """Two transactions on accounts that have nothing in common take one name."""
        name = self.name()
        made = []
        for first in (0, 4):
            euros = self.chart.euros[first : first + 2]
            wanted = self.wanted(debit(euros[0], 1), credit(euros[1], 1), status="pending")
            made.append(await self.create(wanted))
        paths = [f"ledger_transactions/{each['id']}" for each in made if each is not None]
        replies = await asyncio.gather(
            *(self.ask("PATCH", path, {"external_id": name}, door) for door, path in enumerate(paths))
        )
        assert sorted(reply.status for reply in replies) == [200, 422]
        for reply in replies:
            self.heard(reply)

    async def ask_for_too_much(self) -> None:
        wanted = self.disbursement(10**30, archive_on_balance_lock_failure=True)
        made = await self.create(wanted)
        assert made is not None
        assert (made["status"], made["archived_reason"]) == ("archived", "balance_lock_failure")

    async def move_categories(self) -> None:
        """Put an account on a shelf or take it away; take a shelf out of the top one or put it back."""
        shelf, method = self.chance.choice(self.chart.shelves), self.chance.choice(("PUT", "DELETE"))
        account = self.chance.choice((self.chart.cash, self.chart.reserve, *self.chart.loans))
        path = f"ledger_account_categories/{shelf}/ledger_accounts/{account}"
        if self.chance.random() < 0.2:
            path = f"ledger_account_categories/{self.chart.top}/ledger_account_categories/{shelf}"
        assert (await self.ask(method, path)).status in {200, 404}

    async def look(self) -> None:
        """Cash is never overdrawn, and what this caller was told is what any process shows."""
        cash = (await self.ask("GET", f"ledger_accounts/{self.chart.cash}")).body["balances"]
        assert cash["available_balance"]["amount"] >= 0
        assert (
            cash["posted_balance"]["debits"] - cash["pending_balance"]["credits"] == cash["available_balance"]["amount"]
        )
        assert (await self.ask("GET", f"ledger_accounts/{self.chart.reserve}")).body["balances"]["posted_balance"][
            "amount"
        ] >= 0
        path, seen, cursor = f"ledger_transactions?per_page=25&metadata[caller]={self.number}", set(), ""
        while True:
            page = (await self.ask("GET", path + cursor)).body
            seen |= {document["id"] for document in page}
            if len(page) < 25:
                break
            cursor = f"&after_cursor={page[-1]['id']}"
        assert seen == self.own
