"""Faults of requests, pushes and connections: what the caller sees, and what is in the books all the same."""

from __future__ import annotations

from uuid import uuid4

import aiohttp
import pytest

from tests.simulator.client import Client, Document, Open

PUSHES = {"path": "*/push/transfers"}


@pytest.fixture
async def client(open_company: Open) -> Client:
    return await open_company()


async def push(client: Client, key: str | None = None) -> Document:
    return await client.push(f"{client.connection}/push/transfers", client.transfer("10"), key)


async def transfers(client: Client) -> int:
    await client.advance(600)
    return len((await client.books())["records"]["transfers"])


@pytest.mark.parametrize(("kind", "written"), [("status_before", 0), ("status_after", 1)])
async def test_a_server_error_comes_before_or_after_the_effect(kind: str, written: int, client: Client) -> None:
    await client.arrange({"kind": kind, "status": 502, "match": PUSHES})
    reply = await client.call("POST", f"{client.connection}/push/transfers", client.transfer("10"))
    assert (reply.status, reply.json["canBeRetried"]) == (502, "Unknown")
    assert await transfers(client) == written
    listed = await client.get(f"{client.base}/push")
    assert listed["totalResults"] == written


@pytest.mark.parametrize(("kind", "written"), [("cut_before", 0), ("cut_after", 1)])
async def test_a_connection_is_cut_before_or_after_the_effect(kind: str, written: int, client: Client) -> None:
    await client.arrange({"kind": kind, "match": PUSHES})
    key = str(uuid4())
    with pytest.raises(aiohttp.ClientError):
        await client.call("POST", f"{client.connection}/push/transfers", client.transfer("10"), Idempotency_Key=key)
    assert await transfers(client) == written
    assert (await push(client, key))["status"] == "Success"
    assert await transfers(client) == 1


async def test_faults_strike_the_next_matching_requests_and_no_others(client: Client) -> None:
    await client.arrange({"kind": "status_before", "status": 500, "times": 2, "match": {"method": "GET"}})
    statuses = [(await client.call("GET", "/companies")).status for _ in range(3)]
    assert statuses == [500, 500, 200]
    assert (await client.get("/_simulator/faults")) == {"faults": []}


async def test_a_probability_strikes_the_same_requests_for_the_same_seed(open_company: Open) -> None:
    histories = []
    for _ in range(2):
        client = await open_company(seed=5)
        await client.arrange({"kind": "rate_limit", "probability": "0.5", "match": {"path": "/companies"}})
        histories.append([(await client.call("GET", "/companies")).status for _ in range(20)])
    assert histories[0] == histories[1]
    assert set(histories[0]) == {200, 429}


async def test_arranged_faults_can_be_called_off(client: Client) -> None:
    await client.arrange({"kind": "status_before", "status": 500, "times": 100})
    assert (await client.call("DELETE", "/_simulator/faults")).status == 204
    assert (await client.call("GET", "/companies")).status == 200


async def test_a_fault_that_is_none_is_refused_by_name(client: Client) -> None:
    reply = await client.call("POST", "/_simulator/faults", [{"kind": "earthquake"}])
    assert reply.status == 400
    assert b"earthquake" in reply.body


async def test_a_rate_limit_may_leave_out_retry_after(client: Client) -> None:
    await client.arrange({"kind": "rate_limit", "retryAfter": None})
    reply = await client.call("GET", "/companies")
    assert reply.status == 429
    assert "Retry-After" not in reply.headers


async def test_a_push_can_fail_with_a_given_validation_error(client: Client) -> None:
    await client.arrange({"kind": "push_fails", "itemId": "From.AccountRef.Id", "message": "Archived."})
    operation = await push(client)
    assert operation["status"] == "Failed"
    error = {"itemId": "From.AccountRef.Id", "message": "Archived.", "validatorName": "Transfer"}
    assert operation["validation"]["errors"] == [error]
    assert await transfers(client) == 0


async def test_a_push_can_stay_pending_until_its_timeout_and_is_never_written(client: Client) -> None:
    await client.arrange({"kind": "push_stays_pending"})
    path = f"{client.connection}/push/transfers?timeoutInMinutes=30"
    operation = await client.push(path, client.transfer("10"))
    assert operation["status"] == "Pending"
    await client.advance(31 * 60)
    operation = await client.get(f"{client.base}/push/{operation['pushOperationKey']}")
    assert (operation["status"], operation["timeoutInMinutes"]) == ("TimedOut", 30)
    assert await transfers(client) == 0


@pytest.mark.parametrize(
    ("kind", "status"), [("push_times_out_then_succeeds", "Success"), ("push_times_out_but_written", "TimedOut")]
)
async def test_a_push_that_timed_out_can_reach_the_books_later(kind: str, status: str, client: Client) -> None:
    await client.arrange({"kind": kind, "seconds": 300})
    operation = await push(client)
    assert operation["status"] == "TimedOut"
    assert (await client.books())["records"]["transfers"] == []
    assert await transfers(client) == 1
    operation = await client.get(f"{client.base}/push/{operation['pushOperationKey']}")
    assert operation["status"] == status


async def test_a_connection_can_be_lost_at_a_request_and_come_back(client: Client) -> None:
    await client.arrange({"kind": "disconnect", "match": PUSHES})
    path = f"{client.connection}/push/transfers"
    assert (await client.call("POST", path, client.transfer("10"))).status == 403
    assert (await client.get(client.connection))["status"] == "Deauthorized"
    assert (await client.get(f"{client.connection}/data/transfers"))["results"] == []
    await client.call("POST", f"/_simulator/connections/{client.company['connectionId']}", {"status": "Linked"})
    assert (await push(client))["status"] == "Success"


async def test_a_push_in_flight_when_the_connection_is_lost_fails(client: Client) -> None:
    reply = await client.call("POST", f"{client.connection}/push/transfers", client.transfer("10"))
    await client.call("PATCH", client.connection, {"status": "Unlinked"})
    await client.advance(10)
    operation = await client.get(f"{client.base}/push/{reply.json['pushOperationKey']}")
    assert operation["status"] == "Failed"


async def test_every_request_is_in_the_log_with_its_key_status_and_fault(client: Client) -> None:
    await client.arrange({"kind": "status_before", "status": 500, "match": PUSHES})
    key = str(uuid4())
    for _ in range(2):
        await client.call("POST", f"{client.connection}/push/transfers", client.transfer("10"), Idempotency_Key=key)
    first, second = (await client.get("/_simulator/requests"))["requests"]
    assert (first["method"], first["idempotencyKey"], first["status"]) == ("POST", key, 500)
    assert (first["fault"], first["replayed"]) == ("status_before", False)
    assert (second["fault"], second["replayed"]) == (None, True)
    assert '"amount":10' in first["body"]
