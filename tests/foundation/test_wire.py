"""JSON of foreign systems without loss, whatever they send."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from worker import wire
from worker.wire import UnreadableReplyError


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


def test_what_no_database_can_store_is_taken_out_of_foreign_text() -> None:
    document = wire.decode_object(rb'{"message": "tax\u0000 code missing", "empty": "\u0000"}')

    assert wire.text(document, "message") == "tax code missing"
    assert wire.text(document, "empty") is None


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_outside_the_calendar_of_utc_is_none(text: str) -> None:
    assert wire.moment({"at": text}, "at") is None
