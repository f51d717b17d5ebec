"""Settings from the environment, read once at the start and frozen.

Every secret may also be given as ``NAME_FILE``, the path of a file that holds it. An empty value counts as unset. A
value that is missing or malformed stops the start with one sentence naming it and the fix; no message and no ``repr``
ever contains a secret.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from worker.errors import UsageError

WEBHOOK_SECRET_BYTES: Final = range(24, 65)
"""Length of a signing key in bytes (Standard Webhooks 1.0, "Symmetric signature")."""

SECRET_FILE_MAX_BYTES: Final = 64 * 1024
"""A larger file is not a secret; reading a device or a log by mistake must not exhaust memory."""

PORTS: Final = range(1, 65_536)
"""TCP ports that can be listened on by number."""

TIME_SCALES: Final = range(1, 100_001)
"""How much faster than real a rehearsal may run: at 100 000, Codat's 90 minutes pass in 54 ms."""

CODAT_HOST: Final = "codat.io"
"""Waiting times are Codat's rules: against Codat itself they are never shortened."""

T = TypeVar("T")


class LogFormat(StrEnum):
    """How log lines look: one JSON object each, or coloured text for a person at a terminal."""

    JSON = "json"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class LedgerApiKey:
    """One pair of credentials of the ledger's API: HTTP basic user and password."""

    organization_id: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LedgerWebhook:
    """Where events of the ledger go, and what signs them: all secrets at once, so that one can be replaced."""

    url: str
    secrets: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TreasurySettings:
    """The ledger at Modern Treasury that the worker posts to."""

    base_url: str
    """Without a trailing slash, and without ``/api``."""
    organization_id: str
    api_key: str = field(repr=False)
    ledger: UUID | str
    """Its id, or its name: then it is created when there is none."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can configure. Lists of secrets may be empty: then that door is closed (401)."""

    database_url: str | None = field(repr=False)
    """PostgreSQL's URL; None means the embedded server under :attr:`data_dir`."""
    data_dir: Path
    host: str
    port: int
    codat_base_url: str
    """Without a trailing slash."""
    codat_api_key: str | None = field(repr=False)
    loan_webhook_secrets: tuple[bytes, ...] = field(repr=False)
    codat_webhook_secrets: tuple[bytes, ...] = field(repr=False)
    codat_legacy_webhook_authorization: str | None = field(repr=False)
    api_tokens: tuple[str, ...] = field(repr=False)
    ledger_api_keys: tuple[LedgerApiKey, ...]
    ledger_webhook: LedgerWebhook | None
    """Who hears of the ledger's events; None means nobody."""
    treasury: TreasurySettings | None
    """Where the lender's ledger is; None means this program's own, in PostgreSQL."""
    posting_rules: Path | None
    """The lender's own chart of accounts and posting rules; None means those that come with the program."""
    log_format: LogFormat
    log_level: int
    """One of the levels of :mod:`logging`."""
    time_scale: int
    """Divides every waiting time of the writeback; above 1 only in rehearsals against the simulator."""

    def require_codat_api_key(self) -> str:
        """The key for Codat; raises :class:`~worker.errors.UsageError` when it is unset."""
        if self.codat_api_key is None:
            raise UsageError(
                "CODAT_API_KEY is missing: set it, or CODAT_API_KEY_FILE, to the API key from Codat's portal"
            )
        return self.codat_api_key


