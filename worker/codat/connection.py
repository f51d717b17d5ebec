"""A company's connections and facts, as Codat describes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from worker import wire
from worker.codat.platforms import Platform, platform_of
from worker.wire import JsonObject, UnreadableReplyError


class ConnectionStatus(StrEnum):
    """Whether Codat may read and write the books behind a connection. Only ``LINKED`` takes writes."""

    PENDING_AUTH = "PendingAuth"
    LINKED = "Linked"
    UNLINKED = "Unlinked"
    DEAUTHORIZED = "Deauthorized"


_JOINED: Final = ("connected", "linked")
"""What Codat's pages call a source account that feeds an account of the books."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection of a company to one platform. ``source_type`` tells accounting from bank feeds."""

    id: UUID
    platform: Platform
    platform_name: str
    integration_key: str | None
    source_type: str | None
    status: ConnectionStatus


@dataclass(frozen=True, slots=True)
class CompanyInfo:
    """Facts of a company's books. Nothing dated on or before ``ledger_lock_date`` can be written."""

    name: str | None
    base_currency: str | None
    ledger_lock_date: date | None


@dataclass(frozen=True, slots=True)
class FeedAccount:
    """A source account and the account of the books it feeds, if any; ``connected`` ones take bank lines."""

    source_id: str
    target_id: str | None
    status: str
    currency: str | None = None

    @property
    def is_connected(self) -> bool:
        """Whether it takes bank lines."""
        return self.target_id is not None and self.status.casefold() in _JOINED

    def joined_to(self, target_id: str | None) -> FeedAccount:
        """The same account with its target, where only its status tells that it is joined to one."""
        return replace(self, target_id=target_id) if self.status.casefold() in _JOINED else self


def parse_connection(document: JsonObject) -> Connection:
    """Read a connection; raises :class:`UnreadableReplyError` without an id. An unknown status takes no writes."""
    key = wire.identifier(document, "id")
    if key is None:
        raise UnreadableReplyError("the connection has no id")
    name, integration_key = wire.text(document, "platformName"), wire.text(document, "integrationKey")
    by_word = {status.value.casefold(): status for status in ConnectionStatus}
    return Connection(
        id=key,
        platform=platform_of(integration_key, name),
        platform_name=name or "unknown platform",
        integration_key=integration_key,
        source_type=wire.text(document, "sourceType"),
        status=by_word.get((wire.text(document, "status") or "").casefold(), ConnectionStatus.PENDING_AUTH),
    )


def parse_company_info(document: JsonObject) -> CompanyInfo:
    """Read a company's facts, all of which may be absent."""
    return CompanyInfo(
        name=wire.text(document, "companyName"),
        base_currency=wire.text(document, "baseCurrency"),
        ledger_lock_date=wire.calendar_day(document, "ledgerLockDate"),
    )


def parse_source_account(document: JsonObject) -> FeedAccount:
    """Read a source account, which does not name what it feeds; raises :class:`UnreadableReplyError` without an id."""
    source = wire.text(document, "id")
    if source is None:
        raise UnreadableReplyError("the source account has no id")
    status, currency = wire.text(document, "status") or "unknown", wire.text(document, "currency")
    return FeedAccount(source, None, status, currency)


def parse_feed_account(document: JsonObject) -> FeedAccount:
    """Read a mapping; raises :class:`UnreadableReplyError` without a source account."""
    source = wire.text(document, "sourceAccountId")
    if source is None:
        raise UnreadableReplyError("the mapping has no sourceAccountId")
    return FeedAccount(
        source_id=source,
        target_id=wire.text(document, "targetAccountId"),
        status=wire.text(document, "status") or "unknown",
        currency=wire.text(document, "sourceCurrency"),
    )
