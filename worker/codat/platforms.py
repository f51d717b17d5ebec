"""What each accounting platform demands, ignores or refuses when records are written through Codat.

Facts come from Codat's options models and its pages on each integration. A field that a platform ignores is not sent;
a limit of zero means the platform keeps nothing there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Platform(StrEnum):
    """The accounting platforms whose write rules are known, and ``OTHER`` for the rest."""

    XERO = "Xero"
    QUICKBOOKS_ONLINE = "QuickBooks Online"
    QUICKBOOKS_DESKTOP = "QuickBooks Desktop"
    SAGE_BUSINESS_CLOUD = "Sage Business Cloud Accounting"
    SAGE_50 = "Sage 50 (UK)"
    SAGE_INTACCT = "Sage Intacct"
    FREEAGENT = "FreeAgent"
    EXACT = "Exact"
    NETSUITE = "Oracle NetSuite"
    DYNAMICS_365 = "Dynamics 365 Business Central"
    ZOHO_BOOKS = "Zoho Books"
    KASHFLOW = "KashFlow"
    SANDBOX = "Sandbox"
    OTHER = "other"


DEFAULT_TEXT_LENGTH: Final = 255
"""Characters kept of a free text where a platform states no limit: the smallest limit any of them states for one."""

BANK_LINE_LENGTH: Final = 100
"""Characters of a bank line's description. Codat documents no limit; statements of every platform show this much."""

BANK_TRANSACTION_ID_LENGTH: Final = 50
"""Characters of a bank transaction's id. Codat documents no limit; this fits the narrowest key we may meet."""


@dataclass(frozen=True, slots=True)
class FeedRules:
    """What a bank feed accepts. Codat reports a violation only after the push, so it is checked before."""

    balance_required: bool = False
    oldest_days: int | None = None
    """Days a line may lie in the past; None where no window is documented."""
    future_dates: bool = True
    chronological: bool = False
    """A line older than the newest one on the target account is refused."""
    mapped_through_api: bool = False
    """The source account is mapped by Codat's API; elsewhere the borrower does it inside the platform."""


@dataclass(frozen=True, slots=True)
class Traits:
    """One platform's write rules, as far as a writeback meets them. Lengths are in characters."""

    platform: Platform
    transfer_description_length: int = DEFAULT_TEXT_LENGTH
    transfer_side_status: str | None = None
    transfer_account_data_type: str | None = None
    transfer_needs_contact: bool = False
    transfers_between_banks: bool = True
    """False where a transfer joins a bank account to something else, so a loan's drawdown cannot be one transfer."""
    direct_cost_reference_length: int = DEFAULT_TEXT_LENGTH
    direct_cost_note_length: int = DEFAULT_TEXT_LENGTH
    direct_cost_note_required: bool = False
    direct_cost_note_is_payee: bool = False
    line_description_length: int = DEFAULT_TEXT_LENGTH
    direct_cost_contact: bool = True
    direct_cost_currency_rate_required: bool = False
    direct_cost_paid_on_required: bool = False
    tax_rate_required: bool = False
    untaxed_rate_id: str | None = None
    """The platform's own tax rate for "no tax", where it has one that every company may use."""
    deletes_direct_costs: bool = False
    creates_bank_accounts: bool = True
    expense_category: str | None = None
    """Category an account for interest and fees is created under, where the platform has one that fits."""
    supplier_contact_required: bool = False
    on_premise: bool = False
    """Writes wait for a computer at the borrower's, perhaps for ever, unless a timeout is given."""
    options_require_everything: bool = False
    """Its options models mark every field as required, which tells what it accepts and not what it needs."""
    feed: FeedRules = FeedRules()


