"""A loan's step as the request it sends: which account plays which part, and what the record says of itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import assert_never

from worker.codat import payloads
from worker.codat.platforms import Traits
from worker.codat.records import RecordKind, push_path, segment
from worker.errors import Bug
from worker.writeback.mapping import Mapping
from worker.writeback.plan import Purpose, StepKind, movement_name
from worker.writeback.situation import Request, Saga, Step


@dataclass(frozen=True, slots=True)
class Posting:
    """When a record is dated, and for a statement line the balance after it (minor units).

    ``record_id`` is the record to delete, where a step deletes one.
    """

    day: date
    balance: int | None = None
    record_id: str | None = None


def compose(saga: Saga, step: Step, mapping: Mapping, traits: Traits, posting: Posting) -> Request:
    """The request of one step of a loan's saga; the same arguments give the same bytes."""
    match step.kind:
        case StepKind.TRANSFER:
            return _transfer(saga, step, mapping, traits, posting)
        case StepKind.DIRECT_COST:
            return _direct_cost(saga, step, mapping, traits, posting)
        case StepKind.BANK_TRANSACTION:
            return _bank_transaction(saga, step, mapping, traits, posting)
        case StepKind.DELETE_DIRECT_COST:
            return Request(f"push/directCosts/{segment(posting.record_id or '')}", b"", posting.day)
        case (
            StepKind.CREATE_BANK_ACCOUNT
            | StepKind.CREATE_ACCOUNT
            | StepKind.CREATE_SUPPLIER
            | StepKind.CREATE_SOURCE_ACCOUNT
            | StepKind.MAP_SOURCE_ACCOUNT
        ):
            raise Bug(f"a loan's saga holds the mapping step {step.kind}")
        case _:
            assert_never(step.kind)


def description(saga: Saga, step: Step, day: date) -> str:
    """The record in a bookkeeper's words: loan, movement, and the true date where the record carries a later one."""
    if saga.movement is None or saga.loan_id is None:
        raise Bug(f"saga {saga.id} has no movement")
    words = [saga.loan_id, movement_name(saga.movement)]
    if step.purpose in (Purpose.COST, Purpose.FEE):
        words.append(step.purpose)
    text = " ".join(words)
    return text if day == saga.effective_date else f"effective {saga.effective_date.isoformat()} {text}"


def _transfer(saga: Saga, step: Step, mapping: Mapping, traits: Traits, posting: Posting) -> Request:
    lender, borrower = mapping.lender_account_id, mapping.borrower_account_id
    source, target = (lender, borrower) if step.amount < 0 else (borrower, lender)
    body = payloads.TransferBody(
        reference=step.reference,
        description=description(saga, step, posting.day),
        date=posting.day,
        amount=abs(step.amount),
        currency=step.currency,
        from_account_id=source,
        to_account_id=target,
        contact_id=mapping.supplier_id if traits.transfer_needs_contact else None,
    )
    path = push_path(RecordKind.TRANSFER, on_premise=traits.on_premise)
    return Request(path, payloads.transfer(body, traits, mapping.profile), posting.day)


def _direct_cost(saga: Saga, step: Step, mapping: Mapping, traits: Traits, posting: Posting) -> Request:
    body = payloads.DirectCostBody(
        reference=step.reference,
        description=description(saga, step, posting.day),
        date=posting.day,
        amount=-step.amount,
        currency=step.currency,
        supplier_id=mapping.supplier_id,
        supplier_name=mapping.supplier_name,
        expense_account_id=mapping.expense_account_id,
        paid_from_account_id=mapping.lender_account_id,
        tax_rate_id=mapping.tax_rate_id,
    )
    path = push_path(RecordKind.DIRECT_COST, on_premise=traits.on_premise)
    return Request(path, payloads.direct_cost(body, traits, mapping.profile), posting.day)


def _bank_transaction(saga: Saga, step: Step, mapping: Mapping, traits: Traits, posting: Posting) -> Request:
    body = payloads.BankTransactionBody(
        reference=step.reference,
        description=description(saga, step, posting.day),
        date=posting.day,
        amount=step.amount,
        currency=step.currency,
        account_id=mapping.lender_feed_id,
        balance=posting.balance,
    )
    path = push_path(RecordKind.BANK_TRANSACTION, bank_account_id=mapping.lender_feed_id, on_premise=traits.on_premise)
    return Request(path, payloads.bank_transaction(body, traits, mapping.profile), posting.day, posting.balance)
