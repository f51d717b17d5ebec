"""Sage Intacct: a payee in the note, an existing tax rate on every line, no bank accounts by API.

Codat publishes no transfer model for this platform; this one holds the API schema's own requirements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from worker.simulator.models.shapes import cost_head, cost_lines, cost_payment, transfer_sides
from worker.simulator.rules import Check, DataType, Kind, Model, lost, may, must

INTACCT: Final[Mapping[DataType, Model]] = {
    DataType.ACCOUNTS: Model(
        "Account",
        (
            must("nominalCode", Kind.STRING, longest=24),
            must("name", Kind.STRING),
            must("status", Kind.STRING, choices=("Active", "Archived")),
            must("type", Kind.STRING, choices=("Asset", "Equity", "Expense", "Income", "Liability")),
            must("fullyQualifiedCategory", Kind.STRING),
        ),
    ),
    DataType.SUPPLIERS: Model(
        "Supplier",
        (
            must("supplierName", Kind.STRING, longest=100),
            must("contactName", Kind.STRING, longest=200),
            must("status", Kind.STRING, choices=("Active", "Archived")),
            may("phone", Kind.STRING, longest=30),
            may("emailAddress", Kind.STRING, longest=200),
            may("taxNumber", Kind.STRING, longest=20),
            may("registrationNumber", Kind.STRING, longest=100),
            may("defaultCurrency", Kind.STRING, choices=("AUD", "CAD", "GBP", "USD", "ZAR")),
        ),
    ),
    DataType.TRANSFERS: Model(
        "Transfer",
        (
            may("description", Kind.STRING),
            must("date", Kind.DATE),
            *transfer_sides((Check.BANK_ACCOUNT,), (Check.EQUAL_AMOUNTS, Check.POSITIVE)),
        ),
    ),
    DataType.DIRECT_COSTS: Model(
        "Direct cost",
        (
            *cost_head(
                must("note", Kind.STRING, longest=80),
                may("reference", Kind.STRING, longest=45),
                may("issueDate", Kind.DATE),
                may("currency", Kind.STRING, Check.ACCOUNT_CURRENCY),
                may("totalAmount", Kind.NUMBER, Check.SUM_OF_LINES),
            ),
            lost("contactRef", Kind.OBJECT),
            must("paymentAllocations", Kind.ARRAY, Check.ONE_ITEM),
            *cost_payment(
                Check.BANK_ACCOUNT,
                must("paymentAllocations.payment.paidOnDate", Kind.DATE),
                may("paymentAllocations.payment.totalAmount", Kind.NUMBER, Check.SUM_OF_LINES),
                must("paymentAllocations.allocation", Kind.OBJECT),
                may("paymentAllocations.allocation.totalAmount", Kind.NUMBER, Check.SUM_OF_LINES),
            ),
            must("lineItems", Kind.ARRAY),
            *cost_lines(
                (Check.ACCOUNT,),
                may("lineItems.description", Kind.STRING, longest=1000),
                must("lineItems.unitAmount", Kind.NUMBER),
                must("lineItems.taxRateRef", Kind.OBJECT),
                must("lineItems.taxRateRef.id", Kind.STRING, Check.TAX_RATE),
            ),
        ),
    ),
}