TRAITS: Final[dict[Platform, Traits]] = {
    traits.platform: traits
    for traits in (
        Traits(
            Platform.XERO,
            transfer_description_length=0,
            transfer_side_status="Unreconciled",
            direct_cost_note_length=0,
            line_description_length=4000,
            creates_bank_accounts=False,
            expense_category="Expense.Overhead",
            # Xero wants the lines of one request in order; we send one line a request, so a late one keeps its day.
            feed=FeedRules(balance_required=True, oldest_days=365, future_dates=False, mapped_through_api=True),
        ),
        Traits(
            Platform.QUICKBOOKS_ONLINE,
            direct_cost_reference_length=21,
            line_description_length=3999,
            tax_rate_required=True,
            untaxed_rate_id="NON",
            feed=FeedRules(oldest_days=7, future_dates=False, chronological=True),
        ),
        Traits(
            Platform.QUICKBOOKS_DESKTOP,
            direct_cost_reference_length=0,  # it would become the cheque's number; the note keeps ours
            direct_cost_paid_on_required=True,
            deletes_direct_costs=True,
            expense_category="Expense.Expense",
            on_premise=True,
        ),
        Traits(
            Platform.SAGE_BUSINESS_CLOUD,
            expense_category="OVERHEADS",
            feed=FeedRules(balance_required=True, future_dates=False, chronological=True),
        ),
        Traits(
            Platform.SAGE_50,
            direct_cost_currency_rate_required=True,
            on_premise=True,
            feed=FeedRules(balance_required=True, future_dates=False, chronological=True),
        ),
        Traits(
            Platform.SAGE_INTACCT,
            direct_cost_reference_length=45,
            direct_cost_note_length=80,
            direct_cost_note_required=True,
            direct_cost_note_is_payee=True,
            line_description_length=1000,
            direct_cost_paid_on_required=True,
            tax_rate_required=True,
            supplier_contact_required=True,
        ),
        Traits(
            Platform.FREEAGENT,
            transfer_description_length=0,
            direct_cost_reference_length=0,
            direct_cost_note_required=True,
            line_description_length=0,
            direct_cost_contact=False,
            feed=FeedRules(balance_required=True, mapped_through_api=True),
        ),
        Traits(
            Platform.EXACT,
            transfer_account_data_type="chartOfAccounts",
            transfer_needs_contact=True,
            transfers_between_banks=False,
            expense_category="Expense.NetIncome.OtherCosts",
            feed=FeedRules(balance_required=True, mapped_through_api=True),
        ),
        Traits(
            Platform.NETSUITE,
            transfers_between_banks=False,
            direct_cost_reference_length=0,
            direct_cost_currency_rate_required=True,
            feed=FeedRules(balance_required=True, mapped_through_api=True),
        ),
        Traits(
            Platform.DYNAMICS_365,
            direct_cost_note_length=0,
            direct_cost_contact=False,
            tax_rate_required=True,
        ),
        Traits(Platform.ZOHO_BOOKS),
        Traits(Platform.KASHFLOW),
        Traits(Platform.SANDBOX, options_require_everything=True),
        Traits(Platform.OTHER),
    )
}

INTEGRATION_KEYS: Final[dict[str, Platform]] = {
    "gbol": Platform.XERO,
    "fbrh": Platform.FREEAGENT,
    "akxx": Platform.NETSUITE,
    "hcws": Platform.QUICKBOOKS_ONLINE,
    "olpr": Platform.SAGE_BUSINESS_CLOUD,
}
"""Codat's four-letter integration keys; QuickBooks Online's and Sage's bank feeds are connections of their own."""

_NAME_BEGINNINGS: Final[tuple[tuple[str, Platform], ...]] = (
    ("xero", Platform.XERO),
    ("quickbooks online", Platform.QUICKBOOKS_ONLINE),
    ("quickbooks desktop", Platform.QUICKBOOKS_DESKTOP),
    ("sage business cloud", Platform.SAGE_BUSINESS_CLOUD),
    ("sage bank feeds", Platform.SAGE_BUSINESS_CLOUD),
    ("sage 50", Platform.SAGE_50),
    ("sage intacct", Platform.SAGE_INTACCT),
    ("freeagent", Platform.FREEAGENT),
    ("exact", Platform.EXACT),
    ("oracle netsuite", Platform.NETSUITE),
    ("netsuite", Platform.NETSUITE),
    ("dynamics 365", Platform.DYNAMICS_365),
    ("microsoft dynamics 365", Platform.DYNAMICS_365),
    ("zoho", Platform.ZOHO_BOOKS),
    ("kashflow", Platform.KASHFLOW),
    ("sandbox", Platform.SANDBOX),
)


def platform_of(integration_key: str | None, platform_name: str | None) -> Platform:
    """The platform behind a connection, by its integration key and otherwise by its name.

    A platform that is not known is ``OTHER``: written to by Codat's common rules, refused by the platform if it must.
    """
    known = INTEGRATION_KEYS.get(integration_key or "")
    if known is not None:
        return known
    name = (platform_name or "").casefold()
    return next((platform for beginning, platform in _NAME_BEGINNINGS if name.startswith(beginning)), Platform.OTHER)


def traits_of(platform: Platform) -> Traits:
    """The write rules of a platform."""
    return TRAITS[platform]
