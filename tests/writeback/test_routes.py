"""``/v1`` over HTTP: mappings, a person's decisions about sagas, and the token in front of both."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.writeback.station import Station
from tests.writeback.test_configure import body
from worker.codat.replies import CodatError, Denied
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

    async def call(
        self,
        method: str,
        path: str,
        document: object = None,
        token: str = TOKEN,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        sent_body = None if document is None else json.dumps(document)
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        async with self._session.request(method, self._url + path, data=sent_body, headers=sent) as response:
            return response.status, await response.json()


@pytest.fixture
async def api(station: Station) -> AsyncIterator[Api]:
    """The service's routes over the station's own database."""
    app = web.Application(middlewares=[problem_middleware])
    add_routes(app, MappingService(station.desk), Operator(station.desk.database, station.desk.clock), (TOKEN,))
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


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_codat_refuses_is_named_as_what_to_correct(
    station: Station, api: Api, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async def denied(*_: object) -> Denied:
        return Denied(status, CodatError(status, "Unauthorized"))

    monkeypatch.setattr(station.codat, "get_connection", denied)

    answered, problem = await api.call("PUT", mapping_path(station), body(station))

    assert (answered, problem["code"]) == (502, "credentials_refused")
    assert f"({status}: Unauthorized): set CODAT_API_KEY" in problem["detail"]


async def test_a_body_that_claims_to_be_compressed_is_refused(station: Station, api: Api) -> None:
    headers = {"Content-Encoding": "gzip", "Connection": "close"}
    for method, path in (("PUT", mapping_path(station)), ("POST", "/v1/sagas/1/adopt"), ("POST", "/v1/sagas/1/bury")):
        status, problem = await api.call(method, path, {}, headers=headers)
        assert (status, problem["code"]) == (415, "unsupported_media_type")


async def test_nothing_is_shown_or_changed_without_the_token(station: Station, api: Api) -> None:
    for method, path in (("GET", mapping_path(station)), ("PUT", mapping_path(station)), ("POST", "/v1/sagas/1/retry")):
        status, problem = await api.call(method, path, {}, token="another")
        assert (status, problem["code"]) == (401, "unauthenticated")


async def test_a_waiting_saga_is_retried_and_buried_over_http(station: Station, api: Api) -> None:
    await station.arrange({"kind": "push_fails", "message": "Refused.", "times": 2})
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.drive(saga)

    assert (await api.call("POST", f"/v1/sagas/{saga}/retry"))[0] == 202
    await station.drive(saga)
    status, _ = await api.call("POST", f"/v1/sagas/{saga}/bury", {"reason": "entered by hand"})
    assert status == 200

    async with station.database.connection() as connection:
        left = await connection.fetchrow("select state, reason from sagas where id = $1", saga)
    assert left is not None
    assert tuple(left) == ("abandoned", "entered by hand")
    assert (await api.call("POST", f"/v1/sagas/{saga}/retry"))[0] == 409


@pytest.mark.parametrize("saga", ["999999", "x", "9" * 30])
async def test_a_saga_that_does_not_exist_is_not_found(api: Api, saga: str) -> None:
    status, problem = await api.call("POST", f"/v1/sagas/{saga}/retry")

    assert (status, problem["code"]) == (404, "not_found")
