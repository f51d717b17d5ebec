"""Request bodies: what a step wants written, as the exact bytes that are sent, stored and sent again.

The same input gives the same bytes for ever, because Codat answers 422 to a key that returns with another body. Amounts
come in minor units and leave as exact decimal numbers. Texts end in the step's own reference, so that the record can be
found again in the borrower's books; what stands before it is cut at the platform's limit always in the same place.

Under ``codat-2023`` a body is the guide's request field by field (with the schema's names, and the ``subTotal`` the
schema demands); a field beyond it is sent only where the platform refuses the record without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Final

import msgspec

from worker.codat.platforms import BANK_LINE_LENGTH, BANK_TRANSACTION_ID_LENGTH, Traits
from worker.codat.profiles import Profile
from worker.money import format_major
from worker.wire import encode_body

GUIDE_LINE_DESCRIPTION: Final = "Fees and/or interest"
"""The line of a direct cost in Codat's guide of 2023."""

DIGEST_CHARACTERS: Final = 8
"""Characters of digest that keep a shortened reference unique: 32 bits, ample among the records of one borrower."""


@dataclass(frozen=True, slots=True)
class TransferBody:
    """Money moved between two accounts of the borrower's books; ``amount`` is positive minor units."""

    reference: str
    description: str
    date: date
    amount: int
    currency: str
    from_account_id: str
    to_account_id: str
    contact_id: str | None = None


@dataclass(frozen=True, slots=True)
class DirectCostBody:
    """A cost paid at once; a negative ``amount`` (minor units) gives the cost back."""

    reference: str
    description: str
    date: date
    amount: int
    currency: str
    supplier_id: str
    supplier_name: str
    expense_account_id: str
    paid_from_account_id: str
    tax_rate_id: str | None = None


@dataclass(frozen=True, slots=True)
class BankTransactionBody:
    """One line on a bank statement: ``amount`` is signed minor units, ``balance`` the statement's after it."""

    reference: str
    description: str
    date: date
    amount: int
    currency: str
    account_id: str
    balance: int | None = None


@dataclass(frozen=True, slots=True)
class BankAccountBody:
    """A bank account to be created in the borrower's books."""

    name: str
    currency: str
    account_number: str | None = None
    sort_code: str | None = None
    nominal_code: str | None = None
    institution: str | None = None


@dataclass(frozen=True, slots=True)
class SourceAccountBody:
    """The lender's account at the source of a bank feed; ``balance`` is minor units, ``id`` is ours to choose."""

    id: str
    name: str
    account_number: str
    currency: str
    balance: int = 0
    sort_code: str | None = None


@dataclass(frozen=True, slots=True)
class FeedMappingBody:
    """Which account of the books a source account feeds; without a target the platform creates one."""

    source_account_id: str
    target_account_id: str | None = None
    feed_start: date | None = None


@dataclass(frozen=True, slots=True)
class AccountBody:
    """An expense account to be created; without ``category`` the platform's usual one for overheads is taken."""

    name: str
    nominal_code: str | None = None
    category: str | None = None
    description: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class SupplierBody:
    """The lender as a supplier of the borrower."""

    name: str
    currency: str | None = None
    contact_name: str | None = None
    email: str | None = None
    phone: str | None = None
    registration_number: str | None = None


