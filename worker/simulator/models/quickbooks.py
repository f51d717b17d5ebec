"""QuickBooks Online: short references, one payment, a tax rate on every line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from worker.simulator.models.shapes import address, cost_head, cost_lines, cost_payment, reference, transfer_sides
from worker.simulator.rules import Check, DataType, Kind, Model, may, must

_CATEGORIES: Final = (
    *(f"Asset.Bank.{name}" for name in ("CashOnHand", "Checking", "Savings", "CashAndCashEquivalents")),
    *(f"Asset.Other Current Asset.{name}" for name in ("OtherCurrentAssets", "PrepaidExpenses", "UndepositedFunds")),
    *(f"Liability.Other Current Liability.{name}" for name in ("LoanPayable", "LineOfCredit")),
    *(f"Liability.Long Term Liability.{name}" for name in ("NotesPayable", "OtherLongTermLiabilities")),
    *(f"Expense.Expense.{name}" for name in ("BankCharges", "InterestPaid", "OfficeGeneralAdministrativeExpenses")),
    *(f"Income.Income.{name}" for name in ("SalesOfProductIncome", "ServiceFeeIncome")),
)


QUICKBOOKS: Final[Mapping[DataType, Model]] = {
    DataType.BANK_ACCOUNTS: Model(
        "Bank account",
        (
            must("accountName", Kind.STRING, longest=100),
            must("accountNumber", Kind.STRING),
            must("currency", Kind.STRING, Check.BASE_CURRENCY),
            may("accountType", Kind.STRING, choices=("Credit", "Debit")),
        ),
    ),
    DataType.ACCOUNTS: Model(
        "Account",
        (
            may("nominalCode", Kind.STRING, longest=7),
            must("name", Kind.STRING, longest=100),
            may("currency", Kind.STRING, Check.BASE_CURRENCY),
            may("description", Kind.STRING),
            must("fullyQualifiedCategory", Kind.STRING, choices=_CATEGORIES),
        ),
    ),
    DataType.SUPPLIERS: Model(
        "Supplier",
        (
            must("supplierName", Kind.STRING),
            *(may(name, Kind.STRING) for name in ("phone", "emailAddress", "registrationNumber", "taxNumber")),
            must("status", Kind.STRING, choices=("Active", "Archived")),
            may("addresses", Kind.ARRAY),
            *address(types=("Billing",)),
            may("defaultCurrency", Kind.STRING),
        ),
    ),
    DataType.TRANSFERS: Model(
        "Transfer",
        (
            may("description", Kind.STRING),
            may("date", Kind.DATE),
            *transfer_sides((Check.FUNDS_ACCOUNT,), (Check.EQUAL_AMOUNTS, Check.POSITIVE)),
        ),
        ("One side has to be in the company's currency; two currencies need multi-currency.",),
    ),
    DataType.DIRECT_COSTS: Model(
        "Direct cost",
        (
            *cost_head(
                may("issueDate", Kind.DATE),
                may("reference", Kind.STRING, longest=21),
                may("currency", Kind.STRING, Check.BASE_CURRENCY),
                may("note", Kind.STRING),
            ),
            *reference("contactRef", Check.CONTACT),
            must("contactRef.dataType", Kind.STRING, choices=("suppliers",)),
            must("paymentAllocations", Kind.ARRAY, Check.ONE_ITEM),
            *cost_payment(
                Check.FUNDS_ACCOUNT,
                may("paymentAllocations.payment.totalAmount", Kind.NUMBER, Check.SUM_OF_LINES),
                may("paymentAllocations.payment.currency", Kind.STRING, Check.BASE_CURRENCY),
                may("paymentAllocations.allocation", Kind.OBJECT),
                may("paymentAllocations.allocation.totalAmount", Kind.NUMBER, Check.SUM_OF_LINES),
                may("paymentAllocations.allocation.currency", Kind.STRING, Check.BASE_CURRENCY),
            ),
            must("lineItems", Kind.ARRAY),
            *cost_lines(
                (Check.COST_ACCOUNT,),
                may("lineItems.description", Kind.STRING, longest=3999),
                must("lineItems.quantity", Kind.NUMBER),
                must("lineItems.unitAmount", Kind.NUMBER),
                must("lineItems.taxRateRef", Kind.OBJECT),
                must("lineItems.taxRateRef.id", Kind.STRING, choices=("NON", "TAX")),
            ),
        ),
    ),
}
