"""The client on the wire: what it sends, what it repeats, and that it never shows its key."""

from __future__ import annotations

import asyncio
import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aioresponses import CallbackResult
from aioresponses import aioresponses as mocked
from structlog.testing import capture_logs

from tests.codat.conftest import API_KEY, BASE_URL, COMPANY, CONNECTION, KEY, C, P
from worker import exchange
from worker.codat.client import CodatClient
from worker.codat.gate import Gate
from worker.codat.records import RecordKind
from worker.codat.replies import (
    Accepted,
    AmbiguityCause,
    Ambiguous,
    Denied,
    Found,
    NotReady,
    RateLimited,
    Refused,
    Unavailable,
    Unsent,
)
from worker.database import Database

OPERATION = {"pushOperationKey": str(KEY), "status": "Pending", "statusCode": 202}
PUSH = f"{P}/push/transfers"


async def push(client: CodatClient, body: bytes = b"{}") -> Any:
    return await client.push(COMPANY, CONNECTION, "push/transfers", body, KEY)


def sent(codat: mocked) -> list[Any]:
    return [call for calls in codat.requests.values() for call in calls]


async def test_a_push_sends_the_stored_bytes_with_its_key_and_the_encoded_api_key(
    client: CodatClient, codat: mocked
) -> None:
    codat.post(PUSH, payload=OPERATION)
    assert isinstance(await push(client, b'{"amount":1000.00}'), Accepted)
    (call,) = sent(codat)
    assert call.kwargs["data"] == b'{"amount":1000.00}'
    headers = call.kwargs["headers"]
    assert headers["Idempotency-Key"] == str(KEY)
    assert headers["Authorization"] == "Basic " + base64.b64encode(API_KEY.encode()).decode()
    assert call.kwargs["allow_redirects"] is False


async def test_only_a_post_carries_an_idempotency_key(client: CodatClient, codat: mocked) -> None:
    codat.get(f"{C}/push/{KEY}", payload=OPERATION)
    codat.delete(f"{P}/push/directCosts/12", payload=OPERATION)
    await client.get_push_operation(COMPANY, KEY)
    await client.delete_direct_cost(COMPANY, CONNECTION, "12")
    assert all("Idempotency-Key" not in call.kwargs["headers"] for call in sent(codat))


async def test_a_push_that_met_a_server_error_is_not_repeated(client: CodatClient, codat: mocked) -> None:
    codat.post(PUSH, status=503, payload={"error": "down", "correlationId": "abc"}, repeat=True)
    outcome = await push(client)
    assert isinstance(outcome, Ambiguous)
    assert outcome.cause is AmbiguityCause.SERVER_ERROR
    assert len(sent(codat)) == 1


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (TimeoutError(), AmbiguityCause.TIMEOUT),
        (aiohttp.SocketTimeoutError(), AmbiguityCause.TIMEOUT),
        (aiohttp.ServerDisconnectedError(), AmbiguityCause.CONNECTION),
        (aiohttp.ClientPayloadError("cut"), AmbiguityCause.CONNECTION),
        (ConnectionResetError(104, "reset"), AmbiguityCause.CONNECTION),
    ],
)
async def test_a_push_that_broke_off_is_ambiguous_and_not_repeated(
    client: CodatClient, codat: mocked, fault: Exception, cause: AmbiguityCause
) -> None:
    codat.post(PUSH, exception=fault, repeat=True)
    outcome = await push(client)
    assert isinstance(outcome, Ambiguous)
    assert (outcome.cause, outcome.status) == (cause, None)
    assert len(sent(codat)) == 1


async def test_a_connection_that_was_never_made_is_tried_again_and_then_known_to_be_unsent(
    client: CodatClient, codat: mocked
) -> None:
    refused = aiohttp.ClientConnectorError(Mock(host="codat.test", port=443, ssl=True), OSError(111, "refused"))
    codat.post(PUSH, exception=refused)
    codat.post(PUSH, exception=aiohttp.ConnectionTimeoutError())
    codat.post(PUSH, payload=OPERATION)
    assert isinstance(await push(client), Accepted)
    codat.post(PUSH, exception=refused, repeat=True)
    assert isinstance(await push(client), Unsent)


