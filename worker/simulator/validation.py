"""Checks a write against its platform's model: pure, and silent about anything the model does not say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, assert_never

from worker.simulator.books import Account, Books
from worker.simulator.rules import Check, DataType, Field, Kind, Model
from worker.simulator.wire import Document, ValidationItem, read_date, read_number

_READ_ONLY: Final = ("id", "modifiedDate", "sourceModifiedDate")
"""Fields Codat fills in itself; a create that sends them is refused."""

_PATTERNS: Final = {
    Check.GUID: re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    Check.NOMINAL_NUMBER: re.compile(r"[1-9][0-9]{0,7}"),
    Check.SIX_DIGITS: re.compile(r"[0-9]{6}"),
}

VALIDATORS: Final = {
    DataType.COMPANY: "Company",
    DataType.BANK_ACCOUNTS: "BankAccount",
    DataType.ACCOUNTS: "Account",
    DataType.SUPPLIERS: "Supplier",
    DataType.TRANSFERS: "Transfer",
    DataType.DIRECT_COSTS: "DirectCost",
    DataType.DIRECT_INCOMES: "DirectIncome",
    DataType.BANK_TRANSACTIONS: "BankTransaction",
    DataType.TAX_RATES: "TaxRate",
}
"""``validatorName`` of each data type's errors."""


@dataclass(frozen=True, slots=True)
class _Visit:
    """A field met in a body, its value (None when absent) and its name in errors (``LineItems[0].Quantity``)."""

    field: Field
    value: object
    item_id: str


def shape_errors(model: Model, validator: str, body: Document) -> list[ValidationItem]:
    """Fields whose JSON type is wrong: these fail the request itself (HTTP 400)."""
    return [
        ValidationItem(visit.item_id, f"{visit.item_id} has to be a {visit.field.kind}.", validator)
        for visit in _visits(model, "", body, "")
        if visit.value is not None and not _is_kind(visit.value, visit.field.kind)
    ]


def value_errors(model: Model, validator: str, body: Document) -> list[ValidationItem]:
    """Fields that are missing, too long or none of their choices. The body must be free of :func:`shape_errors`."""
    return [
        ValidationItem(visit.item_id, f"{visit.item_id}: {text}", validator)
        for visit in _visits(model, "", body, "")
        for text in _broken_limits(visit)
    ]


def violations(model: Model, data_type: DataType, body: Document, books: Books) -> list[ValidationItem]:
    """Everything the platform refuses in a body free of :func:`shape_errors`: these fail the push operation."""
    validator = VALIDATORS[data_type]
    named = {field.path for field in model.fields}
    read_only = [
        ValidationItem(_pascal(name), f"{_pascal(name)} is read-only and has to be left out.", validator)
        for name in _READ_ONLY
        if name not in named and body.get(name) is not None
    ]
    failed_checks = [
        ValidationItem(visit.item_id, f"{visit.item_id}: {check.value}", validator)
        for visit in _visits(model, "", body, "")
        if not _is_empty(visit.value)
        for check in visit.field.checks
        if not _passes(check, visit.value, body, books)
    ]
    return [*read_only, *value_errors(model, validator, body), *failed_checks]


def line_amount(line: Document) -> Decimal | None:
    """A cost line's worth: its total, or its subtotal with tax, or its quantity times its price with tax."""
    tax = read_number(line.get("taxAmount")) or Decimal(0)
    if (stated := read_number(line.get("totalAmount"))) is not None:
        return stated
    if (before_tax := read_number(line.get("subTotal"))) is not None:
        return before_tax + tax
    quantity, price = read_number(line.get("quantity")), read_number(line.get("unitAmount"))
    return None if quantity is None or price is None else quantity * price + tax


def lines_total(body: Document) -> Decimal | None:
    """The sum of a cost's lines; None when a line's worth cannot be told."""
    amounts = [line_amount(line) for line in body.get("lineItems") or ()]
    return None if not amounts or None in amounts else sum((a for a in amounts if a is not None), Decimal(0))


def _visits(model: Model, parent: str, node: Document, prefix: str) -> Iterator[_Visit]:
    for field in model.children.get(parent, ()):
        value, item_id = node.get(field.name), prefix + _pascal(field.name)
        yield _Visit(field, value, item_id)
        if isinstance(value, dict):
            yield from _visits(model, field.path, value, f"{item_id}.")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    yield from _visits(model, field.path, item, f"{item_id}[{index}].")


