"""The JSON of ``/v1`` about mappings and decisions as types, which ``/openapi.json`` is made of. Pure."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from worker.json_types import Id, Moment
from worker.writeback.mapping import MappingState


class MappingObject(TypedDict):
    """A version of a mapping: what was asked for, as it was read, and the ids it has come to."""

    company_id: Id
    connection_id: Id
    version: int
    state: MappingState
    reason: str | None
    created_at: Moment
    requested: dict[str, Any]
    lender_account_id: str | None
    lender_feed_id: str | None
    feed_connection_id: Id
    borrower_account_id: str
    expense_account_id: str | None
    supplier_id: str | None


class SagaRuns(TypedDict):
    """The saga goes on."""

    saga_id: int
    state: Literal["running"]


class SagaAbandoned(TypedDict):
    """The saga was given up, for the reason that was given."""

    saga_id: int
    state: Literal["abandoned"]
    reason: str