async def test_a_read_is_repeated_through_a_short_outage(client: CodatClient, codat: mocked) -> None:
    url = f"{C}/push/{KEY}"
    codat.get(url, status=503)
    codat.get(url, exception=aiohttp.ServerDisconnectedError())
    codat.get(url, payload=OPERATION)
    assert isinstance(await client.get_push_operation(COMPANY, KEY), Found)
    codat.get(url, status=500, payload={"error": "boom"}, repeat=True)
    assert await client.get_push_operation(COMPANY, KEY) == Unavailable("HTTP 500: boom")
    assert len(sent(codat)) == 6


async def test_a_cancelled_request_stays_cancelled(client: CodatClient, codat: mocked) -> None:
    started = asyncio.Event()

    async def hang(url: Any, **kwargs: Any) -> CallbackResult:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    codat.get(re.compile(".*"), callback=hang, repeat=True)
    task = asyncio.create_task(client.get_push_operation(COMPANY, KEY))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(sent(codat)) == 1, "a cancelled attempt is not a failed one"


async def test_a_redirect_is_refused_before_the_key_goes_anywhere_else(client: CodatClient, codat: mocked) -> None:
    codat.get(f"{C}/push/{KEY}", status=302, headers={"Location": "http://169.254.169.254/"})
    outcome = await client.get_push_operation(COMPANY, KEY)
    assert isinstance(outcome, Denied)
    assert "CODAT_BASE_URL" in outcome.error.message
    assert len(sent(codat)) == 1


async def test_a_reply_without_end_is_given_up_on(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_REPLY_BYTES", 1_000_000)

    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_compression()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 100_000)
        except ConnectionError:
            return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", flood)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        client = CodatClient(session, str(server.make_url("")), API_KEY, gate)
        outcome = await push(client)
        assert isinstance(outcome, Ambiguous)
        assert outcome.cause is AmbiguityCause.REPLY
        assert isinstance(await client.company_info(COMPANY), Unavailable)


async def test_a_write_that_is_not_answered_in_time_is_ambiguous(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "TOTAL_TIMEOUT_SECONDS", 0.05)
    received: list[str] = []

    async def silence(request: web.Request) -> web.Response:
        received.append(request.method)
        await asyncio.Event().wait()
        raise AssertionError

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", silence)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        client = CodatClient(session, str(server.make_url("")), API_KEY, gate)
        outcome = await push(client)
        assert isinstance(outcome, Ambiguous)
        assert outcome.cause is AmbiguityCause.TIMEOUT
        assert received == ["POST"]
        assert isinstance(await client.company_info(COMPANY), Unavailable)
        assert received == ["POST", "GET", "GET", "GET"]


async def test_a_codat_that_is_not_there_at_all_was_sent_nothing(gate: Gate, unused_tcp_port: int) -> None:
    async with aiohttp.ClientSession() as session:
        client = CodatClient(session, f"http://127.0.0.1:{unused_tcp_port}", API_KEY, gate)
        assert isinstance(await push(client), Unsent)
        assert isinstance(await client.company_info(COMPANY), Unavailable)


