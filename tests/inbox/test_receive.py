"""Deliveries over HTTP: durable before they are acknowledged, once whatever their number, refused with a reason."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest

from tests.inbox.samples import DATA, event
from tests.inbox.station import (
    CODAT_AUTHORIZATION,
    CODAT_KEY,
    RETIRING_LOANS_KEY,
    Reply,
    Station,
    fresh_id,
    running_station,
    signed,
)
from tests.inbox.test_codat_webhooks import rule, write_event
from worker.database import Database
from worker.inbox import store
from worker.inbox.messages import Source
from worker.inbox.routes import WebhookSecrets
from worker.inbox.store import MessageFilter

OLDER_RULE = json.dumps(rule("Push Operation Status Changed()", {"pushOperationKey": str(uuid4())})).encode()
NEW_EVENT = json.dumps(write_event("transfers.write.successful", "Success")).encode()


async def count(database: Database, table: str) -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval(f"select count(*) from {table}"))


def refusal(reply: Reply) -> tuple[int, str]:
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    assert reply.document["status"] == reply.status
    return reply.status, reply.document["code"]


@pytest.mark.parametrize("event_type", sorted(DATA))
async def test_every_loan_event_is_accepted_stored_and_queued(
    station: Station, database: Database, event_type: str
) -> None:
    body = event(event_type)
    reply = await station.loan_event(body, "msg_1")
    assert (reply.status, reply.document) == (202, {"id": "msg_1", "status": "accepted"})
    async with database.connection() as connection:
        message = await store.find_message(connection, Source.LOANS, "msg_1")
        jobs = await connection.fetch("select kind, subject, state from jobs")
    assert message is not None
    assert (message.body, message.type, message.loan_id) == (body, event_type, DATA[event_type].get("loan_id"))
    assert [tuple(job) for job in jobs] == [("apply_event", message.id, 0)]
    assert station.nudges == [None]


async def test_the_same_delivery_again_is_acknowledged_and_does_nothing(station: Station, database: Database) -> None:
    body = event("loan.closed")
    assert (await station.loan_event(body, "msg_1")).status == 202
    again = await station.loan_event(body, "msg_1")
    assert (again.status, again.document) == (200, {"id": "msg_1", "status": "duplicate"})
    assert (await count(database, "inbox_messages"), await count(database, "jobs")) == (1, 1)
    assert [reception.outcome for reception in station.receptions] == ["recorded", "duplicate"]


async def test_another_body_under_the_same_id_is_a_conflict(station: Station, database: Database) -> None:
    await station.loan_event(event("loan.closed"), "msg_1")
    reply = await station.loan_event(event("loan.closed", loan_id="L-2"), "msg_1")
    assert refusal(reply) == (409, "webhook_id_reused")
    assert await count(database, "jobs") == 1


async def test_a_hundred_copies_at_once_over_two_processes_receivers_are_one_message(database: Database) -> None:
    body = event("loan.closed")
    async with running_station(database) as one, running_station(database) as two:
        replies = await asyncio.gather(*((one, two)[n % 2].loan_event(body, "msg_1") for n in range(100)))
    assert sorted(reply.status for reply in replies) == [200] * 99 + [202]
    assert (await count(database, "inbox_messages"), await count(database, "jobs")) == (1, 1)


async def test_a_hundred_bodies_at_once_under_one_id_leave_one(station: Station, database: Database) -> None:
    bodies = [event("loan.closed", loan_id=f"L-{n}") for n in range(100)]
    replies = await asyncio.gather(*(station.loan_event(body, "msg_1") for body in bodies))
    assert sorted(reply.status for reply in replies) == [202] + [409] * 99
    assert await count(database, "jobs") == 1


async def test_one_lane_per_loan_and_per_investor(station: Station, database: Database) -> None:
    for loan in ("L-1", "L-1", "L-2"):
        await station.loan_event(event("loan.closed", loan_id=loan))
    await station.loan_event(event("capital.contributed"))
    await station.loan_event(event("capital.distributed"))
    await station.loan_event(event("expense.incurred"))
    await station.loan_event(event("expense.incurred"))
    async with database.connection() as connection:
        lanes = [row["lane"] for row in await connection.fetch("select lane from jobs order by id")]
    first, second, other, investor, same_investor, expense, another_expense = lanes
    assert first == second
    assert investor == same_investor
    assert len({first, other, investor, expense, another_expense}) == 5


async def test_a_secret_being_retired_still_opens_the_door(station: Station) -> None:
    body = event("loan.closed")
    for key in (b"", RETIRING_LOANS_KEY):
        headers = signed(body, "msg_1", key=key or CODAT_KEY)
        reply = await station.post("/webhooks/loans", body, headers)
        assert reply.status == (202 if key else 401)


async def test_a_door_without_a_secret_is_closed(database: Database) -> None:
    body = event("loan.closed")
    async with running_station(database, WebhookSecrets((), (), None)) as station:
        assert refusal(await station.loan_event(body)) == (401, "invalid_signature")
        assert refusal(await station.codat(NEW_EVENT, signed(NEW_EVENT, "m", key=b""))) == (401, "invalid_signature")
        for given in ("", "None", "Basic "):
            assert (await station.codat(OLDER_RULE, {"Authorization": given})).status == 401


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_a_delivery_without_one_of_the_headers_is_refused(station: Station, missing: str) -> None:
    body = event("loan.closed")
    headers = {name: value for name, value in signed(body, "msg_1").items() if name != missing}
    assert refusal(await station.post("/webhooks/loans", body, headers)) == (401, "invalid_signature")


async def test_loan_events_under_the_other_spelling_are_refused(station: Station) -> None:
    body = event("loan.closed")
    reply = await station.post("/webhooks/loans", body, signed(body, "msg_1", spelling="svix"))
    assert refusal(reply) == (401, "invalid_signature")
    assert reply.headers["WWW-Authenticate"] == "Signature"


@pytest.mark.parametrize("age", [301, -302, 10**9])
async def test_a_delivery_of_another_time_is_refused(station: Station, age: int) -> None:
    body = event("loan.closed")
    reply = await station.post("/webhooks/loans", body, signed(body, "msg_1", age=age))
    assert refusal(reply) == (401, "invalid_signature")


async def test_a_refused_event_names_the_field_and_leaves_nothing(station: Station, database: Database) -> None:
    reply = await station.loan_event(event("loan.repayment_settled", amount="400.99"))
    assert refusal(reply) == (422, "impossible_event")
    assert reply.fields == ["data.amount"]
    assert reply.document["errors"][0]["message"] == "is not the sum of its parts"
    assert await count(database, "inbox_messages") == 0


async def test_the_wrong_method_and_path_are_problems_too(station: Station) -> None:
    reply = await station.raw(b"GET /webhooks/loans HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert refusal_of_raw(reply) == (405, "method_not_allowed")
    assert reply.headers["allow"] == "POST"
    reply = await station.raw(b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert refusal_of_raw(reply) == (404, "not_found")


def refusal_of_raw(reply: Reply) -> tuple[int, str]:
    assert reply.headers["content-type"].startswith("application/problem+json")
    return reply.status, reply.document["code"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "application/cloudevents+json", ""])
async def test_any_content_type_will_do_because_the_bytes_are_signed(station: Station, content_type: str) -> None:
    body = event("loan.closed")
    headers = {**signed(body, fresh_id()), "Content-Type": content_type}
    assert (await station.post("/webhooks/loans", body, headers)).status == 202


@pytest.mark.parametrize("spelling", ["webhook", "svix"])
async def test_codats_new_webhooks_are_accepted_under_either_spelling(
    station: Station, database: Database, spelling: str
) -> None:
    headers = signed(NEW_EVENT, "msg_1", key=CODAT_KEY, spelling=spelling)
    assert [(await station.codat(NEW_EVENT, headers)).status for _ in range(2)] == [202, 200]
    async with database.connection() as connection:
        job = await connection.fetchrow("select kind from jobs")
    assert job is not None
    assert job["kind"] == "codat_webhook"


async def test_codats_older_rules_are_accepted_with_the_agreed_authorization(
    station: Station, database: Database
) -> None:
    headers = {"Authorization": CODAT_AUTHORIZATION, "X-Codat-ClientId": "c"}
    assert [(await station.codat(OLDER_RULE, headers)).status for _ in range(2)] == [202, 200]
    async with database.connection() as connection:
        [message] = await store.list_messages(connection, MessageFilter(source=Source.CODAT))
    assert message.type == "Push Operation Status Changed()"
    assert message.webhook_id.startswith("legacy:")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": CODAT_AUTHORIZATION.lower()},
        {"Authorization": CODAT_AUTHORIZATION[:-1]},
        {"Authorization": "\u00e9"},
        {"Authorization": CODAT_AUTHORIZATION, "svix-signature": "v1,AAAA"},
        signed(OLDER_RULE, "msg_1"),
    ],
)
async def test_codat_is_refused_with_anything_else(station: Station, headers: dict[str, str]) -> None:
    assert refusal(await station.codat(OLDER_RULE, headers)) == (401, "invalid_signature")


async def test_what_codat_invents_is_stored_and_acknowledged(station: Station, database: Database) -> None:
    unknown = [b'{"eventType": "moon.landed", "payload": {}}', b'{"RuleType": "Moon Landed()"}', b"{}"]
    for body in unknown:
        headers = {"Authorization": CODAT_AUTHORIZATION}
        assert (await station.codat(body, headers)).status == 202
    assert await count(database, "inbox_messages") == len(unknown)


async def test_what_codat_cannot_have_meant_is_malformed(station: Station) -> None:
    reply = await station.codat(b"{", {"Authorization": CODAT_AUTHORIZATION})
    assert refusal(reply) == (400, "malformed_json")
    assert refusal(await station.codat(b"{", {})) == (401, "invalid_signature")


async def test_messages_are_listed_newest_first_by_page_and_by_filter(station: Station, database: Database) -> None:
    for n in range(5):
        await station.loan_event(event("loan.closed", loan_id=f"L-{n % 2}"))
    async with database.connection() as connection:
        first = await store.list_messages(connection, MessageFilter(), limit=3)
        rest = await store.list_messages(connection, MessageFilter(), before_id=first[-1].id, limit=3)
        of_loan = await store.list_messages(connection, MessageFilter(loan_id="L-1", type="loan.closed"))
        none = await store.list_messages(connection, MessageFilter(source=Source.CODAT))
        missing = await store.get_message(connection, 10**9)
    assert [m.id for m in first + rest] == sorted((m.id for m in first + rest), reverse=True)
    assert (len(first), len(rest), len(of_loan), none, missing) == (3, 2, 2, [], None)
