"""The ledger as JSON documents: trial balances, statements, findings; amounts as exact major-unit text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from worker.ledger.reading import AccountBalance, ApartCount, Finding, Statement, StatementLine
from worker.ledger.transaction import Direction
from worker.money import format_minor
from worker.operations.documents import Document
from worker.operations.shapes import (
    AccountStatement,
    AccountStatements,
    DatedApart,
    StatementEntry,
    TrialBalance,
    TrialBalanceAccount,
    TrialBalanceDifference,
    TrialBalanceTotal,
)


def trial_balance_document(
    accounts: Sequence[AccountBalance], as_of: date | None, apart: ApartCount | None = None
) -> TrialBalance:
    """Every account that is not zero on the side it stands on, and each currency's totals.

    The totals are what some accounts come to in a part of a ledger. In a whole one they are equal, unless transactions
    have entries effective up to the day and others after it, as ``apart`` says; None when they are equal.
    """
    standing = [account for account in accounts if account.posted or account.pending]
    units = sorted({(account.currency, account.exponent) for account in standing})
    return {
        "as_of": as_of.isoformat() if as_of else None,
        "accounts": [_trial_line(account) for account in standing],
        "totals": [_trial_total(standing, unit) for unit in units],
        "dated_apart": None if apart is None else _dated_apart(standing, apart),
    }


def differences(accounts: Iterable[AccountBalance]) -> dict[tuple[str, int], int]:
    """By how many minor units debits exceed credits, in each currency (and exponent) where they differ at all."""
    sums: dict[tuple[str, int], int] = {}
    for account in accounts:
        unit = account.currency, account.exponent
        sums[unit] = sums.get(unit, 0) + _debit(account)
    return {unit: difference for unit, difference in sorted(sums.items()) if difference}


def statement_document(statement: Statement, first: date, last: date) -> AccountStatement:
    """An account over a period, both days included: where it began, every entry, where it ended.

    Balances and totals are of what is posted: the opening balance and the totals make the closing balance.
    """
    account = statement.opening
    before, after = account.sums, statement.closing.sums
    return {
        "ledger_account_id": str(account.account_id),
        "external_id": account.external_id,
        "name": account.name,
        "normal_balance": account.normal_balance,
        "currency": account.currency,
        "currency_exponent": account.exponent,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "opening_balance": _amount(account.posted, account),
        "lines": [_statement_line(line, account) for line in statement.lines],
        "total_debit": _amount(after.posted_debits - before.posted_debits, account),
        "total_credit": _amount(after.posted_credits - before.posted_credits, account),
        "closing_balance": _amount(statement.closing.posted, account),
    }


def statements_document(statements: Sequence[Statement], first: date, last: date) -> AccountStatements:
    """Several accounts over the same period."""
    return {"statements": [statement_document(statement, first, last) for statement in statements]}


def finding_document(finding: Finding) -> Document:
    """Something in the ledger that breaks the books."""
    return {"audit": finding.audit.value, "row": finding.row, "detail": finding.detail}


def _trial_line(account: AccountBalance) -> TrialBalanceAccount:
    debit = _debit(account)
    return {
        "ledger_account_id": str(account.account_id),
        "external_id": account.external_id,
        "name": account.name,
        "currency": account.currency,
        "currency_exponent": account.exponent,
        "debit": _amount(max(debit, 0), account),
        "credit": _amount(max(-debit, 0), account),
        "pending": _amount(account.pending, account),
    }


def _trial_total(accounts: Sequence[AccountBalance], unit: tuple[str, int]) -> TrialBalanceTotal:
    currency, exponent = unit
    debits = [_debit(account) for account in accounts if (account.currency, account.exponent) == unit]
    return {
        "currency": currency,
        "currency_exponent": exponent,
        "debit": format_minor(sum(max(debit, 0) for debit in debits), exponent),
        "credit": format_minor(sum(max(-debit, 0) for debit in debits), exponent),
    }


def _dated_apart(accounts: Sequence[AccountBalance], apart: ApartCount) -> DatedApart:
    return {
        "transactions": apart.transactions,
        "differences": [_difference(unit, minor) for unit, minor in differences(accounts).items()],
    }


def _difference(unit: tuple[str, int], minor: int) -> TrialBalanceDifference:
    currency, exponent = unit
    return {"currency": currency, "currency_exponent": exponent, "difference": format_minor(minor, exponent)}


def _statement_line(line: StatementLine, account: AccountBalance) -> StatementEntry:
    amount = _amount(line.amount, account)
    debit = line.direction is Direction.DEBIT
    running = line.sums.posted_debits - line.sums.posted_credits
    posted = running if account.normal_balance is Direction.DEBIT else -running
    return {
        "effective_date": line.effective_date.isoformat(),
        "description": line.description,
        "external_id": line.external_id,
        "ledger_transaction_id": str(line.transaction_id),
        "status": line.status,
        "debit": amount if debit else None,
        "credit": None if debit else amount,
        "balance": _amount(posted, account),
    }


def _debit(account: AccountBalance) -> int:
    return account.sums.posted_debits - account.sums.posted_credits


def _amount(minor: int, account: AccountBalance) -> str:
    return format_minor(minor, account.exponent)
