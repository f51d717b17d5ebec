"""Codat's Sandbox: it keeps whatever it is given.

Codat's sample marks every field of its data model as required; it is read here as "accepts the whole model", and only
what the API schema itself requires is enforced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from worker.simulator.models.shapes import address, cost_head, cost_lines, cost_payment, transfer_sides
from worker.simulator.rules import Check, DataType, Kind, Model, may, must

SANDBOX: Final[Mapping[DataType, Model]] = {
    DataType.BANK_ACCOUNTS: Model(
        "Bank account",
        (
            must("accountName", Kind.STRING),
            may("accountType", Kind.STRING, choices=("Unknown", "Credit", "Debit")),
            *(may(name, Kind.STRING) for name in ("nominalCode", "sortCode", "accountNumber", "iBan", "institution")),
            must("currency", Kind.STRING, Check.BASE_CURRENCY),
            *(may(name, Kind.NUMBER) for name in ("balance", "availableBalance", "overdraftLimit")),
        ),
    ),
    DataType.ACCOUNTS: Model(
        "Account",
        (
            may("nominalCode", Kind.STRING),
            must("name", Kind.STRING),
            *(may(name, Kind.STRING) for name in ("description", "fullyQualifiedCategory", "fullyQualifiedName")),
            may("currency", Kind.STRING, Check.BASE_CURRENCY),
            may("currentBalance", Kind.NUMBER),
            may("type", Kind.STRING, choices=("Unknown", "Asset", "Expense", "Income", "Liability", "Equity")),
            may("status", Kind.STRING, choices=("Unknown", "Active", "Archived", "Pending")),
            may("isBankAccount", Kind.BOOLEAN),
        ),
    ),
    DataType.SUPPLIERS: Model(
        "Supplier",
        (
            must("supplierName", Kind.STRING),
            *(may(name, Kind.STRING) for name in ("contactName", "emailAddress", "phone", "registrationNumber")),
            *(may(name, Kind.STRING) for name in ("taxNumber", "defaultCurrency")),
            may("status", Kind.STRING, choices=("Unknown", "Active", "Archived")),
            may("addresses", Kind.ARRAY),
            *address(types=("Unknown", "Billing", "Delivery")),
        ),
    ),
    DataType.TRANSFERS: Model(
        "Transfer",
        (
            may("description", Kind.STRING),
            may("contactRef", Kind.OBJECT),
            may("contactRef.id", Kind.STRING, Check.CONTACT),
            may("contactRef.dataType", Kind.STRING),
            must("date", Kind.DATE),
            *transfer_sides((Check.FUNDS_ACCOUNT,), (Check.EQUAL_AMOUNTS, Check.POSITIVE)),
        ),
    ),
    DataType.DIRECT_COSTS: Model(
        "Direct cost",
        (
            *cost_head(
                may("reference", Kind.STRING),
                may("note", Kind.STRING),
                must("issueDate", Kind.DATE),
                must("currency", Kind.STRING, Check.ACCOUNT_CURRENCY),
                must("subTotal", Kind.NUMBER),
                must("taxAmount", Kind.NUMBER),
                must("totalAmount", Kind.NUMBER, Check.SUM_OF_LINES),
            ),
            may("contactRef", Kind.OBJECT),
            may("contactRef.id", Kind.STRING, Check.CONTACT),
            may("contactRef.dataType", Kind.STRING),
            must("paymentAllocations", Kind.ARRAY),
            *cost_payment(
                Check.FUNDS_ACCOUNT,
                must("paymentAllocations.allocation", Kind.OBJECT),
                may("paymentAllocations.allocation.totalAmount", Kind.NUMBER, Check.SUM_OF_LINES),
            ),
            must("lineItems", Kind.ARRAY),
            *cost_lines(
                (Check.ACCOUNT,),
                must("lineItems.quantity", Kind.NUMBER),
                must("lineItems.unitAmount", Kind.NUMBER),
            ),
        ),
    ),
}
