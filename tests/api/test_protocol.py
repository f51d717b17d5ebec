"""What holds on every path: credentials, error bodies, limits, idempotency keys."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from modern_treasury import AsyncModernTreasury, AuthenticationError

from tests.api.conftest import OTHER_KEY, Raw, serving
from worker.api.retention import Retention
from worker.api.routes import MAX_BODY_BYTES
from worker.config import LedgerApiKey
from worker.database import Database


async def test_a_ping_is_answered(client: AsyncModernTreasury) -> None:
    assert (await client.ping()).ping == "pong"


@pytest.mark.parametrize(
    "key", [LedgerApiKey("the-lender", "wrong"), LedgerApiKey("other", "a-key-of-the-tests")], ids=["key", "name"]
)
async def test_wrong_credentials_are_refused(client: AsyncModernTreasury, key: LedgerApiKey) -> None:
    stranger = client.with_options(organization_id=key.organization_id, api_key=key.api_key)
    with pytest.raises(AuthenticationError) as refused:
        await stranger.ping()
    assert refused.value.body == {
        "errors": {
            "code": "invalid_key",
            "message": "an organization id and one of its API keys are required",
            "parameter": "Authorization",
        }
    }


@pytest.mark.parametrize("header", ["", "Basic", "Basic !", "Bearer x", "Basic w6k=", "Basic Og=="])
async def test_a_malformed_authorization_is_refused(raw: Raw, header: str) -> None:
    async with raw.session.get(raw.url + "/api/nowhere", headers={"Authorization": header}) as response:
        assert response.status == 401
        assert (await response.json())["errors"]["code"] == "invalid_key"


async def test_an_unknown_path_is_not_found(raw: Raw) -> None:
    assert await raw.error("GET", "/api/payment_orders") == (404, "not_found", None)
    assert await raw.error("PUT", "/api/ledgers") == (405, "not_found", None)
    assert await raw.error("GET", "/api/ledgers/nonsense") == (404, "resource_not_found", None)


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        (b"{", "body"),
        (b"[]", "body"),
        (b'{"name": "a", "name": "b"}', "name"),
        (b'{"name": NaN}', "body"),
        (b'{"name": "\\u0000"}', "name"),
        (b'{"name": "\\ud800"}', "name"),
        (b'{"name": "a", "nmae": 1}', "nmae"),
        (b'{"name": 7}', "name"),
        (b'{"name": "a", "metadata": {"k": 1}}', "metadata"),
        (b'{"name": "a", "metadata": []}', "metadata"),
        (b"\xff", "body"),
        (b"[" * 100_000, "body"),
    ],
)
async def test_a_wrong_body_is_refused_by_name(raw: Raw, body: bytes, parameter: str) -> None:
    assert await raw.error("POST", "/api/ledgers", data=body) == (422, "parameter_invalid", parameter)


async def test_a_missing_member_is_named(raw: Raw) -> None:
    assert await raw.error("POST", "/api/ledgers") == (422, "parameter_missing", "name")


async def test_a_body_that_is_too_large_is_refused(raw: Raw) -> None:
    too_large = b" " * (MAX_BODY_BYTES + 1)
    assert await raw.error("POST", "/api/ledgers", data=too_large) == (413, "parameter_invalid", "body")


async def test_a_body_that_is_compressed_is_refused_by_the_header_that_says_so(raw: Raw) -> None:
    refused = await raw.error("POST", "/api/ledgers", data=b"", headers={"Content-Encoding": "gzip"})
    assert refused == (415, "parameter_invalid", "Content-Encoding")


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"rate": 5}, "metadata must be an object of strings, which rate is not"),
        ({"a": "b", "": "c"}, "metadata may not have an empty key"),
        ({"memo": "x" * 1001}, "metadata may have at most 1000 characters in a key or value: see memo"),
    ],
)
async def test_metadata_is_refused_by_its_key(raw: Raw, metadata: dict[str, Any], words: str) -> None:
    status, body, _ = await raw.call("POST", "/api/ledgers", json={"name": "A", "metadata": metadata})
    assert (status, body["errors"]["parameter"], body["errors"]["message"]) == (422, "metadata", words)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("nmae=x", "nmae"),
        ("per_page=0", "per_page"),
        ("per_page=x", "per_page"),
        ("after_cursor=x", "after_cursor"),
        ("id[]=x", "id"),
        ("updated_at[gte]=yesterday", "updated_at"),
        ("updated_at[gte]=2024-02-30", "updated_at"),
        ("updated_at[gte]=0001-01-01T00:00:00%2B14:00", "updated_at"),
        ("updated_at[around]=2024-01-01", "updated_at"),
        ("metadata[]=x", "metadata"),
        ("metadata[a]=1&metadata[a]=2", "metadata[a]"),
    ],
)
async def test_a_wrong_filter_is_refused_by_name(raw: Raw, query: str, parameter: str) -> None:
    assert await raw.error("GET", f"/api/ledgers?{query}") == (422, "parameter_invalid", parameter)


@pytest.mark.parametrize(
    "moment",
    [
        "2024-01-01",
        "2024-01-01T00:00:00Z",
        "2024-01-01 00:00:00+00:00",
        "2024-01-01 00:00:00",
        "2024-01-01T05:30:00.000000+05:30",
        "2023-12-31T19:00-0500",
    ],
)
async def test_every_spelling_of_a_time_is_understood(
    client: AsyncModernTreasury, database: Database, moment: str
) -> None:
    ledger = await client.ledgers.create(name="A")
    async with database.connection() as connection:
        await connection.execute("update ledgers set updated_at = '2024-01-01 00:00:00+00'")
    assert [one.id for one in (await client.ledgers.list(updated_at={"eq": moment})).items] == [ledger.id]
    assert (await client.ledgers.list(updated_at={"gt": moment})).items == []
    assert (await client.ledgers.list(updated_at={"lt": moment})).items == []


async def test_a_repeated_key_answers_as_it_did_first_whatever_is_sent_with_it(raw: Raw) -> None:
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "k1"}}
    first = await raw.call("POST", "/api/ledgers", json={"name": "A"}, **sent)
    again = await raw.call("POST", "/api/ledgers", json={"name": "something else"}, **sent)
    other_caller = await raw.call("POST", "/api/ledgers", OTHER_KEY, json={"name": "B"}, **sent)

    assert first[0] == again[0] == other_caller[0] == 201
    assert again[1] == first[1]
    assert other_caller[1]["name"] == "B"


async def test_a_repeated_key_answers_as_it_did_first_on_any_path(raw: Raw) -> None:
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "k1"}}
    _, first, _ = await raw.call("POST", "/api/ledgers", json={"name": "A"}, **sent)
    for path, body in (("/api/ledger_accounts", {"name": "B"}), ("/api/ledger_transactions", {}), ("/api/ledgers", [])):
        status, again, _ = await raw.call("POST", path, json=body, **sent)
        assert (status, again) == (201, first)


async def test_a_call_that_failed_may_be_repeated_under_its_key(raw: Raw) -> None:
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "k1"}}
    assert (await raw.call("POST", "/api/ledgers", json={}, **sent))[0] == 422
    assert (await raw.call("POST", "/api/ledgers", json={"name": "A"}, **sent))[0] == 201


async def test_keys_of_other_methods_are_ignored(raw: Raw) -> None:
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "k1"}}
    _, ledger, _ = await raw.call("POST", "/api/ledgers", json={"name": "A"}, **sent)
    _, changed, _ = await raw.call("PATCH", f"/api/ledgers/{ledger['id']}", json={"name": "B"}, **sent)
    assert changed["name"] == "B"


async def test_an_expired_key_begins_anew(raw: Raw, database: Database) -> None:
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "k1"}}
    await raw.call("POST", "/api/ledgers", json={"name": "A"}, **sent)
    async with database.connection() as connection:
        await connection.execute("update api_idempotency_keys set created_at = created_at - interval '24 hours'")
    _, second, _ = await raw.call("POST", "/api/ledgers", json={"name": "B"}, **sent)
    _, repeated, _ = await raw.call("POST", "/api/ledgers", json={"name": "C"}, **sent)
    assert second["name"] == "B"
    assert repeated == second


async def test_expired_keys_are_forgotten_and_others_are_not(raw: Raw, database: Database) -> None:
    for key in ("old", "new"):
        await raw.call("POST", "/api/ledgers", json={"name": key}, headers={"Idempotency-Key": key})
    async with database.connection() as connection:
        await connection.execute(
            "update api_idempotency_keys set created_at = created_at - interval '25 hours'"
            " where created_at = (select min(created_at) from api_idempotency_keys)"
        )
        await Retention(database).prune()
        assert await connection.fetchval("select count(*) from api_idempotency_keys") == 1
    _, again, _ = await raw.call("POST", "/api/ledgers", json={"name": "x"}, headers={"Idempotency-Key": "new"})
    assert again["name"] == "new"


async def test_many_callers_with_one_key_have_one_effect(raw: Raw) -> None:
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "k1"}}
    answers = await asyncio.gather(
        *(raw.call("POST", "/api/ledgers", json={"name": f"{n}"}, **sent) for n in range(20))
    )

    made = {json.dumps(body, sort_keys=True) for status, body, _ in answers if status == 201}
    assert len(made) == 1
    assert {body["errors"]["code"] for status, body, _ in answers if status == 409} <= {"conflict"}
    assert {status for status, _, _ in answers} <= {201, 409}
    assert len((await raw.call("GET", "/api/ledgers"))[1]) == 1


async def test_without_a_database_callers_are_told_to_come_back() -> None:
    transaction = {"ledger_entries": [{"amount": 1, "direction": "debit", "ledger_account_id": str(UUID(int=1))}]}
    async with (
        Database.open("postgresql://nobody@127.0.0.1:1/nothing") as database,
        serving(database) as url,
        aiohttp.ClientSession() as session,
    ):
        raw = Raw(session, url)
        for method, path, body in (
            ("GET", "/api/ledgers", None),
            ("POST", "/api/ledgers", {"name": "A"}),
            ("POST", "/api/ledger_transactions", transaction),
        ):
            status, answered, response = await raw.call(method, path, json=body)
            assert (status, answered["errors"]["code"]) == (503, "unavailable")
            assert int(response.headers["Retry-After"]) > 0
        assert (await raw.call("GET", "/api/ping"))[0] == 200
