"""Xero: bank accounts only by mapping a feed, a status on both sides of a transfer, contacts by GUID."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from worker.simulator.models.shapes import address, cost_head, cost_lines, cost_payment, reference, transfer_sides
from worker.simulator.rules import Check, DataType, Kind, Model, may, must

_CATEGORIES: Final = (
    *(f"Asset.{name}" for name in ("Current", "Fixed", "Inventory", "NonCurrent", "Prepayment")),
    *(f"Expense.{name}" for name in ("DirectCosts", "Expense", "Overhead", "Superannuation", "Wages")),
    *(f"Income.{name}" for name in ("Sales", "Revenue", "Other")),
    *(f"Liability.{name}" for name in ("Current", "Depreciation", "Liability", "NonCurrent", "PayAsYouGo")),
    *(f"Liability.{name}" for name in ("Superannuation", "WagesPayable")),
    "Equity.Equity",
)


XERO: Final[Mapping[DataType, Model]] = {
    DataType.ACCOUNTS: Model(
        "Account",
        (
            must("nominalCode", Kind.STRING, longest=10),
            must("name", Kind.STRING),
            may("description", Kind.STRING),
            must("fullyQualifiedCategory", Kind.STRING, choices=_CATEGORIES),
        ),
    ),
    DataType.SUPPLIERS: Model(
        "Supplier",
        (
            must("supplierName", Kind.STRING),
            *(may(name, Kind.STRING) for name in ("phone", "emailAddress", "taxNumber", "defaultCurrency")),
            may("registrationNumber", Kind.STRING, longest=50),
            may("status", Kind.STRING, choices=("Active", "InActive")),
            may("addresses", Kind.ARRAY),
            *address(types=("Billing", "Delivery")),
        ),
    ),
    DataType.TRANSFERS: Model(
        "Transfer",
        (
            must("date", Kind.DATE),
            *transfer_sides((Check.BANK_ACCOUNT,), (Check.EQUAL_AMOUNTS, Check.POSITIVE), "status"),
        ),
    ),
    DataType.DIRECT_COSTS: Model(
        "Direct cost",
        (
            *cost_head(
                must("issueDate", Kind.DATE),
                may("reference", Kind.STRING, longest=255),
                must("currency", Kind.STRING, Check.ACCOUNT_CURRENCY),
                must("taxAmount", Kind.NUMBER),
                must("totalAmount", Kind.NUMBER),
            ),
            *reference("contactRef", Check.GUID, Check.CONTACT),
            must("paymentAllocations", Kind.ARRAY),
            *cost_payment(
                Check.BANK_ACCOUNT,
                must("paymentAllocations.allocation", Kind.OBJECT),
                must("paymentAllocations.allocation.totalAmount", Kind.NUMBER, Check.SUM_OF_LINES),
            ),
            must("lineItems", Kind.ARRAY, Check.SAME_SIGN),
            *cost_lines(
                (Check.GUID, Check.ACCOUNT),
                may("lineItems.description", Kind.STRING, longest=4000),
                must("lineItems.quantity", Kind.NUMBER),
                must("lineItems.unitAmount", Kind.NUMBER),
                must("lineItems.taxAmount", Kind.NUMBER),
            ),
        ),
        ("A direct cost with negative lines is booked as a direct income.",),
    ),
}
