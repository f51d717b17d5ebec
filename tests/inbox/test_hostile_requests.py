"""Hostile deliveries over raw sockets: every one gets a 4xx, never a 5xx, and the station goes on serving others."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Mapping

import pytest

from tests.inbox.samples import event
from tests.inbox.station import CODAT_AUTHORIZATION, Reply, Station, fresh_id, http_request, signed
from worker.database import Database
from worker.inbox import body as body_reading
from worker.inbox.body import MAX_BODY_BYTES

CLOSED = event("loan.closed")


def with_value(text: bytes, name: str = "extra") -> bytes:
    """A loan event with one more field, written just so."""
    return CLOSED.replace(b'"data": {', b'"data": {"%b": %b, ' % (name.encode(), text), 1)


def request(body: bytes, framed: bytes | None = None, **framing: str) -> bytes:
    """A genuinely signed request whose framing may lie."""
    lines = {name.replace("_", "-"): value for name, value in framing.items()}
    headers = {**signed(body, fresh_id()), **(lines or {"Content-Length": str(len(body))})}
    return http_request(body if framed is None else framed, headers)


def chunked(body: bytes, size: int = 65_536) -> bytes:
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


async def still_serves(station: Station) -> bool:
    return (await station.loan_event(CLOSED)).status == 202


def code_of(reply: Reply) -> str:
    assert reply.headers["content-type"].startswith("application/problem+json")
    return str(reply.document["code"])


HOSTILE_BODIES = {
    "nothing": b"",
    "cut short": CLOSED[:-1],
    "not JSON": b"loan closed",
    "not an object": b"[1]",
    "form": b"type=loan.closed",
    "byte order mark": b"\xef\xbb\xbf" + CLOSED,
    "UTF-16": CLOSED.decode().encode("utf-16"),
    "broken UTF-8": with_value(b'"\xff"'),
    "encoded surrogate": with_value(b'"\xed\xa0\x80"'),
    "lone surrogate": with_value(b'"\\ud800"'),
    "NUL": with_value(b'"\x00"'),
    "escaped NUL": with_value(b'"\\u0000"'),
    "escaped NUL in a key": with_value(b"1", "\\u0000"),
    "NaN": with_value(b"NaN"),
    "Infinity": with_value(b"-Infinity"),
    "repeated key": with_value(b'"L-2"', "loan_id"),
    "100k arrays": b"[" * 100_000,
    "100k nested arrays": with_value(b"[" * 100_000 + b"]" * 100_000),
    "40k nested objects": with_value(b'{"a":' * 40_000 + b"1" + b"}" * 40_000),
    "unknown type": CLOSED.replace(b"loan.closed", b"loan.exploded"),
    "type of another type": CLOSED.replace(b'"loan.closed"', b"7"),
    "huge exponent": event("loan.recovered", amount="?").replace(b'"?"', b"1e999999"),
    "tiny exponent": event("loan.recovered", amount="?").replace(b'"?"', b"1e-999999999"),
    "200k digits": event("loan.recovered", amount="?").replace(b'"?"', b"9" * 200_000),
    "200k decimals": event("loan.recovered", amount="?").replace(b'"?"', b"0." + b"1" * 200_000),
}


@pytest.mark.parametrize("name", HOSTILE_BODIES)
async def test_a_hostile_body_is_refused_with_its_field(station: Station, database: Database, name: str) -> None:
    reply = await station.raw(request(HOSTILE_BODIES[name]))
    assert reply.status in (400, 422)
    assert code_of(reply) in ("malformed_json", "invalid_field", "unknown_event_type", "impossible_event")
    assert len(reply.fields) == 1
    assert await still_serves(station)


HARMLESS_BODIES = {
    "huge number in an unknown field": with_value(b"9" * 200_000),
    "huge exponent in an unknown field": with_value(b"1e999999"),
    "emoji": with_value('"\U0001f4b7 – größer"'.encode()),
    "surrogate pair": with_value(b'"\\ud83d\\udcb7"'),
    "white space around": b" \r\n\t" + CLOSED + b"\n",
    "as large as allowed": CLOSED + b" " * (MAX_BODY_BYTES - len(CLOSED)),
}


@pytest.mark.parametrize("name", HARMLESS_BODIES)
async def test_an_odd_but_right_body_is_accepted(station: Station, name: str) -> None:
    assert (await station.raw(request(HARMLESS_BODIES[name]))).status == 202


async def test_a_body_may_come_in_chunks(station: Station) -> None:
    assert (await station.raw(request(CLOSED, chunked(CLOSED, 7), Transfer_Encoding="chunked"))).status == 202


TOO_LARGE = CLOSED + b" " * (MAX_BODY_BYTES + 1 - len(CLOSED))
TEN_MEGABYTES = with_value(b"9" * 10_000_000)


@pytest.mark.parametrize("body", [TOO_LARGE, TEN_MEGABYTES], ids=["one byte too many", "ten megabytes of digits"])
@pytest.mark.parametrize("framing", ["Content-Length", "Transfer-Encoding"])
async def test_a_body_over_the_limit_is_too_large_however_it_is_framed(
    station: Station, body: bytes, framing: str
) -> None:
    if framing == "Content-Length":
        reply = await station.raw(request(body))
    else:
        reply = await station.raw(request(body, chunked(body), Transfer_Encoding="chunked"))
    assert (reply.status, code_of(reply)) == (413, "body_too_large")
    assert await still_serves(station)


async def test_endless_chunks_are_cut_off(station: Station) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", station.port)
    writer.write(request(b"", b"", Transfer_Encoding="chunked"))
    status = asyncio.create_task(reader.readline())
    while not status.done():
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()
        await asyncio.sleep(0)
    assert status.result().startswith(b"HTTP/1.1 413")
    writer.close()
    assert await still_serves(station)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip"])
async def test_a_compressed_body_is_refused_before_it_is_unpacked(station: Station, encoding: str) -> None:
    bomb = b" " * 50_000_000
    packed = zlib.compress(bomb) if encoding == "deflate" else gzip.compress(bomb)
    headers = {**signed(packed, fresh_id()), "Content-Length": str(len(packed)), "Content-Encoding": encoding}
    reply = await station.raw(http_request(packed, headers))
    assert reply.status in (400, 415)
    assert await still_serves(station)


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-signature": " ".join(["v1,AAAA"] * 1_000)},
        {"webhook-signature": "v1,\u00e9\u00ff"},
        {"webhook-signature": "\u00e9" * 5_000},
        {"webhook-signature": ","},
        {"webhook-id": "a.b"},
        {"webhook-id": "\u00e9"},
        {"webhook-id": "m" * 8_000},
        {"webhook-timestamp": "9" * 8_000},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "\u00b9\u00b2"},
    ],
)
async def test_a_hostile_header_is_not_a_signature(station: Station, changes: Mapping[str, str]) -> None:
    headers = {**signed(CLOSED, fresh_id()), "Content-Length": str(len(CLOSED)), **changes}
    reply = await station.raw(http_request(CLOSED, headers))
    assert (reply.status, code_of(reply)) == (401, "invalid_signature")


async def test_ten_thousand_signatures_are_refused(station: Station, database: Database) -> None:
    headers = signed(CLOSED, fresh_id())
    headers["webhook-signature"] = " ".join([headers["webhook-signature"]] * 10_000)
    reply = await station.raw(http_request(CLOSED, {**headers, "Content-Length": str(len(CLOSED))}))
    # The server hangs up at its limit of a header's length; its answer may be lost while the rest is still being sent.
    assert reply.status in (0, 400)
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from inbox_messages") == 0
    assert await still_serves(station)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_a_header_sent_twice_is_refused(station: Station, name: str) -> None:
    headers = {**signed(CLOSED, fresh_id()), "Content-Length": str(len(CLOSED))}
    twice = http_request(CLOSED, {**headers, name.upper(): headers[name]})
    reply = await station.raw(twice)
    assert (reply.status, code_of(reply)) == (401, "invalid_signature")


@pytest.mark.parametrize(
    ("framed", "framing"),
    [
        (b"zz\r\n", {"Transfer_Encoding": "chunked"}),
        (b"-5\r\nabcde\r\n0\r\n\r\n", {"Transfer_Encoding": "chunked"}),
        (b"ffffffffffffffffffff\r\n", {"Transfer_Encoding": "chunked"}),
        (b"5\r\nabcdefg\r\n0\r\n\r\n", {"Transfer_Encoding": "chunked"}),
        (chunked(CLOSED), {"Transfer_Encoding": "chunked", "Content_Length": "5"}),
        (CLOSED, {"Content_Length": "-1"}),
        (CLOSED, {"Content_Length": "1e3"}),
        (CLOSED, {"Content_Length": "5, 6"}),
        (CLOSED, {"Transfer_Encoding": "chunked, identity"}),
    ],
)
async def test_odd_framing_is_refused_and_the_connection_closed(
    station: Station, framed: bytes, framing: dict[str, str]
) -> None:
    reply = await station.raw(request(CLOSED, framed, **framing))
    assert reply.status == 400
    assert await still_serves(station)


async def test_a_sender_that_hangs_up_half_way_harms_nobody(station: Station) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", station.port)
    writer.write(request(CLOSED, CLOSED[:10], Content_Length=str(len(CLOSED))))
    await writer.drain()
    writer.close()
    assert await still_serves(station)


async def test_a_body_that_never_ends_is_given_up(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_reading, "BODY_SECONDS", 0.2)
    reply = await station.raw(request(CLOSED, CLOSED[:10], Content_Length=str(len(CLOSED))))
    assert (reply.status, code_of(reply)) == (408, "request_timeout")


async def test_a_thousand_idle_connections_keep_nobody_out(station: Station) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", station.port) for _ in range(1_000)]
    for _, writer in idle[::2]:
        writer.write(b"POST /webhooks/loans HTTP/1.1\r\nHost: x\r\n")
    assert await still_serves(station)
    for _, writer in idle:
        writer.close()


async def test_a_refusal_repeats_little_of_what_was_sent(station: Station) -> None:
    key = "k" * 100_000
    reply = await station.loan_event(b'{"%b": 1, "%b": 2}' % (key.encode(), key.encode()))
    assert reply.status == 400
    assert len(reply.body) < 1_000


@pytest.mark.parametrize("name", HOSTILE_BODIES)
async def test_a_hostile_body_from_codat_is_kept_or_malformed(station: Station, name: str) -> None:
    reply = await station.codat(HOSTILE_BODIES[name], {"Authorization": CODAT_AUTHORIZATION})
    assert reply.status in (200, 202, 400)


@pytest.mark.parametrize("field", ["eventType", "RuleType"])
async def test_codat_text_the_database_cannot_hold_is_still_acknowledged(station: Station, field: str) -> None:
    body = json.dumps({field: "NUL \x00 \ud800", "Data": {"pushOperationKey": "\x00"}}).encode()
    assert (await station.codat(body, {"Authorization": CODAT_AUTHORIZATION})).status == 202
