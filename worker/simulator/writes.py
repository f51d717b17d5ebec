"""What a write does to the books once the accounting software gets to it: checked first, then wholly done or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from worker.money import AmountError, parse_minor
from worker.simulator.books import Account, Books, Record, major
from worker.simulator.platforms import Platform
from worker.simulator.rules import DataType, Model
from worker.simulator.validation import VALIDATORS, line_amount, paying_accounts, violations
from worker.simulator.wire import Document, ValidationItem, midnight, read_date


@dataclass(frozen=True, slots=True)
class Written:
    """The write is in the books; ``change`` is Codat's word for what happened."""

    record_id: str
    data_type: DataType
    change: str = "Created"


@dataclass(frozen=True, slots=True)
class Refused:
    """The accounting software refused the write; the books are untouched."""

    errors: tuple[ValidationItem, ...]


Outcome = Written | Refused


@dataclass(frozen=True, slots=True)
class Desk:
    """Where writes of one company are carried out."""

    books: Books
    platform: Platform
    new_id: Callable[[], str]
    now: Callable[[], datetime]


def write_transfer(desk: Desk, body: Document) -> Outcome:
    """X to Y: X goes down, Y goes up."""
    model = desk.platform.models[DataType.TRANSFERS]
    day = read_date(body.get("date")) or desk.now().date()
    broken = [*violations(model, DataType.TRANSFERS, body, desk.books), *_locked(desk, DataType.TRANSFERS, "Date", day)]
    if broken:
        return Refused(tuple(broken))
    giving = body["from"]
    taking = {"amount": giving["amount"], **body["to"]}
    source, target = (desk.books.accounts[side["accountRef"]["id"]] for side in (giving, taking))
    broken = [*_side_violations("From", source, giving), *_side_violations("To", target, taking)]
    if broken:
        return Refused(tuple(broken))
    record = {
        "description": body.get("description") if model.keeps("description") else None,
        "date": midnight(day),
        "from": _side(source, giving),
        "to": _side(target, taking),
        "status": "Unreconciled",
    }
    if model.keeps("contactRef") and body.get("contactRef"):
        record["contactRef"] = body["contactRef"]
    moves = ((source.id, -_minor(giving["amount"], source)), (target.id, _minor(taking["amount"], target)))
    return _add(desk, DataType.TRANSFERS, record, moves)


def write_direct_cost(desk: Desk, body: Document) -> Outcome:
    """The paying account goes down, each line's account goes up; negative amounts do the opposite."""
    model = desk.platform.models[DataType.DIRECT_COSTS]
    day = read_date(body.get("issueDate")) or desk.now().date()
    broken = violations(model, DataType.DIRECT_COSTS, body, desk.books)
    broken += _locked(desk, DataType.DIRECT_COSTS, "IssueDate", day)
    if broken:
        return Refused(tuple(broken))
    payer = paying_accounts(body, desk.books)[0]
    try:
        amounts = [(line["accountRef"]["id"], _minor(_worth(line, body), payer)) for line in body["lineItems"]]
    except AmountError as error:
        return Refused((ValidationItem("LineItems", str(error), VALIDATORS[DataType.DIRECT_COSTS]),))
    total = sum(amount for _, amount in amounts)
    record = _completed_cost(_kept(model, "", body), day, payer, [amount for _, amount in amounts])
    income = desk.platform.negative_cost_is_income and total < 0
    data_type = DataType.DIRECT_INCOMES if income else DataType.DIRECT_COSTS
    return _add(desk, data_type, record, ((payer.id, -total), *amounts))


def write_supplier(desk: Desk, body: Document) -> Outcome:
    """A supplier; nothing stops two of the same name."""
    model = desk.platform.models[DataType.SUPPLIERS]
    broken = violations(model, DataType.SUPPLIERS, body, desk.books)
    if broken:
        return Refused(tuple(broken))
    status = "Archived" if body.get("status") in {"Archived", "InActive"} else "Active"
    return _add(desk, DataType.SUPPLIERS, {**_kept(model, "", body), "status": status}, ())


def write_account(desk: Desk, body: Document) -> Outcome:
    """A nominal account, with a balance of zero."""
    broken = violations(desk.platform.models[DataType.ACCOUNTS], DataType.ACCOUNTS, body, desk.books)
    code = body.get("nominalCode")
    if code and any(account.nominal_code == code for account in desk.books.accounts.values()):
        broken.append(ValidationItem("NominalCode", "NominalCode: is already in use.", VALIDATORS[DataType.ACCOUNTS]))
    if broken:
        return Refused(tuple(broken))
    category = body.get("fullyQualifiedCategory") or body.get("type") or "Unknown"
    account = Account(
        id=desk.new_id(),
        name=body["name"],
        kind=body.get("type") or _kind_of(category),
        category=category,
        currency=body.get("currency") or desk.books.base_currency,
        nominal_code=code,
        created_at=desk.now(),
        is_bank=bool(body.get("isBankAccount")) or category.startswith("Asset.Bank") or category == "BANK",
        details={"description": body.get("description")},
    )
    desk.books.accounts[account.id] = account
    return Written(account.id, DataType.ACCOUNTS)


