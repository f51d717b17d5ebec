"""Webhooks: signed, retried on Codat's schedule, and disturbed on demand."""

from __future__ import annotations

import pytest
from standardwebhooks import Webhook

from tests.simulator.client import SECRET, Client, Document, Inbox, Open
from worker.simulator import HeaderStyle

SIGNATURE_PARTS = ("id", "timestamp", "signature")
WRITES = {"eventTypes": ["transfers.write.successful", "transfers.write.unsuccessful"]}


async def opened(open_company: Open, inbox: Inbox, **options: object) -> Client:
    """A company whose transfers, and nothing else, are told to the inbox."""
    client = await open_company(webhook_secret=SECRET, **options)
    assert (await client.call("POST", "/webhooks", {"url": inbox.url, **WRITES})).status == 201
    return client


async def push(client: Client, amount: str = "10") -> Document:
    return await client.push(f"{client.connection}/push/transfers", client.transfer(amount))


@pytest.mark.parametrize("style", list(HeaderStyle))
async def test_a_finished_write_is_told_with_a_signature_that_verifies(
    style: HeaderStyle, open_company: Open, inbox: Inbox
) -> None:
    client = await opened(open_company, inbox, header_style=style)
    operation = await push(client)
    (headers, body), message = inbox.received[0], inbox.messages[0]
    Webhook(SECRET).verify(body, {f"webhook-{part}": headers[f"{style}-{part}"] for part in SIGNATURE_PARTS})
    assert headers[f"{style}-id"] == message["id"]
    assert message["eventType"] == "transfers.write.successful"
    assert message["payload"]["id"] == operation["pushOperationKey"]
    assert message["payload"]["record"]["id"] == operation["changes"][0]["recordRef"]["id"]


async def test_signatures_stay_fresh_however_far_the_simulated_clock_has_moved(
    open_company: Open, inbox: Inbox
) -> None:
    client = await opened(open_company, inbox)
    await client.advance(30 * 24 * 3600)
    await push(client)
    Webhook(SECRET).verify(inbox.received[0][1], inbox.received[0][0])


async def test_a_refused_write_is_told_without_the_reason(open_company: Open, inbox: Inbox) -> None:
    client = await opened(open_company, inbox)
    operation = await push(client, "-10")
    assert operation["status"] == "Failed"
    assert operation["validation"]["errors"][0]["itemId"] == "From.Amount"
    message = inbox.messages[0]
    assert (message["eventType"], message["payload"]["status"]) == ("transfers.write.unsuccessful", "Failed")
    assert "validation" not in message["payload"]


async def test_an_unacknowledged_webhook_comes_again_on_codat_s_schedule(open_company: Open, inbox: Inbox) -> None:
    client = await opened(open_company, inbox)
    inbox.answers[:] = [500] * 20
    await push(client)
    attempts = []
    for wait in (0, 300, 1800, 7200, 18000, 36000, 36000, 36000):
        await client.advance(wait)
        attempts.append(len(inbox.received))
    assert attempts == [2, 3, 4, 5, 6, 7, 8, 8]
    assert len({headers["webhook-id"] for headers, _ in inbox.received}) == 1
    assert len({body for _, body in inbox.received}) == 1


async def test_an_acknowledged_webhook_does_not_come_again(open_company: Open, inbox: Inbox) -> None:
    client = await opened(open_company, inbox)
    inbox.answers[:] = [500]
    await push(client)
    await client.advance(24 * 3600)
    assert len(inbox.received) == 2


@pytest.mark.parametrize(
    ("answers", "attempts"),
    [([200], 1), ([500], 1), ([400], 1), ([503, 200], 2), ([429, 503, 504, 200], 4), ([503] * 9, 4)],
)
async def test_the_older_service_tries_again_only_on_some_answers(
    answers: list[int], attempts: int, open_company: Open, inbox: Inbox
) -> None:
    inbox.answers[:] = answers
    client = await open_company(legacy_webhook_url=inbox.url, legacy_authorization="Bearer older")
    operation = await client.push(
        f"{client.connection}/push/transfers?allowSyncOnPushComplete=false", client.transfer("1")
    )
    await client.advance(600)
    assert len(inbox.received) == attempts
    assert inbox.received[0][0]["authorization"] == "Bearer older"
    alert = inbox.messages[0]
    assert alert["RuleType"] == "Push Operation Status Changed()"
    assert alert["Data"] == {
        "dataType": "transfers",
        "status": "Success",
        "pushOperationKey": operation["pushOperationKey"],
    }


