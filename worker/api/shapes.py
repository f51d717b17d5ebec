"""The JSON of answers as types: exactly the members Modern Treasury's OpenAPI lists, all of them always there. Pure.

What is rendered is checked against these types, and ``/openapi.json`` is made of them. Amounts are whole minor units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NotRequired, TypeAlias, TypedDict

from worker.api.bulk_objects import Action, EntityType, RequestStatus, ResourceType, ResultStatus
from worker.api.objects import MonitorField, Operator, SettlementStatus
from worker.json_types import Day, Id, Moment
from worker.ledger.transaction import Direction, Status

Digits: TypeAlias = Annotated[str, ("pattern", "^-?[0-9]+$")]
Metadata: TypeAlias = dict[str, str]


class Ping(TypedDict):
    """The service answers, and knows the caller."""

    ping: Literal["pong"]


class Head(TypedDict):
    """What every object has."""

    id: Id
    live_mode: Literal[False]
    created_at: Moment
    updated_at: Moment


class BalanceObject(TypedDict):
    """One balance: both sides, and their difference seen from the normal side."""

    credits: int
    credits_string: Digits
    debits: int
    debits_string: Digits
    amount: int
    amount_string: Digits
    currency: str
    currency_exponent: int


class BalancesObject(TypedDict):
    """The three balances."""

    pending_balance: BalanceObject
    posted_balance: BalanceObject
    available_balance: BalanceObject


class BoundedBalancesObject(BalancesObject):
    """The three balances of the entries that take effect from the lower bound on, up to but without the upper."""

    effective_at_lower_bound: Moment | None
    effective_at_upper_bound: Moment | None


class LedgerObject(Head):
    """A set of books."""

    object: Literal["ledger"]
    discarded_at: Moment | None
    name: str
    description: str | None
    metadata: Metadata


class LedgerAccountObject(Head):
    """A ledger account; ``lock_version`` counts the writes to its balances."""

    object: Literal["ledger_account"]
    discarded_at: Moment | None
    name: str
    description: str | None
    normal_balance: Direction
    balances: BoundedBalancesObject
    lock_version: int
    ledger_id: Id
    ledgerable_type: str | None
    ledgerable_id: Id | None
    external_id: str | None
    metadata: Metadata


class LedgerAccountCategoryObject(Head):
    """A category, with the sums of all accounts in it, directly or nested."""

    object: Literal["ledger_account_category"]
    discarded_at: Moment | None
    name: str
    description: str | None
    metadata: Metadata
    ledger_id: Id
    normal_balance: Direction
    external_id: str | None
    balances: BalancesObject


class VersionEntryObject(TypedDict):
    """A ledger entry as it was in a version of its transaction."""

    object: Literal["ledger_entry"]
    id: Id
    live_mode: Literal[False]
    created_at: Moment
    amount: int
    amount_string: Digits
    effective_at: Moment
    direction: Direction
    status: Status
    ledger_account_id: Id
    ledger_account_lock_version: int
    ledger_account_currency: str
    ledger_account_currency_exponent: int
    ledger_transaction_id: Id
    resulting_ledger_account_balances: BalancesObject | None
    metadata: Metadata


class LedgerEntryObject(VersionEntryObject):
    """A ledger entry; its account's balances after it are shown where they are asked for."""

    updated_at: Moment
    discarded_at: Moment | None


class TransactionState(TypedDict):
    """What a ledger transaction says, now or in one of its versions."""

    description: str | None
    status: Status
    metadata: Metadata
    effective_at: Moment
    effective_date: Day
    posted_at: Moment | None
    ledger_id: Id
    ledgerable_type: str | None
    ledgerable_id: Id | None
    external_id: str | None
    reverses_ledger_transaction_id: Id | None
    reversed_by_ledger_transaction_id: Id | None
    partially_posts_ledger_transaction_id: Id | None
    archived_reason: str | None


class LedgerTransactionObject(Head, TransactionState):
    """A ledger transaction with its entries."""

    object: Literal["ledger_transaction"]
    ledger_entries: list[LedgerEntryObject]


class LedgerTransactionVersionObject(TransactionState):
    """A ledger transaction as it was from ``created_at`` on."""

    object: Literal["ledger_transaction_version"]
    id: Id
    live_mode: Literal[False]
    created_at: Moment
    ledger_transaction_id: Id
    version: int
    ledger_entries: list[VersionEntryObject]


class LedgerAccountStatementObject(Head):
    """What an account held at two moments, as the books said when the statement was made."""

    object: Literal["ledger_account_statement"]
    ledger_id: Id
    description: str | None
    ledger_account_id: Id
    ledger_account_lock_version: int
    ledger_account_normal_balance: Direction
    effective_at_lower_bound: Moment
    effective_at_upper_bound: Moment
    starting_balance: BalancesObject
    ending_balance: BalancesObject
    metadata: Metadata


class LedgerAccountSettlementObject(Head):
    """Entries of one account and the transaction that takes their sum to another; a draft has no amount yet."""

    object: Literal["ledger_account_settlement"]
    ledger_id: Id
    description: str | None
    status: SettlementStatus
    settled_ledger_account_id: Id
    contra_ledger_account_id: Id
    effective_at_upper_bound: Moment
    ledger_transaction_id: Id | None
    amount: int | None
    settlement_entry_direction: Direction | None
    currency: str
    currency_exponent: int
    metadata: Metadata


class AlertConditionObject(TypedDict):
    """When a monitor is triggered: its field, compared with a value."""

    field: MonitorField
    operator: Operator
    value: int


class BalanceStateObject(TypedDict):
    """The account's balances, and whether the condition holds."""

    balances: BalancesObject
    ledger_account_lock_version: int
    triggered: bool


class LedgerAccountBalanceMonitorObject(Head):
    """A balance monitor and the state of its account."""

    object: Literal["ledger_account_balance_monitor"]
    discarded_at: Moment | None
    ledger_account_id: Id
    description: str | None
    alert_condition: AlertConditionObject
    current_ledger_account_balance_state: BalanceStateObject
    metadata: Metadata


class BulkRequestObject(Head):
    """A bulk request and how far it is."""

    object: Literal["bulk_request"]
    action_type: Action
    resource_type: ResourceType
    status: RequestStatus
    total_resource_count: int
    success_result_count: int
    failed_result_count: int
    metadata: Metadata


class RequestErrorObject(TypedDict):
    """Why a resource was refused."""

    code: str
    message: str
    parameter: NotRequired[str]


class BulkErrorObject(Head):
    """What stands for the object of a resource that was refused."""

    object: Literal["bulk_error"]
    request_errors: Sequence[RequestErrorObject]


BulkEntity: TypeAlias = LedgerAccountObject | LedgerTransactionObject | BulkErrorObject


class BulkResultObject(Head):
    """What became of one resource of a bulk request."""

    object: Literal["bulk_result"]
    request_id: Id
    request_type: Literal["bulk_request"]
    status: ResultStatus
    request_params: dict[str, str]
    entity_id: Id
    entity_type: EntityType
    entity: BulkEntity


EventData: TypeAlias = LedgerAccountBalanceMonitorObject | LedgerAccountSettlementObject | BulkRequestObject


class EventObject(Head):
    """What became of an object; ``data`` is the object as it was then."""

    object: Literal["event"]
    resource: str
    event_name: str
    event_time: Moment
    data: EventData
    entity_id: Id
