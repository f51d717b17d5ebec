"""Every status and header becomes the right value: what may be repeated, what must be looked up, who must act."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker import wire
from worker.codat import interpret
from worker.codat.paging import parse_page
from worker.codat.push_operation import PushStatus
from worker.codat.quota import Quota
from worker.codat.replies import (
    Accepted,
    AmbiguityCause,
    Ambiguous,
    Denied,
    Invalid,
    KeyInProgress,
    KeyReused,
    Missing,
    NotFound,
    NotReady,
    RateLimited,
    Refused,
    Unavailable,
)
from worker.reply import RETRY_AFTER_LONGEST, RETRY_AFTER_SHORTEST, RETRY_AFTER_UNSTATED, Reply, retry_after

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
KEY = "11111111-2222-4333-8444-555555555555"
OPERATION = {"pushOperationKey": KEY, "status": "Pending", "statusCode": 202}


def reply(status: int, document: Any = None, **headers: str) -> Reply:
    body = wire.encode_body(document) if document is not None else b""
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Invalid),
        (401, Denied),
        (402, Denied),
        (403, Denied),
        (404, Missing),
        (405, Invalid),
        (408, Ambiguous),
        (409, KeyInProgress),
        (413, Invalid),
        (422, KeyReused),
        (429, RateLimited),
        (451, Invalid),
        (301, Denied),
        (307, Denied),
        (500, Ambiguous),
        (502, Ambiguous),
        (503, Ambiguous),
        (599, Ambiguous),
    ],
)
def test_a_pushs_status_alone_decides_what_it_ended_as(status: int, outcome: type[object]) -> None:
    for document in (None, {"statusCode": 200}, {"statusCode": 429, "error": "x", "validation": None}, OPERATION):
        assert isinstance(interpret.push_reply(reply(status, document), NOW), outcome)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Refused),
        (401, Denied),
        (402, Denied),
        (403, Denied),
        (404, NotFound),
        (408, Unavailable),
        (409, NotReady),
        (429, RateLimited),
        (302, Denied),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_a_reads_status_alone_decides_what_it_ended_as(status: int, outcome: type[object]) -> None:
    assert isinstance(interpret.read_failure(reply(status, {"statusCode": 200}), NOW), outcome)


def test_a_push_may_be_finished_when_it_is_accepted() -> None:
    for status in PushStatus:
        outcome = interpret.push_reply(reply(200, OPERATION | {"status": status.value}), NOW)
        assert isinstance(outcome, Accepted)
        assert outcome.operation.status is status


def test_an_acceptance_that_cannot_be_read_is_ambiguous_and_never_a_failure() -> None:
    for body in (b"", b"<html>", b"[]", b'{"status":"Success"}'):
        outcome = interpret.push_reply(Reply(200, {}, body), NOW)
        assert isinstance(outcome, Ambiguous)
        assert outcome.cause is AmbiguityCause.REPLY


def test_a_server_error_keeps_the_correlation_id_by_which_its_replay_is_recognised() -> None:
    document = {"statusCode": 500, "service": "PublicApi", "error": "boom", "correlationId": "c" * 32}
    first, second = (interpret.push_reply(reply(503, document), NOW) for _ in range(2))
    assert first == second
    assert isinstance(first, Ambiguous)
    assert first.error is not None
    assert (first.status, first.error.correlation_id, first.error.message) == (503, "c" * 32, "boom")


def test_an_error_names_the_fields_that_were_refused_when_codat_says_so() -> None:
    errors = [{"itemId": "reference", "message": "too long", "validatorName": "v"}]
    outcome = interpret.push_reply(reply(400, {"error": "no", "validation": {"errors": errors}}), NOW)
    assert isinstance(outcome, Invalid)
    assert [item.item_id for item in outcome.error.errors] == ["reference"]


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, RETRY_AFTER_UNSTATED),
        ("", RETRY_AFTER_UNSTATED),
        ("soon", RETRY_AFTER_UNSTATED),
        ("0", RETRY_AFTER_SHORTEST),
        ("-5", RETRY_AFTER_SHORTEST),
        ("7", timedelta(seconds=7)),
        ("1000000000", RETRY_AFTER_LONGEST),
        ("9" * 5_000, RETRY_AFTER_LONGEST),
        ("Mon, 05 Jan 2026 09:00:30 GMT", timedelta(seconds=30)),
        ("Mon, 05 Jan 2026 08:00:00 GMT", RETRY_AFTER_SHORTEST),
        ("Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_LONGEST),
    ],
)
def test_retry_after_is_obeyed_within_reason(header: str | None, wait: timedelta) -> None:
    headers = {} if header is None else {"retry-after": header}
    assert retry_after(headers, NOW) == wait


def test_a_date_to_retry_after_is_measured_by_codats_clock_where_it_shows_one() -> None:
    headers = {"retry-after": "Mon, 05 Jan 2026 12:00:30 GMT", "date": "Mon, 05 Jan 2026 12:00:00 GMT"}
    assert retry_after(headers, NOW) == timedelta(seconds=30)


@given(st.text(max_size=40))
def test_no_header_makes_us_wait_for_ever_or_not_at_all(header: str) -> None:
    assert RETRY_AFTER_SHORTEST <= retry_after({"retry-after": header}, NOW) <= RETRY_AFTER_LONGEST
    interpret.quota({"x-rate-limit-limit": header, "x-rate-limit-remaining": header, "x-rate-limit-reset": header})


def test_the_quota_is_read_from_the_headers_and_rubbish_is_ignored() -> None:
    headers = {
        "x-rate-limit-limit": "2000",
        "x-rate-limit-remaining": "7",
        "x-rate-limit-reset": "2026-01-06T00:00:00Z",
    }
    assert interpret.quota(headers) == Quota(2000, 7, datetime(2026, 1, 6, tzinfo=UTC))
    assert interpret.quota({"x-rate-limit-reset": "Tue, 06 Jan 2026 00:00:00 GMT"}) == Quota(
        None, None, datetime(2026, 1, 6, tzinfo=UTC)
    )
    assert interpret.quota({"x-rate-limit-remaining": "many"}) is None


def test_only_codats_own_limits_close_the_gate_for_everybody() -> None:
    assert not interpret.is_platform_limit(reply(429))
    assert not interpret.is_platform_limit(reply(429, {"service": "PublicApi"}))
    assert interpret.is_platform_limit(reply(429, {"service": "Xero"}))


def test_a_list_is_read_whether_it_comes_in_an_envelope_or_bare_or_with_nothing_in_it() -> None:
    assert parse_page(wire.decode_json(b'[{"a":1},2]')).records == [{"a": 1}]
    empty = parse_page(wire.decode_json(b'{"pageNumber":1,"pageSize":100,"totalResults":0,"_links":{}}'))
    assert (empty.records, empty.has_more(1)) == ([], False)
    linked = parse_page(wire.decode_json(b'{"results":[],"totalResults":1,"_links":{"next":{"href":"/x"}}}'))
    assert linked.has_more(1)
    counted = parse_page(wire.decode_json(b'{"results":[{}],"pageSize":1,"totalResults":2}'))
    assert counted.has_more(1)
    assert not counted.has_more(2)
