"""The companies a simulator starts with: the same ones, with the same ids, for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from random import Random
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from worker.simulator.books import Account, Books, Record
from worker.simulator.platforms import (
    FREEAGENT_PLATFORM,
    INTACCT_PLATFORM,
    QUICKBOOKS_DESKTOP_PLATFORM,
    QUICKBOOKS_FEEDS_PLATFORM,
    QUICKBOOKS_PLATFORM,
    SAGE_FEEDS_PLATFORM,
    SAGE_PLATFORM,
    SANDBOX_PLATFORM,
    XERO_PLATFORM,
    IdStyle,
    Platform,
)
from worker.simulator.rules import DataType
from worker.simulator.wire import Document, stamp

LENDER: Final = "Northgate Capital"
"""The lender every preset company already knows as a supplier and has an account for."""


class ConnectionStatus(StrEnum):
    """Codat's four states of a connection; only a linked one can be written to."""

    PENDING = "PendingAuth"
    LINKED = "Linked"
    UNLINKED = "Unlinked"
    DEAUTHORIZED = "Deauthorized"


class FeedStatus(StrEnum):
    """How far a source account is on its way into the books."""

    PENDING = "pending"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


@dataclass(slots=True)
class SourceAccount:
    """The lender's side of a bank feed. ``target`` is the account in the books it is mapped to."""

    id: str
    body: Document
    currency: str
    status: FeedStatus = FeedStatus.PENDING
    target: str | None = None
    start: date | None = None

    def document(self) -> Document:
        """Codat's source account, of the version it was created with."""
        start = None if self.start is None else f"{self.start}T00:00:00Z"
        return {**self.body, "status": self.status, "feedStartDate": start}


@dataclass(slots=True)
class Connection:
    """One link between a company and an integration.

    ``connector_on`` is whether the office computer of an on-premise platform is; ``waiting`` is its work meanwhile.
    """

    id: str
    platform: Platform
    source_id: str
    created_at: datetime
    status: ConnectionStatus = ConnectionStatus.LINKED
    last_sync: datetime | None = None
    errors: list[Document] = field(default_factory=list)
    sources: dict[str, SourceAccount] = field(default_factory=dict)
    connector_on: bool = True
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def document(self, company_id: str) -> Document:
        """Codat's connection."""
        return {
            "id": self.id,
            "integrationId": str(uuid5(NAMESPACE_URL, self.platform.key)),
            "integrationKey": self.platform.key,
            "sourceId": self.source_id,
            "sourceType": self.platform.source_type,
            "platformName": self.platform.name,
            "linkUrl": f"https://link-api.codat.io/companies/{company_id}/connections/{self.id}/start",
            "status": self.status,
            "lastSync": None if self.last_sync is None else stamp(self.last_sync),
            "created": stamp(self.created_at),
            "dataConnectionErrors": self.errors,
            "connectionInfo": {},
        }


@dataclass(slots=True)
class Company:
    """A borrower, its connections and its books. ``presets`` names what it starts with."""

    id: str
    name: str
    created_at: datetime
    books: Books
    ids: IdStyle
    connections: dict[str, Connection] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    presets: dict[str, str] = field(default_factory=dict)

    def document(self) -> Document:
        """Codat's company."""
        return {
            "id": self.id,
            "name": self.name,
            "description": None,
            "redirect": f"https://link.codat.io/company/{self.id}",
            "lastSync": None,
            "created": stamp(self.created_at),
            "createdByUserName": "simulator",
            "products": ["lending"],
            "tags": self.tags,
            "dataConnections": [connection.document(self.id) for connection in self.connections.values()],
        }

    def reference(self) -> Document:
        """The company as webhooks name it."""
        links = {"portal": f"https://app.codat.io/companies/{self.id}/summary"}
        return {"id": self.id, "name": self.name, "description": None, "links": links, "tags": self.tags}

    @property
    def is_connected(self) -> bool:
        return any(connection.status is ConnectionStatus.LINKED for connection in self.connections.values())


@dataclass(frozen=True, slots=True)
class _Preset:
    name: str
    currency: str
    platform: Platform
    feeds: Platform | None
    expense_category: str


_PRESETS: Final = (
    _Preset("Fenland Bakery Ltd", "GBP", XERO_PLATFORM, XERO_PLATFORM, "Expense.Overhead"),
    _Preset(
        "Cascade Outfitters Inc",
        "USD",
        QUICKBOOKS_PLATFORM,
        QUICKBOOKS_FEEDS_PLATFORM,
        "Expense.Expense.InterestPaid",
    ),
    _Preset("Harbour Joinery Ltd", "GBP", SAGE_PLATFORM, SAGE_FEEDS_PLATFORM, "OVERHEADS"),
    _Preset("Lune Design Studio", "GBP", FREEAGENT_PLATFORM, FREEAGENT_PLATFORM, "Expense.Overhead"),
    _Preset("Sandbox Trading Ltd", "GBP", SANDBOX_PLATFORM, None, "Expense.Overhead"),
    _Preset("Prairie Tools Inc", "USD", QUICKBOOKS_DESKTOP_PLATFORM, None, "Expense.Expense"),
    _Preset("Summit Logistics Ltd", "GBP", INTACCT_PLATFORM, None, "Total Expenses"),
)