def write_bank_account(desk: Desk, body: Document) -> Outcome:
    """A bank account in the books, which is also a nominal account."""
    broken = violations(desk.platform.models[DataType.BANK_ACCOUNTS], DataType.BANK_ACCOUNTS, body, desk.books)
    try:
        opening = parse_minor(str(body.get("balance") or 0), desk.books.base_currency)
    except AmountError as error:
        broken.append(ValidationItem("Balance", str(error), VALIDATORS[DataType.BANK_ACCOUNTS]))
    if broken:
        return Refused(tuple(broken))
    account = new_bank_account(desk, body["accountName"], body["currency"], body.get("accountType") or "Debit")
    account.balance = opening
    account.nominal_code = body.get("nominalCode")
    account.details = {name: body.get(name) for name in ("sortCode", "accountNumber", "iBan", "institution")}
    return Written(account.id, DataType.BANK_ACCOUNTS)


def new_bank_account(desk: Desk, name: str, currency: str, bank_kind: str) -> Account:
    """Opens a bank account with nothing in it."""
    kind = "Liability" if bank_kind == "Credit" else "Asset"
    account = Account(desk.new_id(), name, kind, "Asset.Bank", currency, None, desk.now(), True, bank_kind)
    desk.books.accounts[account.id] = account
    return account


def delete_direct_cost(desk: Desk, record_id: str) -> Outcome:
    """Takes a direct cost out of the books again."""
    record = desk.books.records_of(DataType.DIRECT_COSTS).get(record_id)
    if record is None or record.deleted:
        message = "No direct cost with this id is in the books."
        return Refused((ValidationItem("Id", message, VALIDATORS[DataType.DIRECT_COSTS]),))
    desk.books.remove(record)
    return Written(record_id, DataType.DIRECT_COSTS, "Deleted")


def lock_violation(books: Books, data_type: DataType, item_id: str, day: date) -> list[ValidationItem]:
    """The refusal of a date on or before the ledger's lock date."""
    if books.lock_date is None or day > books.lock_date:
        return []
    message = f"{item_id}: {day} is in a period locked up to {books.lock_date}."
    return [ValidationItem(item_id, message, VALIDATORS[data_type])]


def _locked(desk: Desk, data_type: DataType, item_id: str, day: date) -> list[ValidationItem]:
    return lock_violation(desk.books, data_type, item_id, day)


def _add(desk: Desk, data_type: DataType, body: Document, moves: tuple[tuple[str, int], ...]) -> Outcome:
    record = Record(desk.new_id(), data_type, body, desk.now(), moves)
    desk.books.add(record)
    return Written(record.id, data_type)


def _side_violations(title: str, account: Account, side: Document) -> list[ValidationItem]:
    validator = VALIDATORS[DataType.TRANSFERS]
    currency = side.get("currency")
    if currency is not None and currency != account.currency:
        return [ValidationItem(f"{title}.Currency", f"The account is in {account.currency}.", validator)]
    try:
        _minor(side["amount"], account)
    except AmountError as error:
        return [ValidationItem(f"{title}.Amount", str(error), validator)]
    return []


def _side(account: Account, side: Document) -> Document:
    reference = {"id": account.id, "dataType": "bankAccounts" if account.is_bank else "accounts"}
    return {"accountRef": reference, "currency": account.currency, "amount": side["amount"]}


def _minor(amount: object, account: Account) -> int:
    return parse_minor(str(amount), account.currency)


def _worth(line: Document, body: Document) -> Decimal:
    worth = line_amount(line)
    if worth is None and len(body["lineItems"]) == 1:
        worth = body.get("totalAmount")
    if worth is None:
        raise AmountError("a line item needs its totalAmount, its subTotal, or its quantity and unitAmount")
    return worth


def _kept(model: Model, parent: str, node: Document) -> Document:
    """The part of a body that the platform's model names and keeps."""
    kept: Document = {}
    for field in model.children.get(parent, ()):
        value = node.get(field.name)
        if value is None or not field.kept:
            continue
        if isinstance(value, dict):
            value = _kept(model, field.path, value)
        elif isinstance(value, list):
            value = [_kept(model, field.path, item) for item in value]
        kept[field.name] = value
    return kept


def _completed_cost(kept: Document, day: date, payer: Account, amounts: list[int]) -> Document:
    """The record with everything a reader may rely on, whatever the platform let its writer leave out."""
    total = major(sum(amounts), payer.currency)
    lines = [
        {"quantity": 1, "unitAmount": worth, "subTotal": worth, "taxAmount": 0, "totalAmount": worth, **line}
        for line, worth in zip(kept["lineItems"], (major(a, payer.currency) for a in amounts), strict=True)
    ]
    allocations = [
        {**item, "allocation": {"currency": payer.currency, "totalAmount": total, **item.get("allocation", {})}}
        for item in kept["paymentAllocations"]
    ]
    head = {"currency": payer.currency, "subTotal": total, "taxAmount": 0, "totalAmount": total}
    return {**head, **kept, "issueDate": midnight(day), "lineItems": lines, "paymentAllocations": allocations}


def _kind_of(category: str) -> str:
    head = category.split(".", maxsplit=1)[0]
    if head in {"Asset", "Expense", "Income", "Liability", "Equity"}:
        return head
    return {
        **dict.fromkeys(("SALES", "OTHER_INCOME"), "Income"),
        **dict.fromkeys(("DIRECT_EXPENSES", "OVERHEADS", "DEPRECIATION"), "Expense"),
        **dict.fromkeys(("CURRENT_ASSETS", "FIXED_ASSETS", "FUTURE_ASSETS", "BANK"), "Asset"),
        **dict.fromkeys(("CURRENT_LIABILITY", "FUTURE_LIABILITY", "LINE_OF_CREDIT"), "Liability"),
        "EQUITY": "Equity",
    }.get(head, "Unknown")
