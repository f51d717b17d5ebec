"""What callers may change about an account or a category, and what both have in common. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from worker.api.body import MAX_DESCRIPTION, MAX_EXTERNAL_ID, MAX_NAME, Body, Change
from worker.api.objects import Unit
from worker.api.refusals import invalid, missing
from worker.errors import Rejected
from worker.ledger.transaction import Direction, Ledgerable
from worker.money import AmountError, exponent_of

MAX_CURRENCY: Final = 50
"""Characters of a currency: ISO 4217 has three, a custom one has a name."""

EXPONENTS: Final = range(31)
"""Decimals a currency's minor unit may have: Modern Treasury's limit."""

MAX_CATEGORIES: Final = 100
"""Categories named when an account or category is created."""


class ExternalIdTakenError(Exception):
    """Another object of the ledger has this external id; the transaction cannot go on."""


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """What becomes of an account or a category; metadata without a value is removed."""

    name: str | None
    description: Change[str]
    external_id: Change[str]
    metadata: Mapping[str, str | None]


def read_change(body: Body) -> ObjectChange:
    """A change out of a body, which it finishes."""
    change = ObjectChange(
        body.some_text("name", MAX_NAME),
        body.change("description", MAX_DESCRIPTION),
        read_external_id(body),
        body.metadata_changes(),
    )
    body.finish()
    return change


def read_external_id(body: Body) -> Change[str]:
    """A new external id; an empty one removes the old, as null does."""
    change = body.change("external_id", MAX_EXTERNAL_ID)
    return Change(change.given, change.value or None)


def read_unit(body: Body) -> Unit:
    """Currency, exponent and normal side; the exponent of an ISO 4217 currency need not be given."""
    currency, exponent = body.required_text("currency", MAX_CURRENCY), body.whole("currency_exponent")
    normal_balance = body.required_choice("normal_balance", Direction)
    if exponent is None:
        try:
            exponent = exponent_of(currency)
        except AmountError:
            message = f"currency_exponent is required for the custom currency {currency}"
            raise invalid("currency_exponent", message) from None
    if exponent not in EXPONENTS:
        raise invalid("currency_exponent", f"currency_exponent must be from 0 to {EXPONENTS[-1]}")
    return Unit(currency, exponent, normal_balance)


def read_ledgerable(body: Body, kinds: type[StrEnum]) -> Ledgerable | None:
    """The foreign object an account or a transaction stands for: its type and id, or neither."""
    kind, ledgerable_id = body.choice("ledgerable_type", kinds), body.uuid("ledgerable_id")
    if kind is None and ledgerable_id is None:
        return None
    if kind is None:
        raise missing("ledgerable_type")
    if ledgerable_id is None:
        raise missing("ledgerable_id")
    return Ledgerable(kind, ledgerable_id)


def external_id_taken(noun: str) -> Rejected:
    """The refusal of an external id that another object of the ledger has."""
    return invalid("external_id", f"Another {noun} within the same ledger exists using the external ID you provided")
