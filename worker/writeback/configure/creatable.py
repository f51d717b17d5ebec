"""The records a mapping asks to be created, and what a connection's options model has against them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from worker import wire
from worker.codat import options, payloads
from worker.codat.platforms import Traits
from worker.errors import Rejected
from worker.wire import JsonObject
from worker.writeback.configure.checks import UNPROCESSABLE
from worker.writeback.configure.request import (
    MappingRequest,
    NewBankAccount,
    NewExpenseAccount,
    NewSupplier,
    digits_for,
)
from worker.writeback.plan import StepKind

_OWN_NAMES: Final = {
    "accountName": "name",
    "name": "name",
    "supplierName": "name",
    "accountNumber": "account_number",
    "sortCode": "sort_code",
    "nominalCode": "nominal_code",
    "fullyQualifiedCategory": "category",
}
"""What a person calls Codat's fields in a ``create``; the currency is named once, for the whole mapping."""


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to be created. ``place`` is where the mapping's request asks for it."""

    kind: StepKind
    place: str
    body: bytes


def new_records(request: MappingRequest, traits: Traits) -> Iterator[NewRecord]:
    """Everything the request has created by a push, in the order it is created; feeds have no options model."""
    lender, expense, supplier = request.lender, request.expense, request.supplier
    if isinstance(supplier, NewSupplier):
        contact = supplier.name if traits.supplier_contact_required else None
        body = payloads.supplier(payloads.SupplierBody(supplier.name, request.currency, contact))
        yield NewRecord(StepKind.CREATE_SUPPLIER, "supplier.create", body)
    if isinstance(expense, NewExpenseAccount):
        account = payloads.AccountBody(expense.name, expense.nominal_code, expense.category, currency=request.currency)
        yield NewRecord(StepKind.CREATE_ACCOUNT, "expense_account.create", payloads.account(account, traits))
    if isinstance(lender, NewBankAccount):
        number = lender.account_number or digits_for(lender.name)
        bank = payloads.BankAccountBody(lender.name, request.currency, number, lender.sort_code, lender.nominal_code)
        yield NewRecord(StepKind.CREATE_BANK_ACCOUNT, "lender_account.create", payloads.bank_account(bank))


def objection(record: NewRecord, model: JsonObject, traits: Traits, base_currency: str | None) -> Rejected | None:
    """Why the connection will refuse to create this record, by the field to be changed; None when it may be sent."""
    if traits.options_require_everything:
        return None
    for violation in options.violations(model, wire.decode_object(record.body), base_currency):
        words = f"{violation.words} ({traits.platform})"
        if violation.path in ("currency", "defaultCurrency"):
            return Rejected(UNPROCESSABLE, words, field="currency")
        if violation.path in _OWN_NAMES:
            field = f"{record.place}.{_OWN_NAMES[violation.path]}"
            return Rejected(UNPROCESSABLE, words, field=field)
        words = f"cannot be created from here: {violation.path} {words}; create it there and give its id"
        return Rejected(UNPROCESSABLE, words, field=record.place)
    return None


def unsupported(record: NewRecord, traits: Traits) -> Rejected:
    """The platform does not let records of this kind be created at all."""
    words = f"{traits.platform} lets none be created through Codat; give the id of one that exists"
    return Rejected(UNPROCESSABLE, words, field=record.place)
