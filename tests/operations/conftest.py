"""A service's ``/v1`` over HTTP, in front of stations that have really received and applied loan events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.loans.events import Delivery, LoanSystem
from tests.loans.station import Station
from worker.database import Database
from worker.operations.control import Control
from worker.operations.reader import Reader
from worker.operations.routes import add_routes
from worker.problems import problem_middleware

TOKEN = "a-token-of-the-tests"


@dataclass
class Api:
    """Calls ``/v1`` with the token, and counts how often idle workers were told to look."""

    session: aiohttp.ClientSession
    url: str
    nudges: list[None] = field(default_factory=list)

    async def call(self, method: str, path: str, document: object = None, token: str = TOKEN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.request(method, self.url + path, json=document, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def post_bytes(self, path: str, body: bytes, **headers: str) -> tuple[int, Any]:
        """Send a body as it is."""
        headers = {
            "Authorization": f"Bearer {TOKEN}",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        async with self.session.post(self.url + path, data=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def get(self, path: str) -> Any:
        """What a path that must answer 200 answers."""
        status, document = await self.call("GET", path)
        assert status == 200, document
        return document

    async def listed(self, path: str, key: str) -> list[Any]:
        """One member of every item of a list that must be one page."""
        document = await self.get(path)
        assert document["next"] is None
        return [item[key] for item in document["data"]]


@pytest.fixture
async def station(database: Database) -> Station:
    """The loans station with empty books."""
    return await Station.open(database)


@pytest.fixture
async def api(database: Database) -> AsyncIterator[Api]:
    """The routes over the same database."""
    app = web.Application(middlewares=[problem_middleware])
    nudges: list[None] = []
    add_routes(app, Reader(database), Control(database, lambda: nudges.append(None)), (TOKEN,))
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield Api(session, str(server.make_url("")).rstrip("/"), nudges)


@dataclass(frozen=True)
class Story:
    """A loan with one event in every state."""

    applied: list[Delivery]
    held: Delivery
    refused: Delivery
    queued: Delivery

    @property
    def newest_first(self) -> list[str]:
        return [one.webhook_id for one in reversed([*self.applied, self.held, self.refused, self.queued])]


@pytest.fixture
async def story(station: Station) -> Story:
    """Loan L1: drawn, one repayment settled, one reversal that came too early, one refused, one just received."""
    loan = LoanSystem()
    told = Story(
        applied=[
            loan.create(),
            loan.tell("loan.disbursed", drawdown_id="D1", amount=100_000, fee=2_500),
            loan.tell("loan.interest_accrued", accrual_id="A1", amount=2_000),
            loan.settle("R1", principal=38_000, interest=2_000),
        ],
        held=loan.reverse("R9"),
        refused=loan.settle("R1", principal=1),
        queued=loan.settle("R2", principal=100),
    )
    await station.play(*told.applied, told.held, told.refused)
    await station.receive(told.queued)
    return told
