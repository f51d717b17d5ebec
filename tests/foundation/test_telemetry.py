"""Logs carry the same keys everywhere and never a secret or personal data; metrics are valid and bounded."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from prometheus_client.parser import text_string_to_metric_families

from worker.config import LogFormat
from worker.metrics import Depths, Metrics
from worker.telemetry import HTTP_SERVER, about, configure_logging, redact

SECRETS = [
    "Basic bGVuZGVyOmh1bnRlcjI=",
    "Bearer hunter2.hunter2-hunter2",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    "postgresql://writeback:hunter2@db:5432/books",
    "jane.doe+loans@example.co.uk",
    "GB29NWBK60161331926819",
    "GB29 NWBK 6016 1331 9268 19",
    "DE89370400440532013000",
    "60-16-13 31926819",
    "60-16-13",
    "account number: 31926819",
]
TELLING = ["bGVuZGVy", "hunter2", "MfKQ9", "g0hM9", "jane", "NWBK", "3704", "31926819", "60-16"]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield io.StringIO()
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_and_personal_data_are_masked_wherever_they_hide(stream: io.StringIO, secret: str) -> None:
    configure_logging(LogFormat.JSON, logging.INFO, stream)
    logger = structlog.get_logger("test")
    logger.info(f"got {secret}", detail=secret, nested={"items": [secret, ("x", secret)]}, raw=secret.encode())
    logging.getLogger("foreign").warning("foreign library says %s", secret)
    try:
        raise ValueError(secret)
    except ValueError:
        logger.exception("failed", cause=ValueError(secret))
    assert len(lines(stream)) == 3
    assert not [word for word in TELLING if word in stream.getvalue()]


@pytest.mark.parametrize(
    "key",
    ["authorization", "Authorization", "api_key", "apiKey", "client_secret", "account_number", "sortCode", "iban"],
)
def test_values_with_a_secret_name_are_masked_whatever_they_hold(key: str) -> None:
    assert redact(None, "info", {key: "x"}) == {key: "[redacted]"}
    assert redact(None, "info", {"outer": {key: 12345678}}) == {"outer": {key: "[redacted]"}}


@pytest.mark.parametrize(
    "value",
    [
        "loan-2024-01-02",
        "2024-01-02T03:04:05Z",
        "0197a3a0-7e5c-7bb0-8f0e-12c3456789ab",
        "12345678",
        "repays 1200.00 GBP of principal",
        40_000,
        None,
        True,
    ],
)
def test_identifiers_dates_and_amounts_stay_readable(value: object) -> None:
    event = {"loan_id": value, "push_operation_key": value, "event": value}
    assert redact(None, "info", dict(event)) == event


def test_a_line_carries_what_it_is_about_and_only_inside_the_block(stream: io.StringIO) -> None:
    configure_logging(LogFormat.JSON, logging.INFO, stream)
    logger = structlog.get_logger("worker.jobs")
    with about(loan_id="L1", saga_id=7):
        logger.info("step sent")
        logging.getLogger("asyncpg").warning("slow")
    logger.info("idle")
    sent, slow, idle = lines(stream)
    assert sent == {
        "event": "step sent",
        "level": "info",
        "logger": "worker.jobs",
        "loan_id": "L1",
        "saga_id": 7,
        "timestamp": sent["timestamp"],
    }
    assert (slow["loan_id"], slow["event"]) == ("L1", "slow")
    assert "loan_id" not in idle


def test_the_level_applies_to_our_lines_and_to_foreign_ones(stream: io.StringIO) -> None:
    configure_logging(LogFormat.JSON, logging.WARNING, stream)
    structlog.get_logger("test").info("quiet")
    logging.getLogger("foreign").info("quiet")
    structlog.get_logger("test").warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


@pytest.mark.parametrize(("level", "told"), [(logging.INFO, ["malformed_request"] * 2), (logging.WARNING, [])])
async def test_bytes_that_are_no_request_are_one_short_line_each(
    stream: io.StringIO, level: int, told: list[str]
) -> None:
    configure_logging(LogFormat.JSON, level, stream)
    async with TestServer(web.Application()) as server:
        for sent in (b"GET / HTTP/1.1\r\nbroken\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
            reader, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(sent)
            assert (await reader.read()).startswith(b"HTTP/1.0 400")
            writer.close()

    assert [line["event"] for line in lines(stream) if line["logger"] == HTTP_SERVER] == told
    assert "Traceback" not in stream.getvalue()


async def test_a_fault_of_ours_keeps_its_traceback(stream: io.StringIO) -> None:
    async def fail(_: web.Request) -> web.Response:
        raise ZeroDivisionError

    configure_logging(LogFormat.JSON, logging.INFO, stream)
    app = web.Application()
    app.router.add_get("/", fail)
    async with TestServer(app) as server, ClientSession() as session, session.get(server.make_url("/")) as response:
        assert response.status == 500

    [line] = [line for line in lines(stream) if line["logger"] == HTTP_SERVER]
    assert (line["level"], "ZeroDivisionError" in line["exception"]) == ("error", True)


def test_a_terminal_gets_readable_text_with_the_traceback(stream: io.StringIO) -> None:
    configure_logging(LogFormat.CONSOLE, logging.INFO, stream)
    hidden = "hunter2"
    try:
        raise ValueError("Bearer " + hidden)
    except ValueError:
        structlog.get_logger("test").exception("step failed", loan_id="L1")
    assert "step failed" in stream.getvalue()
    assert "ValueError: Bearer [redacted]" in stream.getvalue()


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    families = text_string_to_metric_families(metrics.render().decode())
    return {(s.name, tuple(s.labels.values())): s.value for family in families for s in family.samples}


def test_depths_and_ages_replace_each_other_and_vanish_with_the_database() -> None:
    metrics = Metrics("1.2.3")
    metrics.show(Depths(jobs={("apply_event", "ready"): 4}, job_oldest_age={"apply_event": 1.5}, push_pending=2))
    shown = samples(metrics)
    assert shown["writeback_jobs", ("apply_event", "ready")] == 4
    assert shown["writeback_job_oldest_age_seconds", ("apply_event",)] == 1.5
    assert shown["writeback_push_pending", ()] == 2
    assert shown["writeback_database_up", ()] == 1
    metrics.show(Depths(jobs={("apply_event", "parked"): 1}))
    assert ("writeback_jobs", ("apply_event", "ready")) not in samples(metrics)
    metrics.show(None)
    gone = samples(metrics)
    assert gone["writeback_database_up", ()] == 0
    assert ("writeback_jobs", ("apply_event", "parked")) not in gone
    assert gone["writeback_push_pending", ()] != gone["writeback_push_pending", ()]  # NaN: unknown


def test_every_metric_has_our_prefix_a_help_text_and_a_base_unit() -> None:
    metrics = Metrics("1.2.3")
    for family in text_string_to_metric_families(metrics.render().decode()):
        assert family.name.startswith(("writeback_", "process_"))
        assert family.documentation
        assert not family.name.endswith(("_ms", "_milliseconds", "_minutes", "_count"))
