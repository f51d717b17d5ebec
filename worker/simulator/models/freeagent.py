"""FreeAgent: one line and a note on a direct cost; references and contacts are lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from worker.simulator.models.shapes import address, cost_head, cost_lines, cost_payment, transfer_sides
from worker.simulator.rules import Check, DataType, Kind, Model, lost, may, must

FREEAGENT: Final[Mapping[DataType, Model]] = {
    DataType.BANK_ACCOUNTS: Model(
        "Bank account",
        (
            must("accountName", Kind.STRING),
            may("accountType", Kind.STRING, choices=("Credit", "Debit")),
            may("sortCode", Kind.STRING, longest=8),
            *(may(name, Kind.STRING) for name in ("accountNumber", "iBan", "institution")),
            must("currency", Kind.STRING, Check.BASE_CURRENCY),
            may("balance", Kind.NUMBER),
        ),
    ),
    DataType.SUPPLIERS: Model(
        "Supplier",
        (
            must("supplierName", Kind.STRING),
            must("status", Kind.STRING, choices=("Active", "Archived")),
            may("addresses", Kind.ARRAY, Check.AT_MOST_ONE_ITEM),
            *address("line1", types=()),
            *(may(name, Kind.STRING) for name in ("contactName", "emailAddress", "taxNumber")),
        ),
    ),
    DataType.TRANSFERS: Model(
        "Transfer",
        (
            must("date", Kind.DATE),
            *(
                replace(field, required=False) if field.path == "to.amount" else field
                for field in transfer_sides((Check.BANK_ACCOUNT,), (Check.EQUAL_AMOUNTS, Check.POSITIVE))
            ),
        ),
    ),
    DataType.DIRECT_COSTS: Model(
        "Direct cost",
        (
            *cost_head(
                lost("id", Kind.STRING),
                lost("reference", Kind.STRING),
                must("note", Kind.STRING),
                must("issueDate", Kind.DATE),
                may("currency", Kind.STRING, Check.ACCOUNT_CURRENCY),
            ),
            lost("contactRef", Kind.OBJECT),
            must("lineItems", Kind.ARRAY, Check.ONE_ITEM),
            *cost_lines((Check.ACCOUNT,), lost("lineItems.description", Kind.STRING)),
            must("paymentAllocations", Kind.ARRAY),
            *cost_payment(Check.BANK_ACCOUNT, may("paymentAllocations.allocation", Kind.OBJECT)),
        ),
    ),
}