def shorten(reference: str, limit: int) -> str:
    """The reference within ``limit`` characters; a longer one keeps its beginning and ends in a digest of the whole.

    So two references that begin alike stay two, and the same one is always cut to the same text.
    """
    if len(reference) <= limit:
        return reference
    digest = blake2b(reference.encode(), digest_size=DIGEST_CHARACTERS // 2).hexdigest()
    return f"{reference[: max(limit - DIGEST_CHARACTERS - 1, 0)]}-{digest}"[-limit:] if limit > 0 else ""


def narrative(reference: str, description: str, limit: int) -> str:
    """As much of the description as fits, which is what a bookkeeper reads, and the reference last and whole.

    Empty where the platform keeps no such text.
    """
    mark = shorten(reference, limit)
    room = max(limit - len(mark) - 1, 0)
    return f"{description[:room].rstrip()} {mark}".strip()


def bank_transaction_id(reference: str) -> str:
    """The id of a bank line: the step's reference, so the same step can never make two lines."""
    return shorten(reference, BANK_TRANSACTION_ID_LENGTH)


def transfer(body: TransferBody, traits: Traits, profile: Profile) -> bytes:
    """The body of ``push/transfers``."""

    def side(account_id: str) -> dict[str, object]:
        account = _present({"id": account_id, "dataType": traits.transfer_account_data_type})
        amount = _amount_number(body.amount, body.currency)
        return _present(
            {
                "accountRef": account,
                "amount": amount,
                "currency": body.currency,
                "status": traits.transfer_side_status,
            }
        )

    text = narrative(body.reference, body.description, traits.transfer_description_length)
    contact = {"id": body.contact_id, "dataType": "suppliers"} if traits.transfer_needs_contact else None
    return encode_body(
        _present(
            {
                "date": _date_text(body.date),
                "from": side(body.from_account_id),
                "to": side(body.to_account_id),
                "description": None if profile is Profile.CODAT_2023 else text or None,
                "contactRef": contact,
            }
        )
    )


def bank_transaction(body: BankTransactionBody, traits: Traits, profile: Profile) -> bytes:
    """The body of ``push/bankAccounts/{account}/bankTransactions``: one line, since a batch may succeed in part."""
    send_balance = body.balance is not None and (traits.feed.balance_required or profile is not Profile.CODAT_2023)
    line = {
        "id": bank_transaction_id(body.reference),
        "amount": _amount_number(body.amount, body.currency),
        "date": _date_text(body.date),
        "description": narrative(body.reference, body.description, BANK_LINE_LENGTH),
        "balance": _amount_number(body.balance or 0, body.currency) if send_balance else None,
    }
    return encode_body({"accountId": body.account_id, "transactions": [_present(line)]})


def direct_cost(body: DirectCostBody, traits: Traits, profile: Profile) -> bytes:
    """The body of ``push/directCosts``: one line, paid in full from the lender's account on the same day."""
    literal = profile is Profile.CODAT_2023
    amount, reference = _amount_number(body.amount, body.currency), body.reference
    contact = {"id": body.supplier_id, "dataType": "suppliers"} if literal or traits.direct_cost_contact else None
    return encode_body(
        _present(
            {
                "issueDate": _date_text(body.date),
                "currency": body.currency,
                "currencyRate": 1 if traits.direct_cost_currency_rate_required else None,
                "reference": None if literal else shorten(reference, traits.direct_cost_reference_length) or None,
                "note": _direct_cost_note(body, traits, literal=literal),
                "subTotal": amount,
                "taxAmount": 0,
                "totalAmount": amount,
                "contactRef": contact,
                "paymentAllocations": [_payment(body, traits, literal=literal)],
                "lineItems": [_direct_cost_line(body, traits, literal=literal)],
            }
        )
    )


def _direct_cost_note(body: DirectCostBody, traits: Traits, *, literal: bool) -> str | None:
    if literal and not traits.direct_cost_note_required:
        return None
    if traits.direct_cost_note_is_payee:
        return body.supplier_name[: traits.direct_cost_note_length]
    return narrative(body.reference, body.description, traits.direct_cost_note_length) or None


def _direct_cost_line(body: DirectCostBody, traits: Traits, *, literal: bool) -> dict[str, object]:
    amount = _amount_number(body.amount, body.currency)
    text = narrative(body.reference, body.description, traits.line_description_length)
    tax_rate = body.tax_rate_id or traits.untaxed_rate_id
    return _present(
        {
            "description": GUIDE_LINE_DESCRIPTION if literal else text or None,
            "quantity": 1,
            "unitAmount": amount,
            "subTotal": None if literal else amount,
            "taxAmount": 0,
            "totalAmount": None if literal else amount,
            "accountRef": {"id": body.expense_account_id},
            "taxRateRef": {"id": tax_rate} if tax_rate else None,
        }
    )


def _payment(body: DirectCostBody, traits: Traits, *, literal: bool) -> dict[str, object]:
    amount, day = _amount_number(body.amount, body.currency), _date_text(body.date)
    payment: dict[str, object] = {"accountRef": {"id": body.paid_from_account_id}}
    allocation: dict[str, object] = {"totalAmount": amount}
    if not literal:
        payment |= {"currency": body.currency, "paidOnDate": day, "totalAmount": amount}
        allocation = {"currency": body.currency, "allocatedOnDate": day} | allocation
    elif traits.direct_cost_paid_on_required:
        payment |= {"paidOnDate": day}
    return {"payment": payment, "allocation": allocation}


def bank_account(body: BankAccountBody) -> bytes:
    """The body of ``push/bankAccounts``: the lender's virtual account, which owes money and is therefore of credit."""
    return encode_body(
        _present(
            {
                "accountName": body.name,
                "accountType": "Credit",
                "nominalCode": body.nominal_code,
                "accountNumber": body.account_number,
                "sortCode": body.sort_code,
                "currency": body.currency,
                "institution": body.institution,
            }
        )
    )


def source_account(body: SourceAccountBody) -> bytes:
    """The body of ``connectionInfo/bankFeedAccounts`` (second version, whose account types include loans)."""
    return encode_body(
        _present(
            {
                "id": body.id,
                "accountName": body.name,
                "accountType": "loan",
                "accountNumber": body.account_number,
                "sortCode": body.sort_code,
                "currency": body.currency,
                "balance": _amount_number(body.balance, body.currency),
            }
        )
    )


def feed_mapping(body: FeedMappingBody) -> bytes:
    """The body of ``bankFeedAccounts/mapping``."""
    return encode_body(
        _present(
            {
                "sourceAccountId": body.source_account_id,
                "targetAccountId": body.target_account_id,
                "feedStartDate": _date_text(body.feed_start) if body.feed_start else None,
            }
        )
    )


def account(body: AccountBody, traits: Traits) -> bytes:
    """The body of ``push/accounts``."""
    return encode_body(
        _present(
            {
                "nominalCode": body.nominal_code,
                "name": body.name,
                "description": body.description,
                "fullyQualifiedCategory": body.category or traits.expense_category,
                "currency": body.currency,
                "type": "Expense",
                "status": "Active",
            }
        )
    )


def supplier(body: SupplierBody) -> bytes:
    """The body of ``push/suppliers``."""
    return encode_body(
        _present(
            {
                "contactName": body.contact_name,
                "defaultCurrency": body.currency,
                "emailAddress": body.email,
                "phone": body.phone,
                "registrationNumber": body.registration_number,
                "status": "Active",
                "supplierName": body.name,
            }
        )
    )


def _present(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields that have a value, in order: Codat takes an absent field better than a null one."""
    return {name: value for name, value in fields.items() if value is not None}


def _amount_number(minor: int, currency: str) -> msgspec.Raw:
    """Minor units as the text of a JSON number in major units: ``-40000`` GBP is ``-400.00``."""
    return msgspec.Raw(format_major(minor, currency).encode("ascii"))


def _date_text(day: date) -> str:
    """A business day as Codat's DateTime: midnight, marked UTC, so that its text is the same whenever it is built.

    Codat's schema asks for a date and a time, and its own samples write midnight UTC. The day is the business day, so
    no time zone is ever applied to it here.
    """
    return f"{day.isoformat()}T00:00:00Z"
