"""Settings: every missing or malformed value is named with its fix, and no secret is ever shown."""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from pathlib import Path
from uuid import UUID

import pytest

from worker.config import LedgerApiKey, LedgerWebhook, LogFormat, Settings, TreasurySettings, load_settings
from worker.errors import UsageError

KEY = bytes(range(32))
WHSEC = "whsec_" + b64encode(KEY).decode()


def load(**environment: str) -> Settings:
    return load_settings(environment, at_terminal=False)


def test_nothing_set_gives_the_documented_defaults() -> None:
    settings = load()
    assert settings == Settings(
        database_url=None,
        data_dir=Path(".writeback"),
        host="127.0.0.1",
        port=8080,
        codat_base_url="https://api.codat.io",
        codat_api_key=None,
        loan_webhook_secrets=(),
        codat_webhook_secrets=(),
        codat_legacy_webhook_authorization=None,
        api_tokens=(),
        ledger_api_keys=(),
        ledger_webhook=None,
        treasury=None,
        posting_rules=None,
        log_format=LogFormat.JSON,
        log_level=logging.INFO,
        time_scale=1,
    )
    assert load_settings({}, at_terminal=True).log_format is LogFormat.CONSOLE


def test_every_value_is_read() -> None:
    settings = load(
        DATABASE_URL="postgresql://u:p@db:5432/books",
        WRITEBACK_DATA_DIR="/data",
        HOST="0.0.0.0",
        PORT="9000",
        CODAT_BASE_URL="http://127.0.0.1:9000/",
        CODAT_API_KEY="key",
        LOAN_WEBHOOK_SECRETS=f"{WHSEC}, {WHSEC}",
        CODAT_WEBHOOK_SECRETS=WHSEC,
        CODAT_LEGACY_WEBHOOK_AUTHORIZATION="Bearer of news",
        WRITEBACK_API_TOKENS="one,two",
        LEDGER_API_KEYS="lender:live_1,lender:live_2",
        LEDGER_WEBHOOK_URL="https://lender.example/events?all",
        LEDGER_WEBHOOK_SECRETS=f"{WHSEC},{WHSEC}",
        POSTING_RULES="rules.toml",
        LOG_FORMAT="console",
        LOG_LEVEL="debug",
        WRITEBACK_TIME_SCALE="60",
    )
    assert settings.loan_webhook_secrets == (KEY, KEY)
    assert settings.codat_base_url == "http://127.0.0.1:9000"
    assert settings.codat_legacy_webhook_authorization == "Bearer of news"
    assert settings.api_tokens == ("one", "two")
    assert settings.ledger_api_keys == (LedgerApiKey("lender", "live_1"), LedgerApiKey("lender", "live_2"))
    assert settings.ledger_webhook == LedgerWebhook("https://lender.example/events?all", (KEY, KEY))
    assert settings.posting_rules == Path("rules.toml")
    assert (settings.log_format, settings.log_level, settings.time_scale) == (LogFormat.CONSOLE, logging.DEBUG, 60)
    assert settings.require_codat_api_key() == "key"


TREASURY = {
    "LEDGER_BACKEND": "modern-treasury",
    "MODERN_TREASURY_ORGANIZATION_ID": "org",
    "MODERN_TREASURY_API_KEY": "hunter2",
}


def test_a_ledger_at_modern_treasury_needs_credentials_and_has_defaults_for_the_rest() -> None:
    settings = load(**TREASURY)
    assert settings.treasury == TreasurySettings("https://app.moderntreasury.com", "org", "hunter2", "Loans")
    assert "hunter2" not in repr(settings)
    with pytest.raises(UsageError, match="MODERN_TREASURY_API_KEY is missing: set it, or MODERN_TREASURY_API_KEY_FILE"):
        load(**TREASURY | {"MODERN_TREASURY_API_KEY": ""})


def test_the_ledger_at_modern_treasury_goes_by_name_or_by_id() -> None:
    ledger_id = "0190f9a6-7b1c-7000-8000-000000000001"
    for text, ledger in (("Fund II", "Fund II"), (ledger_id, UUID(ledger_id))):
        settings = load(**TREASURY, MODERN_TREASURY_LEDGER=text, MODERN_TREASURY_BASE_URL="http://127.0.0.1:8080/")
        assert settings.treasury == TreasurySettings("http://127.0.0.1:8080", "org", "hunter2", ledger)