def load_settings(environment: Mapping[str, str], *, at_terminal: bool) -> Settings:
    """Read the settings; ``at_terminal`` chooses the log format when none is given.

    Raises :class:`~worker.errors.UsageError` naming the first missing or malformed value and its fix.
    """
    read = _Reader(environment)
    settings = Settings(
        database_url=read.secret("DATABASE_URL", _parse_database_url),
        data_dir=Path(read.text("WRITEBACK_DATA_DIR", ".writeback")),
        host=read.text("HOST", "127.0.0.1"),
        port=read.number("PORT", 8080, PORTS),
        codat_base_url=_parse_base_url("CODAT_BASE_URL", read.text("CODAT_BASE_URL", "https://api.codat.io")),
        codat_api_key=read.secret("CODAT_API_KEY", _parse_header_text),
        loan_webhook_secrets=read.secrets("LOAN_WEBHOOK_SECRETS", _parse_webhook_secret),
        codat_webhook_secrets=read.secrets("CODAT_WEBHOOK_SECRETS", _parse_webhook_secret),
        codat_legacy_webhook_authorization=read.secret("CODAT_LEGACY_WEBHOOK_AUTHORIZATION", _parse_header_text),
        api_tokens=read.secrets("WRITEBACK_API_TOKENS", _parse_token),
        ledger_api_keys=read.secrets("LEDGER_API_KEYS", _parse_ledger_api_key),
        ledger_webhook=_read_ledger_webhook(read),
        treasury=_read_treasury(read),
        posting_rules=Path(path) if (path := read.text("POSTING_RULES", "")) else None,
        log_format=_parse_log_format(read.text("LOG_FORMAT", "console" if at_terminal else "json")),
        log_level=_parse_log_level(read.text("LOG_LEVEL", "INFO")),
        time_scale=read.number("WRITEBACK_TIME_SCALE", 1, TIME_SCALES),
    )
    _refuse_shortened_waits_against_codat(settings)
    return settings


