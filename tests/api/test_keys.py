"""Idempotency keys while somebody else holds them."""

from __future__ import annotations

import pytest

from tests.api.conftest import KEY, Raw
from tests.api.lendnow import LendNow
from worker.api import idempotency_store as store
from worker.api.call import Answer, Call
from worker.api.credentials import Caller, authenticate
from worker.api.effects import key_digest
from worker.database import Database


def caller() -> Caller:
    """Who the tests call as."""
    return authenticate("Basic dGhlLWxlbmRlcjphLWtleS1vZi10aGUtdGVzdHM=", [(KEY.organization_id, KEY.api_key)])


def digest_of(key: str) -> bytes:
    return key_digest(Call(caller(), {}, (), b"", key), key)


async def test_a_key_in_use_anywhere_is_a_conflict_until_it_is_free(
    raw: Raw, database: Database, lender: LendNow
) -> None:
    entries = lender.entries({"cash": 5}, {"revenue": 5})
    calls = (("/api/ledgers", {"name": "A"}), ("/api/ledger_transactions", {"ledger_entries": entries}))
    async with database.transaction() as connection:
        for number, _ in enumerate(calls):
            await store.admit_keys(connection, [digest_of(f"key-{number}")])
        for number, (path, body) in enumerate(calls):
            sent = {"json": body, "headers": {"Idempotency-Key": f"key-{number}"}}
            assert await raw.error("POST", path, **sent) == (409, "conflict", "Idempotency-Key")
    for number, (path, body) in enumerate(calls):
        assert (await raw.call("POST", path, json=body, headers={"Idempotency-Key": f"key-{number}"}))[0] == 201


async def test_an_answer_is_never_kept_over_another(database: Database) -> None:
    digest = digest_of("k")
    first: Answer[None] = Answer(201, b"first")
    async with database.transaction() as connection:
        await store.keep_answers(connection, {digest: first})
    with pytest.raises(store.KeyTakenError):
        async with database.transaction() as connection:
            await store.keep_answers(connection, {digest: Answer(201, b"second"), digest_of("other"): first})
    async with database.connection() as connection:
        assert await store.find_kept(connection, digest) == first
        assert await store.find_kept(connection, digest_of("other")) is None


def test_a_caller_never_shows_its_key() -> None:
    assert KEY.api_key not in repr(caller())
    assert KEY.api_key.encode() not in caller().scope