async def test_a_sync_a_connection_and_a_feed_have_their_own_messages(open_company: Open, inbox: Inbox) -> None:
    client = await open_company("Xero", webhook_url=inbox.url, webhook_secret=SECRET)
    await client.call("POST", f"{client.base}/data/queue/transfers")
    await client.advance(10)
    for status in ("Deauthorized", "Linked"):
        await client.call("POST", f"/_simulator/connections/{client.company['connectionId']}", {"status": status})
    source = f"{client.connection}/connectionInfo/bankFeedAccounts/{client.company['sourceAccountId']}"
    assert (await client.call("DELETE", source)).status == 204
    await client.advance(10)
    assert sorted(message["eventType"] for message in inbox.messages) == [
        "bankFeeds.sourceAccount.disconnected",
        "connection.disconnected",
        "connection.reconnected",
        "read.completed",
    ]


async def test_a_consumer_hears_only_of_the_companies_it_is_tagged_for(open_company: Open, inbox: Inbox) -> None:
    client = await open_company("Sandbox")
    for tag in ("platform:gbol", "platform:mqjo"):
        await client.call("POST", "/webhooks", {"url": inbox.url, "companyTags": [tag], **WRITES})
    await push(client)
    assert len(inbox.received) == 1


# --- faults


async def test_a_webhook_can_be_lost(open_company: Open, inbox: Inbox) -> None:
    client = await opened(open_company, inbox)
    await client.arrange({"kind": "webhook_lost", "match": {"eventType": "transfers.*"}})
    await push(client)
    await push(client)
    assert len(inbox.received) == 1


async def test_a_webhook_can_come_several_times(open_company: Open, inbox: Inbox) -> None:
    client = await opened(open_company, inbox)
    await client.arrange({"kind": "webhook_duplicated", "copies": 5, "match": {"dataType": "transfers"}})
    await push(client)
    assert len({headers["webhook-id"] for headers, _ in inbox.received}) == 1
    assert len(inbox.received) == 5


async def test_two_webhooks_can_change_places(open_company: Open, inbox: Inbox) -> None:
    client = await opened(open_company, inbox)
    await client.arrange({"kind": "webhook_reordered", "match": {"eventType": "transfers.*"}})
    path = f"{client.connection}/push/transfers?allowSyncOnPushComplete=false"
    keys = [(await client.push(path, client.transfer("1")))["pushOperationKey"] for _ in range(2)]
    assert [message["payload"]["id"] for message in inbox.messages] == keys[::-1]


async def test_a_webhook_can_be_late(open_company: Open, inbox: Inbox) -> None:
    client = await opened(open_company, inbox)
    await client.arrange({"kind": "webhook_late", "seconds": 3600, "match": {"eventType": "transfers.*"}})
    await push(client)
    assert inbox.received == []
    await client.advance(3600)
    assert len(inbox.received) == 1


async def test_a_webhook_can_be_contradicted(open_company: Open, inbox: Inbox) -> None:
    client = await opened(open_company, inbox)
    await client.arrange({"kind": "webhook_contradicted"})
    operation = await push(client)
    assert operation["status"] == "Success"
    assert sorted(message["payload"]["status"] for message in inbox.messages) == ["Failed", "Success"]


async def test_a_webhook_can_come_before_the_answer_to_the_push(open_company: Open, inbox: Inbox) -> None:
    client = await opened(open_company, inbox)
    await client.arrange({"kind": "webhook_early"})
    reply = await client.call("POST", f"{client.connection}/push/transfers", client.transfer("1"))
    assert reply.json["status"] == "Pending"
    assert inbox.messages[0]["payload"]["id"] == reply.json["pushOperationKey"]


async def test_a_used_up_quota_and_its_renewal_are_told(open_company: Open, inbox: Inbox) -> None:
    client = await open_company(webhook_url=inbox.url, webhook_secret=SECRET, daily_quota=1)
    for _ in range(3):
        await client.call("GET", "/companies")
    await client.advance(24 * 3600)
    told = [(message["eventType"], message["payload"]["quotaRemaining"]) for message in inbox.messages]
    assert told == [("client.rateLimit.reached", 0), ("client.rateLimit.reset", 1)]


async def test_the_older_service_has_a_rule_of_its_own_for_a_push_that_timed_out(
    open_company: Open, inbox: Inbox
) -> None:
    client = await open_company(legacy_webhook_url=inbox.url)
    await client.arrange({"kind": "push_stays_pending"})
    await client.push(f"{client.connection}/push/transfers?timeoutInMinutes=1", client.transfer("1"))
    await client.advance(60)
    assert sorted(alert["RuleType"] for alert in inbox.messages) == [
        "Push Operation Status Changed()",
        "Push Operation Timed Out",
    ]
    assert {headers["x-codat-clientid"] for headers, _ in inbox.received} == {inbox.messages[0]["ClientId"]}
