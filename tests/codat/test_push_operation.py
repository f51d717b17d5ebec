"""Push operations are read whatever is missing, and the record they made is chosen by its data type."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker import wire
from worker.codat.push_operation import PushStatus, parse_push_operation
from worker.codat.records import RecordKind, RecordRef
from worker.wire import UnreadableReplyError

KEY = "11111111-2222-4333-8444-555555555555"

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def changed(*changes: tuple[str, str | None, str | None]) -> Any:
    return {
        "pushOperationKey": KEY,
        "status": "Success",
        "changes": [
            {"type": kind, "recordRef": {"id": id_, "dataType": data_type}} for kind, id_, data_type in changes
        ],
    }


def test_a_failed_push_says_which_field_was_refused_and_why() -> None:
    operation = parse_push_operation(
        wire.decode_object(
            b'{"companyId":"8a210b68-6988-11ed-a1eb-0242ac120002","pushOperationKey":"11111111-2222-4333-8444-555555555555",'
            b'"dataConnectionKey":"2e9d2c44-f675-40ba-8049-353bfcb5e171","dataType":"transfers",'
            b'"requestedOnUtc":"2026-01-05T09:00:00Z","completedOnUtc":"2026-01-05T09:00:02Z","status":"Failed",'
            b'"statusCode":400,"errorMessage":"see validation","validation":{"errors":[{"itemId":"From.Amount",'
            b'"message":"too small","validatorName":"Transfer"}],"warnings":null},"changes":[]}'
        )
    )
    assert operation.status is PushStatus.FAILED
    assert operation.key == UUID(KEY)
    assert [(e.item_id, e.message, e.validator_name) for e in operation.errors] == [
        ("From.Amount", "too small", "Transfer")
    ]
    assert operation.requested_at == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert operation.warnings == ()


def test_a_key_alone_is_enough_and_means_pending() -> None:
    operation = parse_push_operation({"pushOperationKey": KEY})
    assert operation.status is PushStatus.PENDING
    assert (operation.changes, operation.errors) == ((), ())
    assert operation.completed_at is None


@pytest.mark.parametrize(("word", "status"), [("success", PushStatus.SUCCESS), ("Queued", PushStatus.PENDING)])
def test_a_status_is_read_in_any_case_and_an_unknown_one_concludes_nothing(word: str, status: PushStatus) -> None:
    assert parse_push_operation({"pushOperationKey": KEY, "status": word}).status is status


def test_only_success_and_failure_are_final_since_a_timed_out_push_may_still_be_written() -> None:
    assert [status.is_final for status in PushStatus] == [False, True, True, False]


def test_a_negative_direct_cost_on_xero_is_found_as_the_direct_income_it_became() -> None:
    operation = parse_push_operation(changed(("Created", "i1", "directIncomes")))
    assert operation.created_record(RecordKind.DIRECT_COST) == RecordRef("i1", "directIncomes")
    assert operation.created_record(RecordKind.TRANSFER) is None


def test_the_record_is_chosen_by_its_data_type_among_several() -> None:
    operation = parse_push_operation(
        changed(("Created", "s1", "suppliers"), ("Modified", "c0", "directCosts"), ("Created", "c1", "directCosts"))
    )
    assert operation.created_record(RecordKind.DIRECT_COST) == RecordRef("c1", "directCosts")


def test_a_change_without_a_data_type_is_the_kind_that_was_pushed() -> None:
    operation = parse_push_operation(changed(("Created", "t1", None)))
    assert operation.created_record(RecordKind.TRANSFER) == RecordRef("t1", "transfers")


def test_a_deletion_is_not_a_creation() -> None:
    operation = parse_push_operation(changed(("Deleted", "c1", "directCosts")))
    assert operation.created_record(RecordKind.DIRECT_COST) is None
    assert operation.deleted_record(RecordKind.DIRECT_COST) == RecordRef("c1", "directCosts")


@given(
    st.dictionaries(
        st.sampled_from(["pushOperationKey", "status", "statusCode", "validation", "changes", "requestedOnUtc"]),
        ANY_JSON,
    )
)
def test_no_reply_however_odd_does_more_than_say_that_it_cannot_be_read(document: Any) -> None:
    try:
        operation = parse_push_operation(document)
    except UnreadableReplyError:
        operation = None
    readable = wire.identifier(document, "pushOperationKey") is not None
    assert (operation is not None) == readable
