"""Logs: one line per thing that happened, with the same keys everywhere and no secret or personal data in any.

Everything goes to standard error, the standard library's loggers included, as JSON or as text for a terminal.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, TextIO, TypedDict, Unpack

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import EventDict, Processor, WrappedLogger

from worker.config import LogFormat

HTTP_SERVER: Final = "aiohttp.server"
"""The logger of aiohttp's server, which tells of every request it cannot parse as of an error."""

REDACTED: Final = "[redacted]"

_SECRET_KEYS: Final = re.compile(
    r"authorization|api_?key|token|secret|password|passwd|signature|cookie|credential|database_url"
    r"|account_?number|sort_?code|iban|routing_?number|e_?mail|phone|body|payload",
    re.IGNORECASE,
)
"""Names of values that never appear in a log whatever they hold."""

_SECRET_TEXT: Final = (
    (re.compile(r"(://[^\s:/@]*:)[^\s/]+@"), rf"\1{REDACTED}@"),  # a password in a URL
    (re.compile(r"\b(Basic|Bearer)\s+[A-Za-z0-9+/=._~-]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\bwh(?:sec|sk)_[A-Za-z0-9+/=_-]+"), REDACTED),
    (re.compile(r"\bv1a?,[A-Za-z0-9+/=]{20,}"), REDACTED),  # a webhook's signature
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), REDACTED),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"), REDACTED),  # IBAN, ISO 13616
    (re.compile(r"(?<![\w-])\d{2}-\d{2}-\d{2}(?:[ ,/]+\d{6,8})?(?![\w-])"), REDACTED),  # sort code, and account
    (re.compile(r"(account (?:number|no\.?)\W{0,3})\d{6,}", re.IGNORECASE), rf"\1{REDACTED}"),
)
"""What a secret looks like inside a longer text, such as an exception's message or a foreign system's answer."""

_SHOWN_KEYS: Final = frozenset({"push_operation_key", "idempotency_key"})
"""Identifiers an engineer needs; they name a write and grant nothing."""


class Subject(TypedDict, total=False):
    """What a log line is about; these keys mean the same in every line."""

    event_id: str
    loan_id: str
    saga_id: int
    step_id: int
    job_id: int
    push_operation_key: str


def about(**subject: Unpack[Subject]) -> AbstractContextManager[None]:
    """Every line logged inside the block, by this task and those it starts, carries these keys."""
    return structlog.contextvars.bound_contextvars(**subject)


def configure_logging(log_format: LogFormat, level: int, stream: TextIO | None = None) -> None:
    """Set up structlog and the standard library's logging to write redacted lines to ``stream`` (standard error)."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        # Tracebacks become plain text here, without the values of local variables, and before they are redacted.
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(log_format)],
        )
    )
    logging.getLogger(HTTP_SERVER).addFilter(shorten_malformed)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)


def shorten_malformed(record: logging.LogRecord) -> bool:
    """A filter of the HTTP server's lines: bytes that are no request are one short line of their sender's fault.

    Anybody who reaches the port can send them, so they must neither look like an error of ours nor fill the disk.
    """
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, HttpProcessingError):
        return True
    record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
    record.msg, record.args, record.exc_info = "malformed_request", None, None
    return logging.getLogger().isEnabledFor(record.levelno)


def _renderer(log_format: LogFormat) -> Processor:
    if log_format is LogFormat.JSON:
        return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A structlog processor that masks secrets and personal data, by the value's name and by its look."""
    return {key: _redacted(key, value) for key, value in event.items()}


def _redacted(key: str, value: Any) -> Any:
    if key.startswith("_"):
        return value  # structlog's own record, removed before rendering
    if _SECRET_KEYS.search(key) and key not in _SHOWN_KEYS and value is not None:
        return REDACTED
    return _masked(value)


def _masked(value: Any) -> Any:
    if isinstance(value, bool | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {str(key): _redacted(str(key), item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        return [_masked(item) for item in value]
    text = value if isinstance(value, str) else str(value)
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text
