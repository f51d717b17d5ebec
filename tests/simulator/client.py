"""A client of the simulator that speaks in loans, and a receiver of its webhooks."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp.test_utils import TestServer

from worker.simulator import SimulatorOptions, Span, create_app
from worker.simulator.wire import decode_object, encode

Document = dict[str, Any]
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
INSTANT = Span(timedelta(seconds=1), timedelta(seconds=2))
SECRET = "whsec_" + base64.b64encode(b"a secret only the tests know....").decode()


@dataclass
class Reply:
    """One response, its numbers read without loss."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return decode_object(b'{"v":' + self.body + b"}")["v"]


async def serve_simulator(servers: AsyncExitStack, delay: Span, **options: Any) -> str:
    """Start a simulator in which everything takes this long, unless ``options`` say otherwise; its address."""
    delays = {"push_delay": delay, "sync_delay": delay, "feed_delay": delay}
    chosen = SimulatorOptions(**{"starts_at": START, **delays, **options})
    server = await servers.enter_async_context(TestServer(create_app(chosen)))
    return str(server.make_url("")).rstrip("/")


@dataclass
class Bodies:
    """Request bodies that the company's platform accepts, whichever it is."""

    company: Document

    def transfer(self, amount: str, source: str = "lenderAccountId", target: str = "borrowerAccountId") -> Document:
        side = {"amount": Decimal(amount), "currency": self.company["baseCurrency"], "status": "Unreconciled"}
        return {
            "date": "2026-03-02T00:00:00Z",
            "from": {"accountRef": {"id": self.company[source]}, **side},
            "to": {"accountRef": {"id": self.company[target]}, **side},
        }

    def cost(self, amount: str, payer: str = "lenderAccountId") -> Document:
        worth = Decimal(amount)
        return {
            "issueDate": "2026-03-02T00:00:00Z",
            "currency": self.company["baseCurrency"],
            "reference": "L1-R1",
            "note": "Loan fee",
            "subTotal": worth,
            "taxAmount": 0,
            "totalAmount": worth,
            "contactRef": {"id": self.company["supplierId"], "dataType": "suppliers"},
            "lineItems": [
                {
                    "description": "Loan fee",
                    "quantity": 1,
                    "unitAmount": worth,
                    "taxAmount": 0,
                    "accountRef": {"id": self.company["expenseAccountId"]},
                    "taxRateRef": {"id": "NON"},
                }
            ],
            "paymentAllocations": [
                {
                    "payment": {"accountRef": {"id": self.company[payer]}, "paidOnDate": "2026-03-02"},
                    "allocation": {"totalAmount": worth},
                }
            ],
        }

    def lines(self, account_id: str, *amounts: str, balances: tuple[str, ...] = ()) -> Document:
        lines: list[Document] = []
        running = Decimal(0)
        for number, amount in enumerate(amounts):
            running += Decimal(amount)
            balance = Decimal(balances[number]) if balances else running
            line_id = f"line-{number}-{amount}"
            lines.append(
                {
                    "id": line_id,
                    "amount": Decimal(amount),
                    "balance": balance,
                    "date": "2026-03-02",
                    "description": "L1",
                }
            )
        return {"accountId": account_id, "transactions": lines}


@dataclass
class Client(Bodies):
    """Calls one company of one simulator, and moves its clock so that whatever was asked for has happened."""

    session: aiohttp.ClientSession
    url: str

    @property
    def base(self) -> str:
        return f"/companies/{self.company['id']}"

    @property
    def connection(self) -> str:
        return f"{self.base}/connections/{self.company['connectionId']}"

    @property
    def feeds(self) -> str:
        return f"{self.base}/connections/{self.company['feedConnectionId']}"

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        sent = {"Authorization": "Basic " + base64.b64encode(b"key").decode()}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else None if body is None else encode(body)
        async with self.session.request(method, self.url + path, data=data, headers=sent) as response:
            return Reply(response.status, response.headers, await response.read())

    async def get(self, path: str, **headers: str) -> Any:
        reply = await self.call("GET", path, **headers)
        assert reply.status == 200, reply.body
        return reply.json

    async def push(self, path: str, body: object, key: str | None = None) -> Document:
        """Pushes and returns the finished push operation."""
        reply = await self.call("POST", path, body, Idempotency_Key=key or str(uuid4()))
        assert reply.status == 200, reply.body
        await self.advance(10)
        return dict(await self.get(f"{self.base}/push/{reply.json['pushOperationKey']}"))

    async def advance(self, seconds: int) -> None:
        reply = await self.call("POST", "/_simulator/clock", {"advanceSeconds": seconds})
        assert reply.status == 200, reply.body

    async def arrange(self, *faults: Document) -> None:
        reply = await self.call("POST", "/_simulator/faults", list(faults))
        assert reply.status == 200, reply.body

    async def books(self) -> Document:
        return dict(await self.get(f"/_simulator/books/{self.company['id']}"))

    async def balance(self, role: str) -> str:
        accounts = (await self.books())["accounts"]
        return next(str(a["balance"]) for a in accounts if a["id"] == self.company[role])


Start = Callable[..., Awaitable[str]]
Open = Callable[..., Awaitable[Client]]


@dataclass
class Inbox:
    """An endpoint that remembers what it was sent, and answers what it was told to."""

    url: str
    received: list[tuple[dict[str, str], bytes]]
    answers: list[int]

    @property
    def messages(self) -> list[Document]:
        return [decode_object(body) for _, body in self.received]
