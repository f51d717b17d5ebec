"""``/v1`` over HTTP: mappings, sagas and their timelines, dead letters, and the token in front of all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.writeback.station import Station
from tests.writeback.test_configure import body
from worker.console_api.routes import add_routes as add_console_routes
from worker.problems import problem_middleware
from worker.writeback.configure.service import MappingService
from worker.writeback.movement import Drawdown
from worker.writeback.operator import Operator
from worker.writeback.routes import add_routes

TOKEN = "a-token-of-the-tests"


class Api:
    """Calls ``/v1`` with the token."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def call(self, method: str, path: str, document: object = None, token: str = TOKEN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self._session.request(method, self._url + path, json=document, headers=headers) as response:
            return response.status, await response.json()


@pytest.fixture
async def api(station: Station) -> AsyncIterator[Api]:
    """The service's routes over the station's own database."""
    app = web.Application(middlewares=[problem_middleware])
    add_routes(app, MappingService(station.desk), Operator(station.desk.database, station.desk.clock), (TOKEN,))
    add_console_routes(app, station.database, (TOKEN,), lambda: None)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield Api(session, str(server.make_url("")).rstrip("/"))


def mapping_path(station: Station) -> str:
    return f"/v1/companies/{station.company_id}/connections/{station.connection_id}/mapping"


async def test_a_mapping_is_put_and_read_back(station: Station, api: Api) -> None:
    status, put = await api.call("PUT", mapping_path(station), body(station))
    assert (status, put["state"]) == (200, "ready")

    status, read = await api.call("GET", mapping_path(station))
    assert (status, read) == (200, put)
    assert read["supplier_id"] == station.company["supplierId"]


async def test_a_mapping_that_creates_is_accepted_for_later(station: Station, api: Api) -> None:
    wanted = body(station, supplier={"create": {"name": "Bank of Dave"}})

    status, put = await api.call("PUT", mapping_path(station), wanted)

    assert (status, put["state"]) == (202, "creating")


async def test_a_refused_mapping_names_its_field(station: Station, api: Api) -> None:
    status, problem = await api.call("PUT", mapping_path(station), body(station, supplier={"id": "nobody"}))

    assert (status, problem["errors"][0]["field"]) == (422, "supplier.id")


@pytest.mark.parametrize("path", ["/v1/events", "/v1/loans", "/v1/sagas", "/v1/jobs", "/v1/dead-letters"])
async def test_nothing_is_shown_without_the_token(api: Api, path: str) -> None:
    status, problem = await api.call("GET", path, token="another")

    assert (status, problem["code"]) == (401, "unauthenticated")
    assert (await api.call("GET", path))[0] == 200


async def test_a_saga_is_shown_with_its_steps_and_its_timeline(station: Station, api: Api) -> None:
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.finish(saga)

    _, listed = await api.call("GET", "/v1/sagas?loan_id=LN-1&state=succeeded")
    _, shown = await api.call("GET", f"/v1/sagas/{saga}")

    assert [item["id"] for item in listed["items"]] == [saga]
    assert shown["movement"]["amount"] == "1000.00"
    assert [step["state"] for step in shown["steps"]] == ["succeeded", "succeeded"]
    assert [line["outcome"] for line in shown["timeline"]] == ["intended", "accepted", "Success"] * 2


async def test_a_waiting_saga_is_retried_and_buried_over_http(station: Station, api: Api) -> None:
    await station.arrange({"kind": "push_fails", "message": "Refused.", "times": 2})
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.drive(saga)

    assert (await api.call("POST", f"/v1/sagas/{saga}/retry"))[0] == 202
    await station.drive(saga)
    status, _ = await api.call("POST", f"/v1/sagas/{saga}/bury", {"reason": "entered by hand"})
    assert status == 200

    _, shown = await api.call("GET", f"/v1/sagas/{saga}")
    assert (shown["state"], shown["reason"]) == ("abandoned", "entered by hand")
    assert (await api.call("POST", f"/v1/sagas/{saga}/retry"))[0] == 409


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/sagas/999999"),
        ("GET", "/v1/sagas/x"),
        ("GET", "/v1/events/999999999999999999999"),
        ("GET", "/v1/loans/nobody"),
        ("GET", "/v1/jobs/999999"),
        ("GET", "/v1/dead-letters/999999"),
        ("POST", "/v1/dead-letters/999999/replay"),
        ("POST", "/v1/sagas/999999/retry"),
    ],
)
async def test_what_does_not_exist_is_not_found(api: Api, method: str, path: str) -> None:
    assert (await api.call(method, path))[0] == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=100000", "cursor=x"])
async def test_a_page_that_makes_no_sense_is_refused(api: Api, query: str) -> None:
    assert (await api.call("GET", f"/v1/sagas?{query}"))[0] == 400