def _is_kind(value: object, kind: Kind) -> bool:
    match kind:
        case Kind.ARRAY:
            return isinstance(value, list) and all(isinstance(item, dict) for item in value)
        case Kind.OBJECT:
            return isinstance(value, dict)
        case Kind.STRING:
            return isinstance(value, str)
        case Kind.NUMBER:
            return read_number(value) is not None
        case Kind.BOOLEAN:
            return isinstance(value, bool)
        case Kind.DATE:
            return read_date(value) is not None
        case _:
            assert_never(kind)


def _broken_limits(visit: _Visit) -> Iterator[str]:
    field, value = visit.field, visit.value
    if _is_empty(value):
        if field.required:
            yield "Has to be provided."
    elif isinstance(value, str):
        if field.longest is not None and len(value) > field.longest:
            yield f"At most {field.longest} characters."
        if field.choices and value.casefold() not in {choice.casefold() for choice in field.choices}:
            yield f"Has to be one of {', '.join(field.choices)}."


def _is_empty(value: object) -> bool:
    return value is None or value in ("", [])


def _passes(check: Check, value: object, body: Document, books: Books) -> bool:
    match check:
        case Check.POSITIVE | Check.SUM_OF_LINES | Check.EQUAL_AMOUNTS | Check.SAME_SIGN:
            return _amount_passes(check, value, body)
        case Check.BANK_ACCOUNT | Check.BASE_CURRENCY_ACCOUNT | Check.FUNDS_ACCOUNT | Check.COST_ACCOUNT:
            account = books.open_account(str(value))
            return account is not None and _account_passes(check, account, books)
        case Check.ACCOUNT:
            return books.open_account(str(value)) is not None
        case Check.OTHER_ACCOUNT:
            return _reference(body, "from") != _reference(body, "to")
        case Check.CONTACT:
            return books.contact(str(value)) is not None
        case Check.TAX_RATE:
            return str(value) in books.records_of(DataType.TAX_RATES)
        case Check.ONE_ITEM | Check.AT_MOST_ONE_ITEM:
            return isinstance(value, list) and len(value) == 1
        case Check.BASE_CURRENCY:
            return value == books.base_currency
        case Check.ACCOUNT_CURRENCY:
            return all(value == account.currency for account in paying_accounts(body, books))
        case Check.GUID | Check.NOMINAL_NUMBER | Check.SIX_DIGITS:
            return _PATTERNS[check].fullmatch(str(value)) is not None
        case _:
            assert_never(check)


def paying_accounts(body: Document, books: Books) -> list[Account]:
    """The accounts a direct cost is paid from, as far as they exist."""
    found = []
    for allocation in body.get("paymentAllocations") or ():
        reference = ((allocation.get("payment") or {}).get("accountRef") or {}).get("id")
        if reference and (account := books.open_account(reference)) is not None:
            found.append(account)
    return found


def _reference(body: Document, side: str) -> object:
    return ((body.get(side) or {}).get("accountRef") or {}).get("id")


def _amount_passes(check: Check, value: object, body: Document) -> bool:
    amount = read_number(value)
    if check is Check.POSITIVE:
        return amount is not None and amount > 0
    if check is Check.SAME_SIGN:
        worths = [line_amount(line) or Decimal(0) for line in body.get("lineItems") or ()]
        return not any(worth < 0 for worth in worths) or all(worth <= 0 for worth in worths)
    if check is Check.SUM_OF_LINES:
        return lines_total(body) in {None, amount}
    sides = [read_number((body.get(side) or {}).get("amount")) for side in ("from", "to")]
    return None in sides or sides[0] == sides[1]


def _account_passes(check: Check, account: Account, books: Books) -> bool:
    if check is Check.BANK_ACCOUNT:
        return account.is_bank
    if check is Check.BASE_CURRENCY_ACCOUNT:
        return account.currency == books.base_currency
    if check is Check.FUNDS_ACCOUNT:
        return account.is_bank or account.kind == "Asset"
    return account.kind in {"Expense", "Income"}


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]
