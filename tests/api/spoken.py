"""Operations of the ledger as calls of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from tests.api.shown import moment
from tests.ledger.drawn import NOBODY
from tests.ledger.model import Model
from worker.ledger.transaction import (
    UNSET,
    Archive,
    BalanceCondition,
    CategoryLock,
    Create,
    Ledgerable,
    NewEntry,
    Operation,
    PartialPost,
    Post,
    RefusalCode,
    Reverse,
    Status,
    Update,
)

PARAMETERS = {
    RefusalCode.EXTERNAL_ID_TAKEN: ("external_id",),
    RefusalCode.NOT_PENDING: ("ledger_transaction",),
    RefusalCode.NOT_POSTED: ("ledger_transaction",),
    RefusalCode.OF_SETTLEMENT: ("ledger_transaction",),
    RefusalCode.ALREADY_REVERSED: ("ledger_transaction",),
    RefusalCode.UNKNOWN_CATEGORY: ("ledger_account_category_balance_locks",),
    RefusalCode.UNTOUCHED_CATEGORY: ("ledger_account_category_balance_locks",),
    RefusalCode.CATEGORY_CONDITION: ("ledger_account_category_balance_locks",),
}
"""What a refusal blames; all others blame the entries, or one of them."""


class Spoken(NamedTuple):
    """A call."""

    method: str
    path: str
    body: dict[str, Any]


def sayable(operation: Operation, model: Model) -> Create | Update | PartialPost | Reverse:
    """The operation as callers of the API can mean it: by ids, and without what JSON has no word for."""
    match operation:
        case Create():
            return operation
        case Post(key, effective_at):
            return Update(_id(key, model), Status.POSTED, effective_at=effective_at or UNSET)
        case Archive(key):
            return Update(_id(key, model), Status.ARCHIVED)
        case Update():
            ledgerable = UNSET if operation.ledgerable is None else operation.ledgerable
            return replace(operation, transaction=_id(operation.transaction, model), ledgerable=ledgerable)
        case PartialPost():
            return replace(operation, transaction=_id(operation.transaction, model))
        case Reverse():
            return replace(operation, original=_id(operation.original, model))


def spoken(
    operation: Create | Update | PartialPost | Reverse, ids: Mapping[str, str], shows: bool, in_words: bool
) -> Spoken:
    """The call for an operation; entries may ask for balances (``shows``) and spell their amounts as strings."""

    def entries(said: Sequence[NewEntry]) -> list[dict[str, Any]]:
        return [_entry(entry, ids, shows, in_words) for entry in said]

    match operation:
        case Create(new):
            body = _given(
                external_id=new.external_id,
                effective_at=moment(new.effective_at),
                description=new.description,
                **_foreign(new.ledgerable),
            )
            body |= {"status": new.status, "metadata": dict(new.metadata), "ledger_entries": entries(new.entries)}
            if operation.archive_on_balance_lock_failure:
                body["archive_on_balance_lock_failure"] = True
            body |= _category_locks(operation.category_locks)
            return Spoken("POST", "ledger_transactions", body)
        case Update():
            body = _update(operation)
            if operation.entries is not UNSET:
                body["ledger_entries"] = entries(operation.entries)
            body |= _category_locks(operation.category_locks)
            return Spoken("PATCH", f"ledger_transactions/{operation.transaction}", body)
        case PartialPost():
            body = _given(description=operation.description, effective_at=moment(operation.effective_at))
            body |= {"metadata": dict(operation.metadata), "posted_ledger_entries": entries(operation.entries)}
            return Spoken("POST", f"ledger_transactions/{operation.transaction}/partial_post", body)
        case Reverse():
            body = _given(
                external_id=operation.external_id,
                effective_at=moment(operation.effective_at),
                description=operation.description,
                **_foreign(operation.ledgerable),
            )
            body |= {"status": operation.status, "metadata": dict(operation.metadata)}
            return Spoken("POST", f"ledger_transactions/{operation.original}/reversal", body)


def _id(key: str | UUID, model: Model) -> UUID:
    if isinstance(key, UUID):
        return key
    known = model.find(key)
    return NOBODY if known is None else known.id


def _update(update: Update) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name in ("status", "description", "external_id"):
        if (value := getattr(update, name)) is not UNSET:
            body[name] = value
    if update.metadata is not UNSET:
        body["metadata"] = dict(update.metadata)
    if update.effective_at is not UNSET:
        body["effective_at"] = moment(update.effective_at)
    if update.ledgerable is not UNSET:
        body |= _foreign(update.ledgerable)
    return body


def _entry(entry: NewEntry, ids: Mapping[str, str], shows: bool, in_words: bool) -> dict[str, Any]:
    body = _given(lock_version=entry.lock_version, effective_at=moment(entry.effective_at))
    body |= {"ledger_account_id": ids.get(str(entry.account), str(NOBODY)), "direction": entry.direction}
    body |= {"amount_string": str(entry.amount)} if in_words else {"amount": entry.amount}
    body |= _conditions(entry.conditions)
    if entry.metadata:
        body["metadata"] = dict(entry.metadata)
    if shows:
        body["show_resulting_ledger_account_balances"] = True
    return body


def _category_locks(locks: Sequence[CategoryLock]) -> dict[str, Any]:
    said = [{"ledger_account_category_id": str(x.category_id)} | _conditions(x.conditions) for x in locks]
    return {"ledger_account_category_balance_locks": said} if said else {}


def _conditions(conditions: Sequence[BalanceCondition]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for condition in conditions:
        said.setdefault(f"{condition.balance}_balance_amount", {})[condition.comparison] = condition.amount
    return said


def _foreign(ledgerable: Ledgerable | None) -> dict[str, Any]:
    if ledgerable is None:
        return {}
    return {"ledgerable_type": ledgerable.type, "ledgerable_id": str(ledgerable.id)}


def _given(**members: object) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