def new_guid(rng: Random) -> str:
    """A GUID drawn from the seed."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def new_record_id(rng: Random, style: IdStyle) -> str:
    """A record id as the platform would make one."""
    match style:
        case IdStyle.GUID:
            return new_guid(rng)
        case IdStyle.NUMBER:
            return str(rng.randrange(10**6, 10**9))


def build_world(seed: int, now: datetime) -> dict[str, Company]:
    """The preset companies by id. Ids depend on the seed alone; ``now`` only dates them."""
    rng = Random(f"{seed}:world")
    companies = [_build(preset, rng, now) for preset in _PRESETS]
    return {company.id: company for company in companies}


def _build(preset: _Preset, rng: Random, now: datetime) -> Company:
    platform = preset.platform
    company = Company(new_guid(rng), preset.name, now, Books(preset.currency), platform.id_style)
    company.tags = {"platform": platform.key}
    main = Connection(new_guid(rng), platform, new_guid(rng), now, last_sync=now)
    company.connections[main.id] = main
    company.presets["connectionId"] = main.id
    _open_accounts(company, preset, rng, now)
    suppliers = company.books.records_of(DataType.SUPPLIERS)
    for role, name in (("supplierId", LENDER), ("otherSupplierId", "Millstone Supplies")):
        body = {"supplierName": name, "status": "Active", "defaultCurrency": preset.currency}
        record = Record(new_record_id(rng, company.ids), DataType.SUPPLIERS, body, now)
        suppliers[record.id] = record
        company.presets[role] = record.id
    _open_feed(company, preset, rng, now)
    _set_tax_rates(company, now)
    return company


def _open_accounts(company: Company, preset: _Preset, rng: Random, now: datetime) -> None:
    expense, bank = preset.expense_category, "Asset.Bank"
    for role, name, kind, category, code, bank_kind in (
        ("borrowerAccountId", "Business Current Account", "Asset", bank, "1200", "Debit"),
        ("lenderAccountId", f"{LENDER} Loan", "Liability", bank, "2300", "Credit"),
        ("savingsAccountId", "Reserve Account", "Asset", bank, "1210", "Debit"),
        ("expenseAccountId", "Loan Interest and Fees", "Expense", expense, "7900", None),
        ("otherExpenseAccountId", "General Expenses", "Expense", expense, "7500", None),
        ("salesAccountId", "Sales", "Income", "Income.Sales", "4000", None),
    ):
        account = Account(new_record_id(rng, company.ids), name, kind, category, preset.currency, code, now)
        account.is_bank, account.bank_kind = bank_kind is not None, bank_kind or "Debit"
        if account.is_bank:
            account.details = {"sortCode": "040004", "accountNumber": str(rng.randrange(10**7, 10**8))}
        company.books.accounts[account.id] = account
        company.presets[role] = account.id


def _set_tax_rates(company: Company, now: datetime) -> None:
    """The two rates every company has; interest and fees carry no tax."""
    for role, rate_id, name, percent in (
        ("taxRateId", "NON", "Exempt", 0),
        ("otherTaxRateId", "TAX", "Standard rate", 20),
    ):
        components = [{"name": name, "rate": percent, "isCompound": False}]
        body = {"name": name, "code": rate_id, "effectiveTaxRate": percent, "totalTaxRate": percent}
        record = Record(rate_id, DataType.TAX_RATES, {**body, "components": components, "status": "Active"}, now)
        company.books.records_of(DataType.TAX_RATES)[record.id] = record
        company.presets[role] = record.id


def _open_feed(company: Company, preset: _Preset, rng: Random, now: datetime) -> None:
    """A lender's feed that is already connected, so that a loan can be written at once."""
    if preset.feeds is None:
        return
    connection = company.connections[company.presets["connectionId"]]
    if preset.feeds is not preset.platform:
        connection = Connection(new_guid(rng), preset.feeds, new_guid(rng), now, last_sync=now)
        company.connections[connection.id] = connection
    target = company.presets["lenderAccountId"]
    source_id = f"northgate-{connection.platform.key}"
    body = {
        "id": source_id,
        "accountName": f"{LENDER} Loan",
        "accountType": "loan",
        "accountNumber": company.books.accounts[target].details["accountNumber"],
        "sortCode": "040004",
        "currency": preset.currency,
        "balance": 0,
    }
    source = SourceAccount(source_id, body, preset.currency, FeedStatus.CONNECTED, target, now.date())
    connection.sources[source_id] = source
    company.presets["feedConnectionId"], company.presets["sourceAccountId"] = connection.id, source_id
