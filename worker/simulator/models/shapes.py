"""What every platform's models have in common."""

from __future__ import annotations

from typing import Final

from worker.simulator.rules import Check, Field, Kind, Model, may, must

STATUSES: Final = ("Unknown", "Unreconciled", "Reconciled")
"""Reconciliation states a side of a transfer may claim."""

BANK_TRANSACTIONS: Final = Model(
    "Bank transactions",
    (
        must("accountId", Kind.STRING),
        must("transactions", Kind.ARRAY),
        must("transactions.id", Kind.STRING),
        must("transactions.amount", Kind.NUMBER),
        must("transactions.date", Kind.DATE),
        may("transactions.description", Kind.STRING),
        may("transactions.balance", Kind.NUMBER),
        may("transactions.counterparty", Kind.STRING),
        may("transactions.reference", Kind.STRING),
        may("transactions.reconciled", Kind.BOOLEAN),
        may("transactions.transactionType", Kind.STRING),
    ),
)
"""Statement lines: one shape for every platform, to which each feed adds its own conditions."""


def address(*required: str, types: tuple[str, ...]) -> tuple[Field, ...]:
    """The lines of ``addresses``; no types means the platform has none."""
    lines = ("line1", "line2", "city", "region", "country", "postalCode")
    limits = {"line1": 500, "line2": 500, "city": 255, "region": 255, "country": 50, "postalCode": 50}
    fields = [
        (must if line in required else may)(f"addresses.{line}", Kind.STRING, longest=limits[line]) for line in lines
    ]
    return (*fields, must("addresses.type", Kind.STRING, choices=types)) if types else tuple(fields)


def reference(path: str, *checks: Check) -> tuple[Field, ...]:
    """A reference by id to another record."""
    return must(path, Kind.OBJECT), must(f"{path}.id", Kind.STRING, *checks)


def transfer_sides(account: tuple[Check, ...], amount: tuple[Check, ...], *more: str) -> tuple[Field, ...]:
    """Both sides of a transfer, each with an account, an amount and what else the platform wants there."""
    fields: list[Field] = []
    for side in ("from", "to"):
        fields += [must(side, Kind.OBJECT), *reference(f"{side}.accountRef", *account)]
        fields += [must(f"{side}.amount", Kind.NUMBER, *amount), may(f"{side}.currency", Kind.STRING)]
        fields += [must(f"{side}.{name}", Kind.STRING, choices=STATUSES) for name in more]
    return tuple(fields)


def cost_head(*own: Field) -> tuple[Field, ...]:
    """A cost's own fields and the amounts every platform accepts."""
    amounts = ("subTotal", "taxAmount", "totalAmount", "currencyRate")
    named = {field.path for field in own}
    return (*own, *(may(name, Kind.NUMBER) for name in amounts if name not in named))


def cost_payment(account: Check, *own: Field) -> tuple[Field, ...]:
    """How a cost is paid: the platform's own fields and the rest of the schema's."""
    named = {field.path for field in own}
    texts = ("payment.id", "payment.note", "payment.reference", "payment.currency", "allocation.currency")
    dates = ("payment.paidOnDate", "allocation.allocatedOnDate")
    amounts = ("payment.totalAmount", "payment.currencyRate", "allocation.totalAmount", "allocation.currencyRate")
    rest = (
        *(may(f"paymentAllocations.{name}", Kind.STRING) for name in texts),
        *(may(f"paymentAllocations.{name}", Kind.DATE) for name in dates),
        *(may(f"paymentAllocations.{name}", Kind.NUMBER) for name in amounts),
    )
    return (
        must("paymentAllocations.payment", Kind.OBJECT),
        *reference("paymentAllocations.payment.accountRef", account),
        *own,
        *(field for field in rest if field.path not in named),
    )


def cost_lines(account: tuple[Check, ...], *own: Field) -> tuple[Field, ...]:
    """A cost's lines: the platform's own fields and the rest of the schema's."""
    named = {field.path for field in own}
    rest = (
        may("lineItems.description", Kind.STRING),
        *(may(f"lineItems.{name}", Kind.NUMBER) for name in ("quantity", "unitAmount", "subTotal", "taxAmount")),
        may("lineItems.totalAmount", Kind.NUMBER),
        may("lineItems.taxRateRef", Kind.OBJECT),
        may("lineItems.taxRateRef.id", Kind.STRING),
    )
    return (
        *reference("lineItems.accountRef", *account),
        may("lineItems.accountRef.name", Kind.STRING),
        *own,
        *(field for field in rest if field.path not in named),
    )
