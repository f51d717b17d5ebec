"""Bank lines: which account takes them, what its feed refuses, and how they reach the statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from worker.money import AmountError, parse_minor
from worker.simulator.books import Line, Statement, major
from worker.simulator.models.shapes import BANK_TRANSACTIONS
from worker.simulator.platforms import FeedRules
from worker.simulator.rules import DataType
from worker.simulator.validation import VALIDATORS, violations
from worker.simulator.wire import Document, ValidationItem, read_date
from worker.simulator.world import Connection, FeedStatus, SourceAccount
from worker.simulator.writes import Desk, Outcome, Refused, Written, lock_violation

MAX_LINES: Final = 1000
"""Lines one request may carry."""

_SIGNED: Final = ("Credit", "Debit")
_VALIDATOR: Final = VALIDATORS[DataType.BANK_TRANSACTIONS]


@dataclass(frozen=True, slots=True)
class Target:
    """Where lines go. A plain bank account has neither ``source`` nor ``rules``."""

    account_id: str
    currency: str
    source: SourceAccount | None
    rules: FeedRules | None


def find_target(desk: Desk, connection: Connection, account_id: str) -> Target | None:
    """The source account of this id or, where the connection carries no feeds, the bank account; None when neither."""
    source = connection.sources.get(account_id)
    if source is not None:
        return Target(account_id, source.currency, source, desk.platform.feed)
    account = desk.books.open_account(account_id)
    if account is None or not account.is_bank:
        return None
    return Target(account_id, account.currency, None, desk.platform.feed)


def write_bank_transactions(desk: Desk, target: Target, body: Document) -> Outcome:
    """Puts lines on the statement, all or none, and leaves the ledger alone.

    A line whose id the statement has already is put there again and marked: its sender really sent it twice.
    """
    broken = violations(BANK_TRANSACTIONS, DataType.BANK_TRANSACTIONS, body, desk.books)
    broken += [ValidationItem("AccountId", text, _VALIDATOR) for text in _unready(target)]
    if broken:
        return Refused(tuple(broken))
    statement = desk.books.statements.get(target.account_id) or _new_statement(target)
    try:
        lines = _lines(desk, statement, body["transactions"])
    except AmountError as error:
        return Refused((ValidationItem("Transactions", str(error), _VALIDATOR),))
    broken = [ValidationItem(item, text, _VALIDATOR) for item, text in _refusals(desk, target, statement, lines)]
    for index, line in enumerate(lines):
        item = f"Transactions[{index}].Date"
        broken += lock_violation(desk.books, DataType.BANK_TRANSACTIONS, item, line.day)
    if broken:
        return Refused(tuple(broken))
    statement.lines += lines
    desk.books.statements[target.account_id] = statement
    if target.source is not None:
        reported = statement.reported_balance
        balance = statement.balance if reported is None else reported
        target.source.body["balance"] = major(balance, statement.currency)
    return Written(lines[0].id, DataType.BANK_TRANSACTIONS)


def _unready(target: Target) -> Iterator[str]:
    if target.source is None:
        if target.rules is not None:
            yield "AccountId: has to be a source account; this platform takes lines through its bank feed."
    elif target.source.status is not FeedStatus.CONNECTED:
        yield f"AccountId: the source account is {target.source.status}, and has to be connected."


def _new_statement(target: Target) -> Statement:
    opening = str((target.source.body.get("balance") if target.source else None) or 0)
    return Statement(target.account_id, target.currency, parse_minor(opening, target.currency))


def _lines(desk: Desk, statement: Statement, items: list[Document]) -> list[Line]:
    known = {line.id: index for index, line in reversed(list(enumerate(statement.lines)))}
    lines = []
    for index, item in enumerate(items, len(statement.lines)):
        balance = item.get("balance")
        amount = parse_minor(str(item["amount"]), statement.currency)
        lines.append(
            Line(
                id=item["id"],
                day=read_date(item["date"]) or date.min,
                amount=amount,
                balance=None if balance is None else parse_minor(str(balance), statement.currency),
                description=item.get("description"),
                kind=item.get("transactionType") or ("Credit" if amount >= 0 else "Debit"),
                written_at=desk.now(),
                duplicate_of=known.get(item["id"]),
            )
        )
        known.setdefault(item["id"], index)
    return lines


def _refusals(desk: Desk, target: Target, statement: Statement, lines: list[Line]) -> Iterator[tuple[str, str]]:
    rules = target.rules
    if rules is None or target.source is None:
        return
    today, start = desk.now().date(), target.source.start
    newest = statement.newest_day if rules.newest_first_refused else None
    for index, line in enumerate(lines):
        name = f"Transactions[{index}]"
        if index and line.day < lines[index - 1].day:
            yield f"{name}.Date", "Lines of one request have to be in date order."
        if line.day > today:
            yield f"{name}.Date", "A date may not be in the future."
        if rules.oldest is not None and line.day < today - rules.oldest:
            yield f"{name}.Date", f"A date may be at most {rules.oldest.days} days ago."
        if newest is not None and line.day < newest:
            yield f"{name}.Date", f"A line may not be older than the newest one, of {newest}."
        if rules.before_start is not None and start is not None and line.day < start - rules.before_start:
            yield f"{name}.Date", f"A date may be at most {rules.before_start.days} days before the feed's start."
        if rules.balance_required and line.balance is None:
            yield f"{name}.Balance", "The balance has to be provided."
        if rules.sign_follows_type and (line.amount < 0) == (line.kind == "Credit") and line.kind in _SIGNED:
            yield f"{name}.Amount", f"The sign does not agree with the type {line.kind}."
