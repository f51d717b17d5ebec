"""Sage Business Cloud Accounting: everything in the company's base currency.

Codat publishes no direct cost model for this platform; this one holds the API schema's own requirements and the limits
published for its sister, Sage Intacct.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from worker.simulator.models.shapes import address, cost_head, cost_lines, cost_payment, reference, transfer_sides
from worker.simulator.rules import Check, DataType, Kind, Model, lost, may, must

_CATEGORIES: Final = (
    *("SALES", "OTHER_INCOME", "DIRECT_EXPENSES", "OVERHEADS", "DEPRECIATION", "CURRENT_ASSETS", "FIXED_ASSETS"),
    *("FUTURE_ASSETS", "BANK", "CURRENT_LIABILITY", "FUTURE_LIABILITY", "EQUITY", "LINE_OF_CREDIT"),
)


SAGE: Final[Mapping[DataType, Model]] = {
    DataType.BANK_ACCOUNTS: Model(
        "Bank account",
        (
            must("accountName", Kind.STRING, longest=50),
            must("currency", Kind.STRING, Check.BASE_CURRENCY),
            may("accountType", Kind.STRING, choices=("Credit", "Debit")),
            may("sortCode", Kind.STRING, Check.SIX_DIGITS),
            may("accountNumber", Kind.STRING, longest=25),
            may("iBan", Kind.STRING, longest=34),
            may("nominalCode", Kind.STRING, Check.NOMINAL_NUMBER),
        ),
    ),
    DataType.ACCOUNTS: Model(
        "Account",
        (
            must("name", Kind.STRING, longest=200),
            must("nominalCode", Kind.STRING, Check.NOMINAL_NUMBER),
            must("fullyQualifiedCategory", Kind.STRING, choices=_CATEGORIES),
        ),
    ),
    DataType.SUPPLIERS: Model(
        "Supplier",
        (
            must("supplierName", Kind.STRING),
            *(may(name, Kind.STRING) for name in ("contactName", "emailAddress", "phone", "taxNumber")),
            may("addresses", Kind.ARRAY, Check.AT_MOST_ONE_ITEM),
            *address("line1", types=()),
        ),
    ),
    DataType.TRANSFERS: Model(
        "Transfer",
        (
            lost("description", Kind.STRING, longest=2000),
            must("date", Kind.DATE),
            *transfer_sides(
                (Check.BANK_ACCOUNT, Check.BASE_CURRENCY_ACCOUNT, Check.OTHER_ACCOUNT),
                (Check.EQUAL_AMOUNTS, Check.POSITIVE),
            ),
        ),
        ("A description survives only on a deposit of cash, which a transfer between bank accounts is not.",),
    ),
    DataType.DIRECT_COSTS: Model(
        "Direct cost",
        (
            *cost_head(
                must("issueDate", Kind.DATE),
                may("reference", Kind.STRING, longest=45),
                may("note", Kind.STRING),
                must("currency", Kind.STRING, Check.BASE_CURRENCY),
                must("totalAmount", Kind.NUMBER),
            ),
            *reference("contactRef", Check.CONTACT),
            must("paymentAllocations", Kind.ARRAY, Check.ONE_ITEM),
            *cost_payment(
                Check.BANK_ACCOUNT,
                must("paymentAllocations.allocation", Kind.OBJECT),
                must("paymentAllocations.allocation.totalAmount", Kind.NUMBER, Check.SUM_OF_LINES),
            ),
            must("lineItems", Kind.ARRAY),
            *cost_lines(
                (Check.ACCOUNT,),
                may("lineItems.description", Kind.STRING, longest=1000),
                must("lineItems.quantity", Kind.NUMBER),
                must("lineItems.unitAmount", Kind.NUMBER),
            ),
        ),
    ),
}
