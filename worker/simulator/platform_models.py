"""Each platform's rules for each kind of record, as data.

They restate, in this project's words, the rules Codat publishes in its options samples and integration pages for the
data types of loan writeback. Codat's Sandbox sample marks every field of its data model as required; it is read here as
"accepts the whole model" and only what the API schema itself requires is enforced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from worker.simulator.rules import Check, DataType, Field, Kind, Model, lost, may, must

_ARRAY, _OBJECT, _STRING, _NUMBER, _DATE = Kind.ARRAY, Kind.OBJECT, Kind.STRING, Kind.NUMBER, Kind.DATE
_BOOLEAN: Final = Kind.BOOLEAN
_STATUSES: Final = ("Unknown", "Unreconciled", "Reconciled")

_XERO_CATEGORIES: Final = (
    *(f"Asset.{name}" for name in ("Current", "Fixed", "Inventory", "NonCurrent", "Prepayment")),
    *(f"Expense.{name}" for name in ("DirectCosts", "Expense", "Overhead", "Superannuation", "Wages")),
    *(f"Income.{name}" for name in ("Sales", "Revenue", "Other")),
    *(f"Liability.{name}" for name in ("Current", "Depreciation", "Liability", "NonCurrent", "PayAsYouGo")),
    *(f"Liability.{name}" for name in ("Superannuation", "WagesPayable")),
    "Equity.Equity",
)
_QUICKBOOKS_CATEGORIES: Final = (
    *(f"Asset.Bank.{name}" for name in ("CashOnHand", "Checking", "Savings", "CashAndCashEquivalents")),
    *(f"Asset.Other Current Asset.{name}" for name in ("OtherCurrentAssets", "PrepaidExpenses", "UndepositedFunds")),
    *(f"Liability.Other Current Liability.{name}" for name in ("LoanPayable", "LineOfCredit")),
    *(f"Liability.Long Term Liability.{name}" for name in ("NotesPayable", "OtherLongTermLiabilities")),
    *(f"Expense.Expense.{name}" for name in ("BankCharges", "InterestPaid", "OfficeGeneralAdministrativeExpenses")),
    *(f"Income.Income.{name}" for name in ("SalesOfProductIncome", "ServiceFeeIncome")),
)
_SAGE_CATEGORIES: Final = (
    *("SALES", "OTHER_INCOME", "DIRECT_EXPENSES", "OVERHEADS", "DEPRECIATION", "CURRENT_ASSETS", "FIXED_ASSETS"),
    *("FUTURE_ASSETS", "BANK", "CURRENT_LIABILITY", "FUTURE_LIABILITY", "EQUITY", "LINE_OF_CREDIT"),
)

BANK_TRANSACTIONS: Final = Model(
    "Bank transactions",
    (
        must("accountId", _STRING),
        must("transactions", _ARRAY),
        must("transactions.id", _STRING),
        must("transactions.amount", _NUMBER),
        must("transactions.date", _DATE),
        may("transactions.description", _STRING),
        may("transactions.balance", _NUMBER),
        may("transactions.counterparty", _STRING),
        may("transactions.reference", _STRING),
        may("transactions.reconciled", _BOOLEAN),
        may("transactions.transactionType", _STRING),
    ),
)
"""One shape for every platform; what a feed refuses beyond it is in :class:`~worker.simulator.platforms.FeedRules`."""


def _address(*required: str, types: tuple[str, ...]) -> tuple[Field, ...]:
    lines = ("line1", "line2", "city", "region", "country", "postalCode")
    limits = {"line1": 500, "line2": 500, "city": 255, "region": 255, "country": 50, "postalCode": 50}
    fields = [(must if line in required else may)(f"addresses.{line}", _STRING, longest=limits[line]) for line in lines]
    return (*fields, must("addresses.type", _STRING, choices=types)) if types else tuple(fields)


def _references(path: str, *checks: Check) -> tuple[Field, ...]:
    return must(path, _OBJECT), must(f"{path}.id", _STRING, *checks)


def _transfer_sides(account: tuple[Check, ...], amount: tuple[Check, ...], *more: str) -> tuple[Field, ...]:
    fields: list[Field] = []
    for side in ("from", "to"):
        fields += [must(side, _OBJECT), *_references(f"{side}.accountRef", *account)]
        fields += [must(f"{side}.amount", _NUMBER, *amount), may(f"{side}.currency", _STRING)]
        fields += [must(f"{side}.{name}", _STRING, choices=_STATUSES) for name in more]
    return tuple(fields)


def _cost_head(*own: Field) -> tuple[Field, ...]:
    amounts = ("subTotal", "taxAmount", "totalAmount", "currencyRate")
    named = {field.path for field in own}
    return (*own, *(may(name, _NUMBER) for name in amounts if name not in named))


def _cost_payment(account: Check, *own: Field) -> tuple[Field, ...]:
    named = {field.path for field in own}
    texts = ("payment.id", "payment.note", "payment.reference", "payment.currency", "allocation.currency")
    dates = ("payment.paidOnDate", "allocation.allocatedOnDate")
    amounts = ("payment.totalAmount", "payment.currencyRate", "allocation.totalAmount", "allocation.currencyRate")
    rest = (
        *(may(f"paymentAllocations.{name}", _STRING) for name in texts),
        *(may(f"paymentAllocations.{name}", _DATE) for name in dates),
        *(may(f"paymentAllocations.{name}", _NUMBER) for name in amounts),
    )
    return (
        must("paymentAllocations.payment", _OBJECT),
        *_references("paymentAllocations.payment.accountRef", account),
        *own,
        *(field for field in rest if field.path not in named),
    )


def _cost_lines(account: tuple[Check, ...], *own: Field) -> tuple[Field, ...]:
    named = {field.path for field in own}
    rest = (
        may("lineItems.description", _STRING),
        *(may(f"lineItems.{name}", _NUMBER) for name in ("quantity", "unitAmount", "subTotal", "taxAmount")),
        may("lineItems.totalAmount", _NUMBER),
        may("lineItems.taxRateRef", _OBJECT),
        may("lineItems.taxRateRef.id", _STRING),
    )
    return (
        *_references("lineItems.accountRef", *account),
        may("lineItems.accountRef.name", _STRING),
        *own,
        *(field for field in rest if field.path not in named),
    )


XERO: Final[Mapping[DataType, Model]] = {
    DataType.ACCOUNTS: Model(
        "Account",
        (
            must("nominalCode", _STRING, longest=10),
            must("name", _STRING),
            may("description", _STRING),
            must("fullyQualifiedCategory", _STRING, choices=_XERO_CATEGORIES),
        ),
    ),
    DataType.SUPPLIERS: Model(
        "Supplier",
        (
            must("supplierName", _STRING),
            *(may(name, _STRING) for name in ("phone", "emailAddress", "taxNumber", "defaultCurrency")),
            may("registrationNumber", _STRING, longest=50),
            may("status", _STRING, choices=("Active", "InActive")),
            may("addresses", _ARRAY),
            *_address(types=("Billing", "Delivery")),
        ),
    ),
    DataType.TRANSFERS: Model(
        "Transfer",
        (
            must("date", _DATE),
            *_transfer_sides((Check.BANK_ACCOUNT,), (Check.EQUAL_AMOUNTS, Check.POSITIVE), "status"),
        ),
    ),
    DataType.DIRECT_COSTS: Model(
        "Direct cost",
        (
            *_cost_head(
                must("issueDate", _DATE),
                may("reference", _STRING, longest=255),
                must("currency", _STRING, Check.ACCOUNT_CURRENCY),
                must("taxAmount", _NUMBER),
                must("totalAmount", _NUMBER),
            ),
            *_references("contactRef", Check.GUID, Check.CONTACT),
            must("paymentAllocations", _ARRAY),
            *_cost_payment(
                Check.BANK_ACCOUNT,
                must("paymentAllocations.allocation", _OBJECT),
                must("paymentAllocations.allocation.totalAmount", _NUMBER, Check.SUM_OF_LINES),
            ),
            must("lineItems", _ARRAY, Check.SAME_SIGN),
            *_cost_lines(
                (Check.GUID, Check.ACCOUNT),
                may("lineItems.description", _STRING, longest=4000),
                must("lineItems.quantity", _NUMBER),
                must("lineItems.unitAmount", _NUMBER),
                must("lineItems.taxAmount", _NUMBER),
            ),
        ),
        ("A direct cost with negative lines is booked as a direct income.",),
    ),
}

QUICKBOOKS: Final[Mapping[DataType, Model]] = {
    DataType.BANK_ACCOUNTS: Model(
        "Bank account",
        (
            must("accountName", _STRING, longest=100),
            must("accountNumber", _STRING),
            must("currency", _STRING, Check.BASE_CURRENCY),
            may("accountType", _STRING, choices=("Credit", "Debit")),
        ),
    ),
    DataType.ACCOUNTS: Model(
        "Account",
        (
            may("nominalCode", _STRING, longest=7),
            must("name", _STRING, longest=100),
            may("currency", _STRING, Check.BASE_CURRENCY),
            may("description", _STRING),
            must("fullyQualifiedCategory", _STRING, choices=_QUICKBOOKS_CATEGORIES),
        ),
    ),
    DataType.SUPPLIERS: Model(
        "Supplier",
        (
            must("supplierName", _STRING),
            *(may(name, _STRING) for name in ("phone", "emailAddress", "registrationNumber", "taxNumber")),
            must("status", _STRING, choices=("Active", "Archived")),
            may("addresses", _ARRAY),
            *_address(types=("Billing",)),
            may("defaultCurrency", _STRING),
        ),
    ),
    DataType.TRANSFERS: Model(
        "Transfer",
        (
            may("description", _STRING),
            may("date", _DATE),
            *_transfer_sides((Check.FUNDS_ACCOUNT,), (Check.EQUAL_AMOUNTS, Check.POSITIVE)),
        ),
        ("One side has to be in the company's currency; two currencies need multi-currency.",),
    ),
    DataType.DIRECT_COSTS: Model(
        "Direct cost",
        (
            *_cost_head(
                may("issueDate", _DATE),
                may("reference", _STRING, longest=21),
                may("currency", _STRING, Check.BASE_CURRENCY),
                may("note", _STRING),
            ),
            *_references("contactRef", Check.CONTACT),
            must("contactRef.dataType", _STRING, choices=("suppliers",)),
            must("paymentAllocations", _ARRAY, Check.ONE_ITEM),
            *_cost_payment(
                Check.FUNDS_ACCOUNT,
                may("paymentAllocations.payment.totalAmount", _NUMBER, Check.SUM_OF_LINES),
                may("paymentAllocations.payment.currency", _STRING, Check.BASE_CURRENCY),
                may("paymentAllocations.allocation", _OBJECT),
                may("paymentAllocations.allocation.totalAmount", _NUMBER, Check.SUM_OF_LINES),
                may("paymentAllocations.allocation.currency", _STRING, Check.BASE_CURRENCY),
            ),
            must("lineItems", _ARRAY),
            *_cost_lines(
                (Check.COST_ACCOUNT,),
                may("lineItems.description", _STRING, longest=3999),
                must("lineItems.quantity", _NUMBER),
                must("lineItems.unitAmount", _NUMBER),
                must("lineItems.taxRateRef", _OBJECT),
                must("lineItems.taxRateRef.id", _STRING, choices=("NON", "TAX")),
            ),
        ),
    ),
}

SAGE: Final[Mapping[DataType, Model]] = {
    DataType.BANK_ACCOUNTS: Model(
        "Bank account",
        (
            must("accountName", _STRING, longest=50),
            must("currency", _STRING, Check.BASE_CURRENCY),
            may("accountType", _STRING, choices=("Credit", "Debit")),
            may("sortCode", _STRING, Check.SIX_DIGITS),
            may("accountNumber", _STRING, longest=25),
            may("iBan", _STRING, longest=34),
            may("nominalCode", _STRING, Check.NOMINAL_NUMBER),
        ),
    ),
    DataType.ACCOUNTS: Model(
        "Account",
        (
            must("name", _STRING, longest=200),
            must("nominalCode", _STRING, Check.NOMINAL_NUMBER),
            must("fullyQualifiedCategory", _STRING, choices=_SAGE_CATEGORIES),
        ),
    ),
    DataType.SUPPLIERS: Model(
        "Supplier",
        (
            must("supplierName", _STRING),
            *(may(name, _STRING) for name in ("contactName", "emailAddress", "phone", "taxNumber")),
            may("addresses", _ARRAY, Check.AT_MOST_ONE_ITEM),
            *_address("line1", types=()),
        ),
    ),
    DataType.TRANSFERS: Model(
        "Transfer",
        (
            lost("description", _STRING, longest=2000),
            must("date", _DATE),
            *_transfer_sides(
                (Check.BANK_ACCOUNT, Check.BASE_CURRENCY_ACCOUNT, Check.OTHER_ACCOUNT),
                (Check.EQUAL_AMOUNTS, Check.POSITIVE),
            ),
        ),
        ("A description survives only on a deposit of cash, which a transfer between bank accounts is not.",),
    ),
    DataType.DIRECT_COSTS: Model(
        "Direct cost",
        (
            *_cost_head(
                must("issueDate", _DATE),
                may("reference", _STRING, longest=45),
                may("note", _STRING),
                must("currency", _STRING, Check.BASE_CURRENCY),
                must("totalAmount", _NUMBER),
            ),
            *_references("contactRef", Check.CONTACT),
            must("paymentAllocations", _ARRAY, Check.ONE_ITEM),
            *_cost_payment(
                Check.BANK_ACCOUNT,
                must("paymentAllocations.allocation", _OBJECT),
                must("paymentAllocations.allocation.totalAmount", _NUMBER, Check.SUM_OF_LINES),
            ),
            must("lineItems", _ARRAY),
            *_cost_lines(
                (Check.ACCOUNT,),
                may("lineItems.description", _STRING, longest=1000),
                must("lineItems.quantity", _NUMBER),
                must("lineItems.unitAmount", _NUMBER),
            ),
        ),
    ),
}

FREEAGENT: Final[Mapping[DataType, Model]] = {
    DataType.BANK_ACCOUNTS: Model(
        "Bank account",
        (
            must("accountName", _STRING),
            may("accountType", _STRING, choices=("Credit", "Debit")),
            may("sortCode", _STRING, longest=8),
            *(may(name, _STRING) for name in ("accountNumber", "iBan", "institution")),
            must("currency", _STRING, Check.BASE_CURRENCY),
            may("balance", _NUMBER),
        ),
    ),
    DataType.SUPPLIERS: Model(
        "Supplier",
        (
            must("supplierName", _STRING),
            must("status", _STRING, choices=("Active", "Archived")),
            may("addresses", _ARRAY, Check.AT_MOST_ONE_ITEM),
            *_address("line1", types=()),
            *(may(name, _STRING) for name in ("contactName", "emailAddress", "taxNumber")),
        ),
    ),
    DataType.TRANSFERS: Model(
        "Transfer",
        (
            must("date", _DATE),
            *_transfer_sides((Check.BANK_ACCOUNT,), (Check.EQUAL_AMOUNTS, Check.POSITIVE)),
        ),
    ),
    DataType.DIRECT_COSTS: Model(
        "Direct cost",
        (
            *_cost_head(
                lost("id", _STRING),
                lost("reference", _STRING),
                must("note", _STRING),
                must("issueDate", _DATE),
                may("currency", _STRING, Check.ACCOUNT_CURRENCY),
            ),
            lost("contactRef", _OBJECT),
            must("lineItems", _ARRAY, Check.ONE_ITEM),
            *_cost_lines((Check.ACCOUNT,), lost("lineItems.description", _STRING)),
            must("paymentAllocations", _ARRAY),
            *_cost_payment(Check.BANK_ACCOUNT, may("paymentAllocations.allocation", _OBJECT)),
        ),
    ),
}

SANDBOX: Final[Mapping[DataType, Model]] = {
    DataType.BANK_ACCOUNTS: Model(
        "Bank account",
        (
            must("accountName", _STRING),
            may("accountType", _STRING, choices=("Unknown", "Credit", "Debit")),
            *(may(name, _STRING) for name in ("nominalCode", "sortCode", "accountNumber", "iBan", "institution")),
            must("currency", _STRING, Check.BASE_CURRENCY),
            *(may(name, _NUMBER) for name in ("balance", "availableBalance", "overdraftLimit")),
        ),
    ),
    DataType.ACCOUNTS: Model(
        "Account",
        (
            may("nominalCode", _STRING),
            must("name", _STRING),
            *(may(name, _STRING) for name in ("description", "fullyQualifiedCategory", "fullyQualifiedName")),
            may("currency", _STRING, Check.BASE_CURRENCY),
            may("currentBalance", _NUMBER),
            may("type", _STRING, choices=("Unknown", "Asset", "Expense", "Income", "Liability", "Equity")),
            may("status", _STRING, choices=("Unknown", "Active", "Archived", "Pending")),
            may("isBankAccount", _BOOLEAN),
        ),
    ),
    DataType.SUPPLIERS: Model(
        "Supplier",
        (
            must("supplierName", _STRING),
            *(may(name, _STRING) for name in ("contactName", "emailAddress", "phone", "registrationNumber")),
            *(may(name, _STRING) for name in ("taxNumber", "defaultCurrency")),
            may("status", _STRING, choices=("Unknown", "Active", "Archived")),
            may("addresses", _ARRAY),
            *_address(types=("Unknown", "Billing", "Delivery")),
        ),
    ),
    DataType.TRANSFERS: Model(
        "Transfer",
        (
            may("description", _STRING),
            may("contactRef", _OBJECT),
            may("contactRef.id", _STRING, Check.CONTACT),
            may("contactRef.dataType", _STRING),
            must("date", _DATE),
            *_transfer_sides((Check.FUNDS_ACCOUNT,), (Check.EQUAL_AMOUNTS, Check.POSITIVE)),
        ),
    ),
    DataType.DIRECT_COSTS: Model(
        "Direct cost",
        (
            *_cost_head(
                may("reference", _STRING),
                may("note", _STRING),
                must("issueDate", _DATE),
                must("currency", _STRING, Check.ACCOUNT_CURRENCY),
                must("subTotal", _NUMBER),
                must("taxAmount", _NUMBER),
                must("totalAmount", _NUMBER, Check.SUM_OF_LINES),
            ),
            may("contactRef", _OBJECT),
            may("contactRef.id", _STRING, Check.CONTACT),
            may("contactRef.dataType", _STRING),
            must("paymentAllocations", _ARRAY),
            *_cost_payment(
                Check.FUNDS_ACCOUNT,
                must("paymentAllocations.allocation", _OBJECT),
                may("paymentAllocations.allocation.totalAmount", _NUMBER, Check.SUM_OF_LINES),
            ),
            must("lineItems", _ARRAY),
            *_cost_lines(
                (Check.ACCOUNT,),
                must("lineItems.quantity", _NUMBER),
                must("lineItems.unitAmount", _NUMBER),
            ),
        ),
    ),
}
