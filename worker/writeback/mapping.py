"""A connection's mapping: which of the borrower's accounts a writeback uses. Pure; one object is one version."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from worker.codat.profiles import Profile


class LenderKind(StrEnum):
    """What the lender's account is in the borrower's books."""

    BANK_ACCOUNT = "bank_account"
    """A bank account; its one id is used everywhere."""
    SOURCE_ACCOUNT = "source_account"
    """A bank feed's source account mapped to a target account: statement lines use the one, the books the other."""


class MappingState(StrEnum):
    """Whether a version can be used."""

    CREATING = "creating"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Mapping:
    """One ready version. All account ids are Codat's, opaque.

    ``lender_account_id`` is the account in the books (a feed's target); statement lines go to ``lender_feed_id``,
    through ``feed_connection_id``.
    """

    connection_id: UUID
    company_id: UUID
    version: int
    profile: Profile
    currency: str
    enabled: bool
    lender_kind: LenderKind
    lender_account_id: str
    lender_feed_id: str
    feed_connection_id: UUID
    borrower_account_id: str
    expense_account_id: str
    supplier_id: str
    supplier_name: str
    tax_rate_id: str | None = None
    """What a direct cost's line names as its tax rate, on platforms that want one."""
