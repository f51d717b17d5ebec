"""Both of Codat's webhook dialects, read from literal samples; what is not understood is ignored, never refused."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import Rejected
from worker.inbox.codat_webhooks import (
    ConnectionChanged,
    Ignored,
    PushStatusChanged,
    RateLimit,
    parse_codat_webhook,
    read_envelope,
)
from worker.inbox.messages import codat_message

PUSH_KEY = UUID("a9367074-b5c3-42c4-9be4-be129f43577e")
COMPANY = UUID("70af3071-65d9-4ec3-b3cb-5283e8d55dac")
CONNECTION = UUID("12571faf-0898-47e7-afdd-0fe9eb0a9bf5")


def write_event(event_type: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "bae71d36-ff47-420a-b4a6-f8c9ddf41140",
        "eventType": event_type,
        "generatedDate": "2023-05-03T10:00:23.000Z",
        "payload": {
            "id": str(PUSH_KEY),
            "type": "Create",
            "referenceCompany": {"id": str(COMPANY), "name": "Toft stores", "description": "cust_1"},
            "connectionId": str(CONNECTION),
            "requestedOnDate": "2023-05-03T10:00:00.000Z",
            "completedOnDate": "2023-05-03T10:00:23.000Z",
            "status": status,
            **more,
        },
    }


def connection_event(event_type: str, status: str, key: str = "type") -> dict[str, Any]:
    return {
        "id": "ba29118f-5406-4e59-b05c-ba307ca38d01",
        key: event_type,
        "generatedDate": "2024-08-08T17:10:34.015Z",
        "payload": {
            "referenceCompany": {"id": str(COMPANY), "name": "Bank of Dave"},
            "connection": {"id": str(CONNECTION), "integrationKey": "dfxm", "status": status, "sourceType": "Banking"},
        },
    }


def rule(name: str, data: dict[str, Any] | None, *, key: str = "RuleType", **more: Any) -> dict[str, Any]:
    return {
        "ClientId": "7c1b4f3e-7b0c-4b3f-9a4a-3c2f5f3f1c11",
        "ClientName": "A lender",
        "CompanyId": str(COMPANY),
        "DataConnectionId": str(CONNECTION),
        "RuleId": "70af3071-65d9-4ec3-b3cb-5283e8d55dac",
        key: name,
        "AlertId": "72c1103b-7f17-4a3a-8db5-67c2d360a516",
        "Message": f"{name} for company A borrower",
        **({"Data": data} if data is not None else {}),
        **more,
    }


def said(document: object) -> object:
    return parse_codat_webhook(json.dumps(document).encode())


@pytest.mark.parametrize("data_type", ["bankTransactions", "transfers", "directCosts", "suppliers", "chartOfAccounts"])
@pytest.mark.parametrize(
    ("ending", "status"),
    [("successful", "Success"), ("unsuccessful", "Failed"), ("unsuccessful", "TimedOut"), ("successful", "TimedOut")],
)
def test_a_write_event_tells_the_push_operation_and_its_claimed_status(
    data_type: str, ending: str, status: str
) -> None:
    document = write_event(
        f"{data_type}.write.{ending}", status, record={"id": "bil_1"} if status == "Success" else None
    )
    assert said(document) == PushStatusChanged(PUSH_KEY, data_type, status, COMPANY, CONNECTION)


@pytest.mark.parametrize("key", ["type", "eventType"])
@pytest.mark.parametrize("what", ["created", "connected", "disconnected", "reconnected", "failed"])
def test_a_connection_event_tells_the_connection_under_either_key(what: str, key: str) -> None:
    document = connection_event(f"connection.{what}", "PendingAuth", key)
    assert said(document) == ConnectionChanged(CONNECTION, COMPANY, "PendingAuth")


def test_a_deleted_connection_is_deleted_whatever_status_it_had() -> None:
    assert said(connection_event("connection.deleted", "Linked")) == ConnectionChanged(CONNECTION, COMPANY, "Deleted")


@pytest.mark.parametrize("what", ["connected", "disconnected"])
def test_a_bank_feed_that_is_joined_or_cut_off_tells_its_connection(what: str) -> None:
    payload = {
        "referenceCompany": {"id": str(COMPANY)},
        "connectionId": str(CONNECTION),
        "sourceAccount": {"id": "bod-1", "status": "pending"},
    }
    document = {"id": "e1", "eventType": f"bankFeeds.sourceAccount.{what}", "payload": payload}
    assert said(document) == ConnectionChanged(CONNECTION, COMPANY, None)


@pytest.mark.parametrize(("what", "reached", "remaining"), [("reached", True, 0), ("reset", False, 11993)])
def test_a_rate_limit_event_tells_the_quota(what: str, reached: bool, remaining: int) -> None:
    payload = {"dailyQuota": 12000, "quotaRemaining": remaining, "expiryDate": "2024-09-01T23:59:99Z"}
    document = {"id": "743e", "eventType": f"client.rateLimit.{what}", "payload": payload}
    assert said(document) == RateLimit(reached, 12000, remaining, "2024-09-01T23:59:99Z")


@pytest.mark.parametrize("key", ["RuleType", "Type"])
@pytest.mark.parametrize("name", ["Push Operation Status Changed()", "Push Operation Status Changed"])
def test_the_older_rule_for_a_push_is_known_with_and_without_brackets(name: str, key: str) -> None:
    data = {"dataType": "transfers", "status": "Success", "pushOperationKey": str(PUSH_KEY)}
    assert said(rule(name, data, key=key)) == PushStatusChanged(PUSH_KEY, "transfers", "Success", COMPANY, CONNECTION)


def test_the_older_rule_for_a_time_out_has_its_status_in_its_name() -> None:
    data = {"dataType": "transfers", "pushOperationKey": str(PUSH_KEY), "pushOperationGuid": str(PUSH_KEY)}
    document = rule("Push Operation Timed Out", data)
    assert said(document) == PushStatusChanged(PUSH_KEY, "transfers", "TimedOut", COMPANY, CONNECTION)


def test_the_older_rule_for_a_connection_tells_its_new_status() -> None:
    other = "2e9d2c44-f675-40ba-8049-353bfcb5e171"
    data = {"dataConnectionId": other, "newStatus": "Deauthorized", "oldStatus": "Linked", "platformKey": "gbol"}
    assert said(rule("DataConnectionStatusChanged", data)) == ConnectionChanged(UUID(other), COMPANY, "Deauthorized")


def test_the_older_rules_for_the_rate_limit_spell_their_data_in_pascal_case() -> None:
    reached = rule("Rate Limit Reached", {"DailyQuota": 12000, "ExpiresUtc": "2024-09-01T12:14:14Z"})
    assert said(reached) == RateLimit(True, 12000, None, "2024-09-01T12:14:14Z")
    reset = rule("Rate Limit Reset", {"DailyQuota": 12000, "QuotaRemaining": 12000, "ResetReason": "Daily reset"})
    assert said(reset) == RateLimit(False, 12000, 12000, None)


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"eventType": "read.completed", "payload": {"dataTypes": []}}, "read.completed"),
        ({"eventType": "bankFeeds.sourceAccount.connected", "payload": {}}, "bankFeeds.sourceAccount.connected"),
        ({"eventType": "moon.landed", "payload": None}, "moon.landed"),
        (write_event("transfers.write.successful", "Success", id="no uuid"), "transfers.write.successful"),
        ({"type": "connection.connected", "payload": {"connection": "?"}}, "connection.connected"),
        (rule("Data sync completed", {"dataType": "invoices", "datasetId": "x"}), "Data sync completed"),
        (rule("Push Operation Status Changed()", None), "Push Operation Status Changed()"),
        (rule("DataConnectionStatusChanged", {}, DataConnectionId=7), "DataConnectionStatusChanged"),
        ({}, "unnamed"),
        ({"RuleType": 7}, "unnamed"),
        ({"RuleType": "x\x00\ud800"}, "unnamed"),
        ({"eventType": "x" * 10_000}, "unnamed"),
    ],
)
def test_what_is_not_understood_is_ignored_by_name(document: object, name: str) -> None:
    assert said(document) == Ignored(name)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b'{"a": NaN}', b"[" * 100_000, b'{"a":' * 100_000]
)
def test_a_body_that_is_no_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Rejected) as refusal:
        parse_codat_webhook(body)
    assert (refusal.value.status, refusal.value.code) == (400, "malformed_json")


def test_numbers_beyond_counting_are_survived() -> None:
    body = b'{"eventType": "client.rateLimit.reached", "payload": {"dailyQuota": %b, "quotaRemaining": 1e999999}}'
    assert parse_codat_webhook(body % (b"9" * 100_000)) == RateLimit(True, None, None, None)


values = st.recursive(st.none() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v))


@given(st.sampled_from([write_event("a.write.successful", "Success"), connection_event("connection.failed", "Linked")]),
       st.data())  # fmt: skip
def test_any_payload_is_read_or_ignored(document: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(document["payload"])))
    spoilt = {**document, "payload": {**document["payload"], name: data.draw(values)}}
    assert isinstance(said(spoilt), PushStatusChanged | ConnectionChanged | Ignored)


def test_both_dialects_about_one_push_share_a_lane() -> None:
    new = json.dumps(write_event("transfers.write.successful", "Success")).encode()
    old = json.dumps(
        rule("Push Operation Status Changed()", {"status": "Success", "pushOperationKey": str(PUSH_KEY)})
    ).encode()
    lanes = {codat_message(name, read_envelope(body), body).lane for name, body in (("msg_1", new), (None, old))}
    assert len(lanes) == 1
