"""JSON without loss, and platforms by their names."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from worker.codat import wire
from worker.codat.platforms import Platform, platform_of
from worker.codat.records import RecordKind, list_path, push_path
from worker.codat.wire import UnreadableReplyError


def test_a_number_comes_back_digit_for_digit() -> None:
    document = wire.decode_object(b'{"a":66.67,"b":1e2,"c":0.10,"d":12345678901234567890123456789.01,"e":7}')
    assert {name: str(wire.number(document, name)) for name in document} == {
        "a": "66.67",
        "b": "1E+2",
        "c": "0.10",
        "d": "12345678901234567890123456789.01",
        "e": "7",
    }


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1]", b'{"a":NaN}', b"\xff\xfe", b'{"a":"\\ud800"}', b'{"a":' * 100_000, b"null"]
)
def test_a_reply_that_is_no_json_object_is_unreadable_and_nothing_worse(body: bytes) -> None:
    with pytest.raises(UnreadableReplyError):
        wire.decode_object(body)


def test_an_object_named_twice_or_of_another_type_reads_as_absent() -> None:
    document = wire.decode_object(b'{"a":true,"b":[],"c":{},"d":"","e":null,"f":3}')
    assert [wire.text(document, name) for name in "abcdefg"] == [None, None, None, None, None, "3", None]
    assert wire.number(document, "a") is None
    assert wire.child(document, "b") == {}
    assert wire.children(document, "c") == []


def test_times_are_utc_unless_they_say_otherwise_and_days_are_taken_as_written() -> None:
    document = wire.decode_object(
        b'{"z":"2026-01-05T09:00:00Z","n":"2026-01-05T09:00:00.0000000","o":"2026-01-05T23:30:00-05:00","x":"soon"}'
    )
    assert wire.moment(document, "z") == wire.moment(document, "n") == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert wire.calendar_day(document, "o") == date(2026, 1, 5)
    assert wire.moment(document, "x") is wire.calendar_day(document, "x") is None
    assert wire.number(document, "z") is None
    assert isinstance(wire.number({"v": 1}, "v"), Decimal)


@pytest.mark.parametrize(
    ("integration_key", "name", "platform"),
    [
        ("gbol", "whatever", Platform.XERO),
        (None, "Xero", Platform.XERO),
        ("ndsk", "QuickBooks Online Sandbox", Platform.QUICKBOOKS_ONLINE),
        ("hcws", "QuickBooks Online Bank Feeds", Platform.QUICKBOOKS_ONLINE),
        (None, "Exact (Netherlands)", Platform.EXACT),
        (None, "Sage 50 (UK)", Platform.SAGE_50),
        (None, None, Platform.OTHER),
        ("zzzz", "Clear Books", Platform.OTHER),
    ],
)
def test_a_platform_is_known_by_its_key_or_else_by_its_name(
    integration_key: str | None, name: str | None, platform: Platform
) -> None:
    assert platform_of(integration_key, name) is platform


def test_accounts_are_pushed_under_another_name_than_their_data_type() -> None:
    assert push_path(RecordKind.ACCOUNT) == "push/accounts"
    assert list_path(RecordKind.ACCOUNT, "c", "p") == "companies/c/data/accounts"
    assert list_path(RecordKind.BANK_ACCOUNT, "c", "p") == "companies/c/connections/p/data/bankAccounts"


def test_an_opaque_account_id_cannot_change_the_path_it_is_put_into() -> None:
    path = push_path(RecordKind.BANK_TRANSACTION, bank_account_id="../../x?y#z a")
    assert path == "push/bankAccounts/..%2F..%2Fx%3Fy%23z%20a/bankTransactions"


def test_an_on_premise_platform_gets_a_day_to_take_a_write() -> None:
    assert push_path(RecordKind.TRANSFER, on_premise=True) == "push/transfers?timeoutInMinutes=1440"


def test_a_bank_transaction_needs_an_account_and_a_direct_income_is_never_pushed() -> None:
    for kind in (RecordKind.BANK_TRANSACTION, RecordKind.DIRECT_INCOME):
        with pytest.raises(ValueError, match=r"bank_account_id|negative direct cost"):
            push_path(kind)


def test_what_no_database_can_store_is_taken_out_of_foreign_text() -> None:
    document = wire.decode_object(rb'{"message": "tax\u0000 code missing", "empty": "\u0000"}')

    assert wire.text(document, "message") == "tax code missing"
    assert wire.text(document, "empty") is None


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_outside_the_calendar_of_utc_is_none(text: str) -> None:
    assert wire.moment({"at": text}, "at") is None
