"""QuickBooks Desktop: short names, one payment, and an office computer that has to be on.

Codat's sample of a direct cost also marks the parts of a payment, tax, item and tracking as required, several of which
contradict each other in a cost booked to an account; they are read here as accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from worker.simulator.models.shapes import cost_head, cost_lines, cost_payment, reference, transfer_sides
from worker.simulator.rules import Check, DataType, Kind, Model, lost, may, must

_CATEGORIES: Final = (
    *(f"Asset.{name}" for name in ("AccountsReceivable", "FixedAsset", "OtherCurrentAsset", "OtherAsset")),
    *(f"Income.{name}" for name in ("Income", "OtherIncome")),
    *(f"Liability.{name}" for name in ("AccountsPayable", "CreditCard", "LongTermLiability")),
    *(f"Liability.{name}" for name in ("OtherCurrentLiability", "CostOfGoodsSold")),
    "Equity.Equity",
    *(f"Expense.{name}" for name in ("Expense", "OtherExpense")),
)


QUICKBOOKS_DESKTOP: Final[Mapping[DataType, Model]] = {
    DataType.BANK_ACCOUNTS: Model(
        "Bank account",
        (
            must("nominalCode", Kind.STRING, longest=7),
            must("accountName", Kind.STRING, longest=31),
            may("currency", Kind.STRING, Check.BASE_CURRENCY),
            may("balance", Kind.NUMBER),
        ),
    ),
    DataType.ACCOUNTS: Model(
        "Account",
        (
            must("nominalCode", Kind.STRING, longest=7),
            must("name", Kind.STRING, longest=31),
            may("description", Kind.STRING, longest=200),
            may("currency", Kind.STRING, Check.BASE_CURRENCY),
            must("fullyQualifiedCategory", Kind.STRING, choices=_CATEGORIES),
            may("currentBalance", Kind.NUMBER),
        ),
    ),
    DataType.SUPPLIERS: Model(
        "Supplier",
        (
            must("supplierName", Kind.STRING, longest=41),
            may("contactName", Kind.STRING, longest=25),
            *(may(name, Kind.STRING) for name in ("phone", "emailAddress", "registrationNumber")),
            may("taxNumber", Kind.STRING, longest=30),
            may("defaultCurrency", Kind.STRING, Check.BASE_CURRENCY),
            must("status", Kind.STRING, choices=("Active", "Archived")),
        ),
    ),
    DataType.TRANSFERS: Model(
        "Transfer",
        (
            may("description", Kind.STRING, longest=4096),
            lost("contactRef", Kind.OBJECT),
            must("date", Kind.DATE),
            *transfer_sides((Check.FUNDS_ACCOUNT,), (Check.EQUAL_AMOUNTS, Check.POSITIVE)),
        ),
    ),
    DataType.DIRECT_COSTS: Model(
        "Direct cost",
        (
            *cost_head(
                may("reference", Kind.STRING),
                may("note", Kind.STRING, longest=4096),
                may("currency", Kind.STRING, Check.BASE_CURRENCY),
                must("issueDate", Kind.DATE),
                must("taxAmount", Kind.NUMBER),
            ),
            *reference("contactRef", Check.CONTACT),
            must("paymentAllocations", Kind.ARRAY, Check.ONE_ITEM),
            *cost_payment(
                Check.FUNDS_ACCOUNT,
                must("paymentAllocations.payment.paidOnDate", Kind.DATE),
                may("paymentAllocations.allocation", Kind.OBJECT),
            ),
            must("lineItems", Kind.ARRAY),
            *cost_lines(
                (Check.COST_ACCOUNT,),
                must("lineItems.description", Kind.STRING),
                must("lineItems.unitAmount", Kind.NUMBER),
                must("lineItems.quantity", Kind.NUMBER),
                must("lineItems.taxAmount", Kind.NUMBER),
            ),
        ),
    ),
}