class _Reader:
    """Looks values up by name and puts the name in front of every complaint."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str) -> str:
        return self._environment.get(name, "").strip() or default

    def number(self, name: str, default: int, allowed: range) -> int:
        text = self.text(name, str(default))
        if not text.isascii() or not text.isdigit() or len(text) > len(str(allowed[-1])) or int(text) not in allowed:
            raise UsageError(f"{name} must be a whole number from {allowed[0]} to {allowed[-1]}, not {text!r}")
        return int(text)

    def secret(self, name: str, parse: Callable[[str, str], T]) -> T | None:
        text = self._secret_text(name)
        return parse(name, text) if text else None

    def secrets(self, name: str, parse: Callable[[str, str], T]) -> tuple[T, ...]:
        text = self._secret_text(name)
        if not text:
            return ()
        return tuple(
            parse(f"{name} (item {number})", item.strip()) for number, item in enumerate(text.split(","), start=1)
        )

    def _secret_text(self, name: str) -> str:
        direct = self._environment.get(name, "").strip()
        path = self._environment.get(f"{name}_FILE", "").strip()
        if direct and path:
            raise UsageError(f"{name} and {name}_FILE are both set: unset one of them")
        return _read_secret_file(f"{name}_FILE", Path(path)) if path else direct


def _read_secret_file(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_FILE_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{name} names {path}, which cannot be read: {error.strerror}") from None
    if len(content) > SECRET_FILE_MAX_BYTES:
        raise UsageError(
            f"{name} names {path}, which is larger than {SECRET_FILE_MAX_BYTES} bytes: name the secret's file"
        )
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        raise UsageError(f"{name} names {path}, which is not UTF-8 text: name the secret's file") from None
    if not text:
        raise UsageError(f"{name} names {path}, which is empty: write the secret into it or unset {name}")
    return text


def _parse_database_url(name: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"postgres", "postgresql"} and (parts.port is None or parts.port in PORTS)
    except ValueError:
        valid = False
    if not valid or "://" not in text:
        raise UsageError(f"{name} must look like postgresql://user:password@host:5432/database")
    return text


def _parse_base_url(name: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port in PORTS)
        )
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment or parts.username is not None:
        raise UsageError(f"{name} must look like https://api.codat.io, without user, query or fragment")
    return text.rstrip("/")


def _parse_webhook_secret(name: str, text: str) -> bytes:
    complaint = UsageError(
        f"{name} must be whsec_ followed by the base64 of {WEBHOOK_SECRET_BYTES[0]} to {WEBHOOK_SECRET_BYTES[-1]} "
        "bytes: copy it again from the sender"
    )
    if not text.startswith("whsec_"):
        raise complaint
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise complaint from None
    if len(key) not in WEBHOOK_SECRET_BYTES:
        raise complaint
    return key


def _parse_header_text(name: str, text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise UsageError(f"{name} must be printable ASCII, because it travels in an HTTP header: copy it again")
    return text


def _parse_token(name: str, text: str) -> str:
    if not text or " " in text:
        raise UsageError(f"{name} must be a token without spaces: separate tokens by single commas")
    return _parse_header_text(name, text)


def _parse_ledger_api_key(name: str, text: str) -> LedgerApiKey:
    organization_id, separator, api_key = text.partition(":")
    if not separator or not organization_id or not api_key:
        raise UsageError(f"{name} must look like organization_id:api_key")
    return LedgerApiKey(_parse_token(name, organization_id), _parse_token(name, api_key))


def _read_ledger_webhook(read: _Reader) -> LedgerWebhook | None:
    url = read.text("LEDGER_WEBHOOK_URL", "")
    secrets = read.secrets("LEDGER_WEBHOOK_SECRETS", _parse_webhook_secret)
    if not url:
        return None
    if not secrets:
        raise UsageError("LEDGER_WEBHOOK_SECRETS is missing: set it, because LEDGER_WEBHOOK_URL receives signed events")
    return LedgerWebhook(_parse_webhook_url("LEDGER_WEBHOOK_URL", url), secrets)


def _parse_webhook_url(name: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port in PORTS)
        )
    except ValueError:
        valid = False
    if not valid or not text.isascii() or parts.fragment or parts.username is not None:
        raise UsageError(f"{name} must look like https://lender.example/ledger-events, without user or fragment")
    return text


def _read_treasury(read: _Reader) -> TreasurySettings | None:
    base_url = read.text("MODERN_TREASURY_BASE_URL", "https://app.moderntreasury.com")
    organization_id = read.secret("MODERN_TREASURY_ORGANIZATION_ID", _parse_organization_id)
    api_key = read.secret("MODERN_TREASURY_API_KEY", _parse_header_text)
    ledger = read.text("MODERN_TREASURY_LEDGER", "Loans")
    match read.text("LEDGER_BACKEND", "postgres"):
        case "postgres":
            return None
        case "modern-treasury":
            return TreasurySettings(
                _parse_base_url("MODERN_TREASURY_BASE_URL", base_url),
                _require("MODERN_TREASURY_ORGANIZATION_ID", organization_id),
                _require("MODERN_TREASURY_API_KEY", api_key),
                _parse_ledger(ledger),
            )
        case text:
            raise UsageError(f"LEDGER_BACKEND must be postgres or modern-treasury, not {text!r}")


def _require(name: str, value: str | None) -> str:
    if value is None:
        raise UsageError(
            f"{name} is missing: set it, or {name}_FILE, from Modern Treasury's developer settings, "
            "because LEDGER_BACKEND is modern-treasury"
        )
    return value


def _parse_organization_id(name: str, text: str) -> str:
    if ":" in text:
        raise UsageError(f"{name} must be the organization's id alone, without a colon and the key")
    return _parse_token(name, text)


def _parse_ledger(text: str) -> UUID | str:
    try:
        return UUID(text)
    except ValueError:
        return text


def _parse_log_format(text: str) -> LogFormat:
    try:
        return LogFormat(text.lower())
    except ValueError:
        raise UsageError(f"LOG_FORMAT must be json or console, not {text!r}") from None


def _parse_log_level(text: str) -> int:
    names = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    if text.upper() not in names:
        raise UsageError(f"LOG_LEVEL must be one of {', '.join(names)}, not {text!r}")
    return logging.getLevelNamesMapping()[text.upper()]


def _refuse_shortened_waits_against_codat(settings: Settings) -> None:
    host = urlsplit(settings.codat_base_url).hostname or ""
    if settings.time_scale > 1 and (host == CODAT_HOST or host.endswith(f".{CODAT_HOST}")):
        raise UsageError("WRITEBACK_TIME_SCALE is for rehearsals: unset it, or point CODAT_BASE_URL at a simulator")
