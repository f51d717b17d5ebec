"""How a webhook's bytes become an event, or a refusal naming the field. Pure.

Fields this program does not know stay in the stored body and are ignored here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, get_type_hints

from worker.errors import Rejected
from worker.loans import fields
from worker.loans.events import (
    EVENT_TYPES,
    UNDATED,
    CapitalDistributed,
    LoanDisbursed,
    LoanEvent,
    LoanWrittenOff,
    RepaymentInitiated,
    RepaymentSettled,
)
from worker.money import MAX_MINOR_DIGITS
from worker.strict_json import decode_object


def parse_event(body: bytes) -> LoanEvent:
    """The event a webhook's body tells.

    Raises :class:`~worker.errors.Rejected` naming the field as a dotted path: 400 for what is malformed, 422 for what
    is well-formed and can never be right.
    """
    document = decode_object(body)
    kind = fields.identifier(fields.required(document, "type"), "type")
    event_type = EVENT_TYPES.get(kind)
    if event_type is None:
        known = ", ".join(EVENT_TYPES)
        raise Rejected(422, f"is none of the known types: {known}", field="type", code="unknown_event_type")
    timestamp = fields.timestamp(fields.required(document, "timestamp"), "timestamp")
    data = fields.required(document, "data")
    if not isinstance(data, dict):
        raise fields.wrong("data", "must be an object")
    event = event_type(**_read(event_type, timestamp, data))
    _check(event, data)
    return event


class EventField(NamedTuple):
    """A member of an event's ``data``: its dotted path, what reads it, and whether it may be left out."""

    name: str
    path: str
    read: Callable[[object, str, str], object]
    optional: bool


@cache
def fields_of(kind: str) -> tuple[EventField, ...]:
    """The fields of ``data`` as the type's class declares them: every one whose annotation carries its reader."""
    event_type = EVENT_TYPES[kind]
    hints = get_type_hints(event_type, include_extras=True)
    return tuple(
        EventField(f.name, f"data.{f.name}", hints[f.name].__metadata__[0], f.default is not dataclasses.MISSING)
        for f in dataclasses.fields(event_type)
        if hasattr(hints[f.name], "__metadata__")
    )


def _read(event_type: type[LoanEvent], timestamp: datetime, data: dict[str, object]) -> dict[str, Any]:
    currency = fields.currency_code(fields.required(data, "currency", "data"), "data.currency")
    values: dict[str, Any] = {"timestamp": timestamp, "currency": currency}
    if event_type is LoanWrittenOff and data.keys().isdisjoint(("principal", "interest", "fees")):
        data = {**data, "principal": fields.required(data, "amount", "data")}
    elif event_type in UNDATED and data.get("effective_date") is None:
        data = {**data, "effective_date": timestamp.date().isoformat()}
    for name, path, read, optional in fields_of(event_type.type):
        value = data.get(name)
        if value is not None:
            values[name] = read(value, path, currency)
        elif not optional:
            fields.required(data, name, "data")
    return values


def _check(event: LoanEvent, data: dict[str, object]) -> None:
    """What no single field can tell: the sums the loan system sent must agree with each other."""
    match event:
        case RepaymentSettled() | LoanWrittenOff():
            _check_total(event.total, "data.amount")
            stated = data.get("amount")
            if stated is not None and fields.amount(stated, "data.amount", event.currency) != event.total:
                raise fields.impossible("data.amount", "is not the sum of its parts")
            _check_parts(event)
        case RepaymentInitiated() | CapitalDistributed():
            _check_total(event.total, "data.principal")
        case LoanDisbursed() if event.fee > event.amount:
            raise fields.impossible("data.fee", "is more than the amount it is netted from")
        case _:
            pass


def _check_parts(event: RepaymentSettled | LoanWrittenOff) -> None:
    match event:
        case RepaymentSettled() if event.unapplied_cash > event.total:
            raise fields.impossible("data.unapplied_cash", "is more than the repayment")
        case RepaymentSettled() if event.processing_cost > event.total - event.unapplied_cash:
            raise fields.impossible("data.processing_cost", "is more than the cash that came in")
        case LoanWrittenOff() if sum(loss.amount for loss in event.losses) > event.principal:
            raise fields.impossible("data.losses", "investors bear more than the principal that is written off")
        case _:
            pass


def _check_total(total: int, field: str) -> None:
    if total == 0:
        raise fields.impossible(field, "the parts sum to zero: nothing happened")
    if total >= 10**MAX_MINOR_DIGITS:
        raise fields.impossible(field, f"the parts sum to more than {MAX_MINOR_DIGITS} digits of minor units")
