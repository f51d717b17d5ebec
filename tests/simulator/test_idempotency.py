"""One key, one request, one answer, for ninety minutes."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.simulator.client import Client, Open


@pytest.fixture
async def client(open_company: Open) -> Client:
    return await open_company()


async def transfers_in_the_books(client: Client) -> int:
    await client.advance(60)
    return len((await client.books())["records"]["transfers"])


async def test_the_same_key_and_body_is_answered_alike_and_takes_effect_once(client: Client) -> None:
    key, path, body = str(uuid4()), f"{client.connection}/push/transfers", client.transfer("10")
    first = await client.call("POST", path, body, Idempotency_Key=key)
    await client.advance(30)
    again = await client.call("POST", path, body, Idempotency_Key=key.upper())
    assert (again.status, again.body) == (first.status, first.body)
    assert again.json["status"] == "Pending"
    assert await transfers_in_the_books(client) == 1


async def test_two_keys_are_two_records(client: Client) -> None:
    for _ in range(2):
        await client.push(f"{client.connection}/push/transfers", client.transfer("10"))
    assert await transfers_in_the_books(client) == 2


async def test_no_key_protects_nothing(client: Client) -> None:
    for _ in range(2):
        await client.call("POST", f"{client.connection}/push/transfers", client.transfer("10"))
    assert await transfers_in_the_books(client) == 2


async def test_after_ninety_minutes_the_key_writes_again(client: Client) -> None:
    key, path, body = str(uuid4()), f"{client.connection}/push/transfers", client.transfer("10")
    for _ in range(2):
        await client.call("POST", path, body, Idempotency_Key=key)
        await client.advance(90 * 60)
    assert await transfers_in_the_books(client) == 2


async def test_another_body_under_the_same_key_is_refused(client: Client) -> None:
    key, path = str(uuid4()), f"{client.connection}/push/transfers"
    await client.call("POST", path, client.transfer("10"), Idempotency_Key=key)
    assert (await client.call("POST", path, client.transfer("11"), Idempotency_Key=key)).status == 422
    assert await transfers_in_the_books(client) == 1


async def test_a_request_in_progress_answers_its_twin_with_409(open_company: Open) -> None:
    client = await open_company()
    await client.arrange({"kind": "delay", "seconds": "0.5", "match": {"path": "*/push/transfers"}})
    key, path, body = str(uuid4()), f"{client.connection}/push/transfers", client.transfer("10")
    twins = await asyncio.gather(*(client.call("POST", path, body, Idempotency_Key=key) for _ in range(2)))
    assert sorted(reply.status for reply in twins) == [200, 409]
    assert await transfers_in_the_books(client) == 1


async def test_a_server_error_is_replayed_for_the_life_of_the_key(client: Client) -> None:
    await client.arrange({"kind": "status_after", "status": 503, "match": {"path": "*/push/transfers"}})
    key, path, body = str(uuid4()), f"{client.connection}/push/transfers", client.transfer("10")
    replies = [await client.call("POST", path, body, Idempotency_Key=key) for _ in range(3)]
    assert {(reply.status, reply.body) for reply in replies} == {(503, replies[0].body)}
    assert await transfers_in_the_books(client) == 1


async def test_a_bad_request_is_replayed_for_the_life_of_the_key(client: Client) -> None:
    key, path = str(uuid4()), f"{client.connection}/push/transfers"
    replies = [await client.call("POST", path, b"{", Idempotency_Key=key) for _ in range(2)]
    assert {(reply.status, reply.body) for reply in replies} == {(400, replies[0].body)}


async def test_a_rate_limit_frees_the_key(client: Client) -> None:
    await client.arrange({"kind": "rate_limit", "retryAfter": "7", "match": {"path": "*/push/transfers"}})
    key, path, body = str(uuid4()), f"{client.connection}/push/transfers", client.transfer("10")
    limited = await client.call("POST", path, body, Idempotency_Key=key)
    assert (limited.status, limited.headers["Retry-After"]) == (429, "7")
    assert (await client.call("POST", path, body, Idempotency_Key=key)).status == 200
    assert await transfers_in_the_books(client) == 1


async def test_a_key_has_to_be_a_guid(client: Client) -> None:
    reply = await client.call("POST", f"{client.connection}/push/transfers", client.transfer("1"), Idempotency_Key="R1")
    assert reply.status == 400


async def test_a_key_has_no_place_on_a_read(client: Client) -> None:
    assert (await client.call("GET", "/companies", Idempotency_Key=str(uuid4()))).status == 400