async def test_every_page_of_a_list_is_read_and_the_query_is_encoded_once(gate: Gate) -> None:
    asked: list[str] = []

    async def page(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        number = int(request.query["page"])
        links = {"next": {"href": "/ignored"}} if number < 3 else {}
        results = {"results": [{"id": str(number)}]} if number != 2 else {}
        return web.json_response({**results, "pageNumber": number, "pageSize": 1, "totalResults": 2, "_links": links})

    app = web.Application()
    app.router.add_get("/{path:.*}/data/accounts", page)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        client = CodatClient(session, str(server.make_url("/base/")), API_KEY, gate)
        found = await client.list_records(RecordKind.ACCOUNT, COMPANY, CONNECTION, "type=Expense&&name=A b")
    assert found == Found([{"id": "1"}, {"id": "3"}])
    assert asked == [
        f"/base/companies/{COMPANY}/data/accounts?page={number}&pageSize=2000&query=type%3DExpense%26%26name%3DA%20b"
        for number in (1, 2, 3)
    ]


async def test_a_list_that_fails_halfway_is_not_half_a_list(client: CodatClient, codat: mocked) -> None:
    codat.get(re.compile(r".*page=1&.*"), payload={"results": [{}], "_links": {"next": {"href": "/x"}}})
    codat.get(re.compile(r".*page=2&.*"), status=409, payload={"error": "The data set has not been requested."})
    assert isinstance(await client.list_records(RecordKind.SUPPLIER, COMPANY, CONNECTION), NotReady)


async def test_the_push_history_is_read_back_to_a_moment_and_skips_what_cannot_be_read(
    client: CodatClient, codat: mocked
) -> None:
    history = [
        OPERATION | {"requestedOnUtc": "2026-01-05T09:00:00Z"},
        {"nonsense": True},
        OPERATION | {"requestedOnUtc": "2026-01-05T07:59:59Z"},
    ]
    codat.get(re.compile(r".*/push\?.*"), payload={"results": history})
    found = await client.list_push_operations(COMPANY, datetime(2026, 1, 5, 8, tzinfo=UTC))
    assert isinstance(found, Found)
    assert [operation.requested_on_utc for operation in found.value] == ["2026-01-05T09:00:00Z"]
    ((_, url),) = codat.requests
    assert url.query["query"] == "requestedOnUtc>=2026-01-05T08:00:00Z"


async def test_a_sync_already_under_way_is_as_good_as_a_new_one(client: CodatClient, codat: mocked) -> None:
    url = f"{C}/data/queue/transfers?connectionId={CONNECTION}"
    codat.post(url, status=400, payload={"error": "DatasetAlreadyInProgressException: wait"})
    assert await client.queue_sync(COMPANY, CONNECTION, RecordKind.TRANSFER) == Found(None)
    codat.post(url, status=400, payload={"error": "no such data type"})
    assert isinstance(await client.queue_sync(COMPANY, CONNECTION, RecordKind.TRANSFER), Refused)


async def test_codats_429_closes_the_gate_for_every_replica(
    client: CodatClient, codat: mocked, database: Database
) -> None:
    codat.post(PUSH, status=429, headers={"Retry-After": "30"})
    assert await push(client) == RateLimited(timedelta(seconds=30))
    async with Gate.open(database) as other_replica, other_replica.admit(COMPANY) as wait:
        assert wait is not None
        assert timedelta(seconds=20) < wait <= timedelta(seconds=30)
    assert isinstance(await push(client), RateLimited)
    assert len(sent(codat)) == 1


async def test_a_platforms_own_429_leaves_the_other_companies_alone(client: CodatClient, codat: mocked) -> None:
    codat.post(PUSH, status=429, headers={"Retry-After": "30"}, payload={"service": "Xero"})
    codat.get(f"{C}/push/{KEY}", payload=OPERATION)
    assert await push(client) == RateLimited(timedelta(seconds=30))
    assert isinstance(await client.get_push_operation(COMPANY, KEY), Found)


async def test_the_api_key_is_in_no_log_and_no_outcome(client: CodatClient, codat: mocked) -> None:
    encoded = base64.b64encode(API_KEY.encode()).decode()
    codat.post(PUSH, status=429)
    codat.post(PUSH, exception=aiohttp.ClientConnectionError(f"bad header Basic {encoded}"))
    with capture_logs() as logs:
        shown = [repr(client), str(client.__dict__), repr(await push(client))]
    shown += [str(logs)]
    assert not [text for text in shown if encoded in text or API_KEY in text]
    assert BASE_URL.startswith("https")
