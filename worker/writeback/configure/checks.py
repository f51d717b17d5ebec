"""Comparing the ids of a mapping with what the borrower's books really hold. Pure; refusals name the field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from worker import wire
from worker.codat import options
from worker.codat.connection import FeedAccount
from worker.codat.platforms import Traits
from worker.errors import Rejected
from worker.wire import JsonObject
from worker.writeback.configure.request import ExistingFeed, MappingRequest, NewBankAccount, NewFeed

UNPROCESSABLE = 422
"""The request is well formed and cannot be done."""

TAX_RATE_PATH: Final = ("lineItems", "taxRateRef", "id")
"""Where a direct cost names its tax rate."""

NO_CURRENCY = "XXX"
"""Codat's word for a currency the platform does not tell (ISO 4217)."""


def check_request(request: MappingRequest, traits: Traits) -> None:
    """Refuse what contradicts itself or what the platform can never do."""
    lender = request.lender
    if isinstance(lender, NewBankAccount) and not traits.creates_bank_accounts:
        words = f"{traits.platform} takes no new bank accounts through Codat; use kind source_account"
        raise Rejected(UNPROCESSABLE, words, field="lender_account.create.kind")
    if isinstance(lender, NewFeed) and request.currency == "GBP" and lender.sort_code is None:
        words = "is required for an account in GBP"
        raise Rejected(UNPROCESSABLE, words, field="lender_account.create.sort_code")
    if isinstance(lender, NewFeed) and lender.target_account_id is None and not traits.feed.mapped_through_api:
        words = (
            f"is required: {traits.platform} joins bank feeds itself, name the account the borrower will choose there"
        )
        raise Rejected(UNPROCESSABLE, words, field="lender_account.create.target_account_id")
    if isinstance(lender, NewFeed | ExistingFeed) and lender.target_account_id == request.borrower_account_id:
        raise Rejected(UNPROCESSABLE, "must differ from the borrower's account", field="lender_account")
    if not traits.transfers_between_banks:
        words = f"{traits.platform} has no transfers between bank accounts, which every writeback needs"
        raise Rejected(UNPROCESSABLE, words, field="profile")


def bank_account(records: Iterable[JsonObject], account_id: str, currency: str, field: str) -> JsonObject:
    """The usable bank account of this id and currency."""
    record = _active(records, account_id, field, "bank account")
    own = wire.text(record, "currency")
    if own is not None and own != currency:
        raise Rejected(UNPROCESSABLE, f"is in {own}, the mapping is in {currency}", field=field)
    return record


def expense_account(records: Iterable[JsonObject], account_id: str, field: str) -> JsonObject:
    """The usable account of this id, which must be of type Expense."""
    record = _active(records, account_id, field, "account")
    kind = wire.text(record, "type")
    if kind != "Expense":
        words = f"is an account of type {kind or 'Unknown'}; interest and fees need one of type Expense"
        raise Rejected(UNPROCESSABLE, words, field=field)
    return record


def supplier(records: Iterable[JsonObject], supplier_id: str, field: str) -> JsonObject:
    """The usable supplier of this id."""
    return _active(records, supplier_id, field, "supplier")


def tax_rate(records: list[JsonObject], rate_id: str, listed: list[str]) -> None:
    """Refuse a tax rate that is not usable or is not of nothing: interest and fees are written without tax.

    ``listed`` are the rates the platform's options model offers; they need not be among the company's own.
    """
    if rate_id in listed and all(wire.text(record, "id") != rate_id for record in records):
        return
    record = _active(records, rate_id, "tax_rate_id", "tax rate")
    percent = wire.number(record, "effectiveTaxRate")
    if percent:
        words = f"is a rate of {percent} %; interest and fees are written without tax, name one of 0 %"
        raise Rejected(UNPROCESSABLE, words, field="tax_rate_id")


def tax_rate_needed(model: JsonObject | None, traits: Traits) -> bool:
    """Whether a direct cost is refused unless the mapping names a tax rate. ``model`` is None when it is not known."""
    asked = model is not None and not traits.options_require_everything and options.requires(model, *TAX_RATE_PATH)
    return (asked or traits.tax_rate_required) and traits.untaxed_rate_id is None


def feed(found: FeedAccount | None, wanted: ExistingFeed, currency: str) -> None:
    """Refuse a source account that does not exist, is in another currency or does not feed the target."""
    if found is None:
        words = "is not a source account of this connection"
        raise Rejected(UNPROCESSABLE, words, field="lender_account.source_account_id")
    if not found.is_connected:
        words = f"is {found.status}; only a connected source account takes statement lines"
        raise Rejected(UNPROCESSABLE, words, field="lender_account.source_account_id")
    if (own := _other_currency(found, currency)) is not None:
        words = f"is in {own}, the mapping is in {currency}"
        raise Rejected(UNPROCESSABLE, words, field="lender_account.source_account_id")
    if found.target_id != wanted.target_account_id:
        words = f"is not what the source account feeds; that is {found.target_id}"
        raise Rejected(UNPROCESSABLE, words, field="lender_account.target_account_id")


def contradiction(found: FeedAccount, request: MappingRequest) -> str | None:
    """Why a source account that exists under the name of a new feed is not the one asked for; None when it may be.

    Codat changes no mapping of a source account, so what it feeds already is what it will feed.
    """
    lender, target = request.lender, found.target_id
    own = _other_currency(found, request.currency)
    if own is not None:
        return f"the source account {found.source_id} exists in {own}, the mapping is in {request.currency}"
    if target is not None and isinstance(lender, NewFeed) and lender.target_account_id not in (None, target):
        asked = lender.target_account_id
        return f"the source account {found.source_id} feeds account {target} already, not {asked}; choose another name"
    if target is not None and target == request.borrower_account_id:
        return f"the source account {found.source_id} feeds the borrower's own account {target}"
    return None


def _other_currency(found: FeedAccount, currency: str) -> str | None:
    return None if found.currency in (None, NO_CURRENCY, currency) else found.currency


def _active(records: Iterable[JsonObject], record_id: str, field: str, noun: str) -> JsonObject:
    record = next((item for item in records if wire.text(item, "id") == record_id), None)
    if record is None or wire.child(record, "metadata").get("isDeleted") is True:
        words = f"is no {noun} of this company as Codat last read it; a new reading was asked for"
        raise Rejected(UNPROCESSABLE, words, field=field)
    if wire.text(record, "status") == "Archived":
        raise Rejected(UNPROCESSABLE, f"is an archived {noun}", field=field)
    return record