def test_an_empty_value_counts_as_unset() -> None:
    assert load(PORT="", CODAT_API_KEY=" ", DATABASE_URL="", LOAN_WEBHOOK_SECRETS="", CODAT_API_KEY_FILE="") == load()


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("PORT", "0", "PORT must be a whole number from 1 to 65535, not '0'"),
        ("PORT", "65536", "PORT must be a whole number"),
        ("PORT", "80a", "PORT must be a whole number"),
        ("PORT", "٣", "PORT must be a whole number"),
        ("PORT", "9" * 5_000, "PORT must be a whole number"),
        ("WRITEBACK_TIME_SCALE", "0", "WRITEBACK_TIME_SCALE must be a whole number from 1 to 100000"),
        ("WRITEBACK_TIME_SCALE", "2", "WRITEBACK_TIME_SCALE is for rehearsals"),
        ("DATABASE_URL", "mysql://db/books", "DATABASE_URL must look like postgresql://"),
        ("DATABASE_URL", "postgresql://db:port/books", "DATABASE_URL must look like postgresql://"),
        ("DATABASE_URL", "books", "DATABASE_URL must look like postgresql://"),
        ("CODAT_BASE_URL", "api.codat.io", "CODAT_BASE_URL must look like https://api.codat.io"),
        ("CODAT_BASE_URL", "https://user@api.codat.io", "CODAT_BASE_URL must look like"),
        ("CODAT_BASE_URL", "https://api.codat.io?x=1", "CODAT_BASE_URL must look like"),
        ("CODAT_BASE_URL", "http://[::1", "CODAT_BASE_URL must look like"),
        ("CODAT_API_KEY", "clé", "CODAT_API_KEY must be printable ASCII"),
        ("CODAT_API_KEY", "a\nb", "CODAT_API_KEY must be printable ASCII"),
        (
            "LOAN_WEBHOOK_SECRETS",
            f"{WHSEC},secret",
            "LOAN_WEBHOOK_SECRETS (item 2) must be whsec_ followed by the base64",
        ),
        ("LOAN_WEBHOOK_SECRETS", f"{WHSEC},", "LOAN_WEBHOOK_SECRETS (item 2) must be whsec_"),
        ("CODAT_WEBHOOK_SECRETS", "whsec_" + b64encode(bytes(23)).decode(), "of 24 to 64 bytes"),
        ("CODAT_WEBHOOK_SECRETS", "whsec_" + b64encode(bytes(65)).decode(), "of 24 to 64 bytes"),
        ("CODAT_WEBHOOK_SECRETS", "whsec_é", "CODAT_WEBHOOK_SECRETS (item 1) must be whsec_"),
        ("WRITEBACK_API_TOKENS", "one,,two", "WRITEBACK_API_TOKENS (item 2) must be a token without spaces"),
        ("WRITEBACK_API_TOKENS", "one two", "WRITEBACK_API_TOKENS (item 1) must be a token without spaces"),
        ("LEDGER_API_KEYS", "lender", "LEDGER_API_KEYS (item 1) must look like organization_id:api_key"),
        ("LEDGER_API_KEYS", "lender:", "LEDGER_API_KEYS (item 1) must look like organization_id:api_key"),
        ("LEDGER_WEBHOOK_URL", "https://lender.example", "LEDGER_WEBHOOK_SECRETS is missing: set it"),
        ("LEDGER_WEBHOOK_SECRETS", "secret", "LEDGER_WEBHOOK_SECRETS (item 1) must be whsec_"),
        ("LEDGER_BACKEND", "mysql", "LEDGER_BACKEND must be postgres or modern-treasury, not 'mysql'"),
        ("LEDGER_BACKEND", "modern-treasury", "MODERN_TREASURY_ORGANIZATION_ID is missing: set it, or MODERN_"),
        ("MODERN_TREASURY_ORGANIZATION_ID", "org:key", "MODERN_TREASURY_ORGANIZATION_ID must be the organization's id"),
        ("MODERN_TREASURY_API_KEY", "clé", "MODERN_TREASURY_API_KEY must be printable ASCII"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT must be json or console, not 'xml'"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, not 'LOUD'"),
    ],
)
def test_a_malformed_value_is_named_with_its_fix(name: str, value: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=re.escape(complaint)):
        load(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgres//hunter2"),
        ("LOAN_WEBHOOK_SECRETS", "hunter2"),
        ("CODAT_API_KEY", "hunter2\x00"),
        ("WRITEBACK_API_TOKENS", "hunter2 hunter2"),
        ("LEDGER_API_KEYS", "hunter2"),
    ],
)
def test_a_complaint_about_a_secret_does_not_repeat_it(name: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(**{name: value})
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_secret_is_in_the_representation() -> None:
    settings = load(
        DATABASE_URL="postgresql://u:hunter2@db/books",
        CODAT_API_KEY="hunter2",
        LOAN_WEBHOOK_SECRETS=WHSEC,
        CODAT_LEGACY_WEBHOOK_AUTHORIZATION="hunter2",
        WRITEBACK_API_TOKENS="hunter2",
        LEDGER_API_KEYS="lender:hunter2",
    )
    assert "hunter2" not in repr(settings)
    assert repr(KEY) not in repr(settings)


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_URL",
        "CODAT_API_KEY",
        "LOAN_WEBHOOK_SECRETS",
        "CODAT_WEBHOOK_SECRETS",
        "CODAT_LEGACY_WEBHOOK_AUTHORIZATION",
        "WRITEBACK_API_TOKENS",
        "LEDGER_API_KEYS",
    ],
)
def test_every_secret_can_come_from_a_file(name: str, tmp_path: Path) -> None:
    value = {"DATABASE_URL": "postgresql://db/books", "LEDGER_API_KEYS": "a:b"}.get(name, WHSEC)
    path = tmp_path / "secret"
    path.write_text(value + "\n")
    assert load(**{f"{name}_FILE": str(path)}) == load(**{name: value}) != load()
    with pytest.raises(UsageError, match=f"{name} and {name}_FILE are both set: unset one of them"):
        load(**{name: value, f"{name}_FILE": str(path)})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "cannot be read: No such file"), (b"\xff", "not UTF-8"), (b" \n", "is empty"), (b"x" * 70_000, "larger")],
)
def test_a_secret_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"CODAT_API_KEY_FILE names .*{complaint}"):
        load(CODAT_API_KEY_FILE=str(path))


def test_waiting_times_are_never_shortened_against_codat_itself() -> None:
    with pytest.raises(UsageError, match="WRITEBACK_TIME_SCALE is for rehearsals"):
        load(WRITEBACK_TIME_SCALE="10", CODAT_BASE_URL="https://API.CODAT.IO")


def test_a_missing_codat_key_is_named_when_it_is_needed() -> None:
    with pytest.raises(UsageError, match="CODAT_API_KEY is missing: set it, or CODAT_API_KEY_FILE"):
        load().require_codat_api_key()
