"""The accounting platforms a simulated company may use, and what each can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from worker.simulator.models.freeagent import FREEAGENT
from worker.simulator.models.intacct import INTACCT
from worker.simulator.models.quickbooks import QUICKBOOKS
from worker.simulator.models.quickbooks_desktop import QUICKBOOKS_DESKTOP
from worker.simulator.models.sage import SAGE
from worker.simulator.models.sandbox import SANDBOX
from worker.simulator.models.xero import XERO
from worker.simulator.rules import DataType, Model


class IdStyle(StrEnum):
    """How a platform names its records."""

    GUID = "guid"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class FeedRules:
    """What a bank feed refuses. ``oldest`` counts back from today, ``before_start`` from the start of the feed."""

    balance_required: bool = True
    newest_first_refused: bool = False
    oldest: timedelta | None = None
    before_start: timedelta | None = None
    sign_follows_type: bool = False


@dataclass(frozen=True, slots=True)
class Platform:
    """One integration. ``feed`` is set where its connection carries bank feeds.

    ``on_premise``: a computer in the borrower's office does the work, and may be off.
    """

    name: str
    key: str
    source_type: str
    id_style: IdStyle = IdStyle.GUID
    models: Mapping[DataType, Model] = field(default_factory=dict)
    feed: FeedRules | None = None
    mapped_through_api: bool = False
    target_created_on_read: bool = False
    bank_balances_hidden: bool = False
    bank_lines_readable: bool = True
    negative_cost_is_income: bool = False
    direct_costs_deletable: bool = False
    on_premise: bool = False


XERO_PLATFORM: Final = Platform(
    "Xero",
    "gbol",
    "Accounting",
    models=XERO,
    feed=FeedRules(oldest=timedelta(days=365), sign_follows_type=True),
    mapped_through_api=True,
    target_created_on_read=True,
    bank_balances_hidden=True,
    bank_lines_readable=False,
    negative_cost_is_income=True,
)
FREEAGENT_PLATFORM: Final = Platform(
    "FreeAgent",
    "fbrh",
    "Accounting",
    id_style=IdStyle.NUMBER,
    models=FREEAGENT,
    feed=FeedRules(),
    mapped_through_api=True,
)
QUICKBOOKS_PLATFORM: Final = Platform("QuickBooks Online", "qhyg", "Accounting", IdStyle.NUMBER, QUICKBOOKS)
QUICKBOOKS_FEEDS_PLATFORM: Final = Platform(
    "QuickBooks Online Bank Feeds",
    "hcws",
    "BankFeed",
    feed=FeedRules(balance_required=False, newest_first_refused=True, before_start=timedelta(days=7)),
)
SAGE_PLATFORM: Final = Platform("Sage Business Cloud Accounting", "cmhy", "Accounting", models=SAGE)
SAGE_FEEDS_PLATFORM: Final = Platform("Sage Bank Feeds", "olpr", "BankFeed", feed=FeedRules(newest_first_refused=True))
SANDBOX_PLATFORM: Final = Platform("Sandbox", "mqjo", "Accounting", models=SANDBOX)
QUICKBOOKS_DESKTOP_PLATFORM: Final = Platform(
    "QuickBooks Desktop",
    "pqsw",
    "Accounting",
    IdStyle.NUMBER,
    QUICKBOOKS_DESKTOP,
    direct_costs_deletable=True,
    on_premise=True,
)
INTACCT_PLATFORM: Final = Platform("Sage Intacct", "knfz", "Accounting", IdStyle.NUMBER, INTACCT)
