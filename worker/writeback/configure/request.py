"""What a person asks a mapping to be. Pure: reading the body, and giving it back as it was stored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

from worker.codat.profiles import Profile
from worker.errors import Rejected
from worker.money import AmountError, exponent_of
from worker.writeback.mapping import LenderKind

MAX_TEXT: Final = 255
"""Characters of a name or an id: more than any accounting platform keeps."""


@dataclass(frozen=True, slots=True)
class Existing:
    """A record of the borrower's books, by Codat's id."""

    id: str


@dataclass(frozen=True, slots=True)
class ExistingFeed:
    """A source account that is already mapped to an account of the books."""

    source_account_id: str
    target_account_id: str
    connection_id: UUID | None


@dataclass(frozen=True, slots=True)
class NewBankAccount:
    """The lender's account, to be created as a bank account."""

    name: str
    account_number: str | None
    sort_code: str | None
    nominal_code: str | None


@dataclass(frozen=True, slots=True)
class NewFeed:
    """The lender's account, to be created as a bank feed's source account; without a target the platform makes one."""

    name: str
    account_number: str
    sort_code: str | None
    target_account_id: str | None
    connection_id: UUID | None


@dataclass(frozen=True, slots=True)
class NewExpenseAccount:
    """The account for interest and fees, to be created."""

    name: str
    nominal_code: str | None
    category: str | None


@dataclass(frozen=True, slots=True)
class NewSupplier:
    """The lender as a supplier, to be created or found by its name."""

    name: str


Lender: TypeAlias = Existing | ExistingFeed | NewBankAccount | NewFeed


@dataclass(frozen=True, slots=True)
class MappingRequest:
    """One version as asked for."""

    profile: Profile
    currency: str
    enabled: bool
    lender: Lender
    borrower_account_id: str
    expense: Existing | NewExpenseAccount
    supplier: Existing | NewSupplier
    tax_rate_id: str | None = None
    """Codat's id of the tax rate on direct costs, for platforms that want one."""

    @property
    def lender_kind(self) -> LenderKind:
        """What the lender's account is."""
        is_bank = isinstance(self.lender, Existing | NewBankAccount)
        return LenderKind.BANK_ACCOUNT if is_bank else LenderKind.SOURCE_ACCOUNT

    @property
    def fed_account_id(self) -> str | None:
        """The account of the books that the lender's bank feed leads to, where one is named."""
        return self.lender.target_account_id if isinstance(self.lender, ExistingFeed | NewFeed) else None

    @property
    def creates(self) -> bool:
        """Whether anything has to be created before the version is ready."""
        parts = (self.lender, self.expense, self.supplier)
        return any(isinstance(part, NewBankAccount | NewFeed | NewExpenseAccount | NewSupplier) for part in parts)


def read_mapping_request(document: Mapping[str, object]) -> MappingRequest:
    """Read the body of a mapping; raises :class:`~worker.errors.Rejected` (400) naming the field and what it takes."""
    body = _Fields(document, "")
    request = MappingRequest(
        profile=_profile(body.text("profile", default=Profile.MATCHED.value)),
        currency=_currency(body.text("currency")),
        enabled=body.flag("enabled"),
        lender=_lender(body.child("lender_account")),
        borrower_account_id=body.child("borrower_account", only=("id",)).text("id"),
        expense=_expense(body.child("expense_account")),
        supplier=_supplier(body.child("supplier")),
        tax_rate_id=body.optional("tax_rate_id"),
    )
    body.nothing_else(
        *("profile", "currency", "enabled", "lender_account", "borrower_account", "expense_account", "supplier"),
        "tax_rate_id",
    )
    return request


def source_account_id(connection_id: UUID, name: str) -> str:
    """The id we choose for a source account: the same name on the same connection is the same account."""
    digest = hashlib.blake2b(f"{connection_id}\x1f{name}".encode(), digest_size=8).hexdigest()
    return f"lw-{digest}"


def digits_for(name: str) -> str:
    """An account number where the person gave none: eight digits that the same name always gets."""
    number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
    return f"{number % 10**8:08d}"


def _lender(fields: _Fields) -> Lender:
    if fields.has("create"):
        fields.nothing_else("create")
        return _new_lender(fields.child("create"))
    if fields.has("source_account_id"):
        fields.nothing_else("source_account_id", "target_account_id", "connection_id")
        return ExistingFeed(
            fields.text("source_account_id"), fields.text("target_account_id"), fields.optional_id("connection_id")
        )
    fields.nothing_else("id")
    return Existing(fields.text("id"))


def _new_lender(fields: _Fields) -> NewBankAccount | NewFeed:
    kind = fields.text("kind")
    if kind == LenderKind.BANK_ACCOUNT:
        fields.nothing_else("kind", "name", "account_number", "sort_code", "nominal_code")
        return NewBankAccount(
            fields.text("name"),
            fields.optional("account_number"),
            fields.optional("sort_code"),
            fields.optional("nominal_code"),
        )
    if kind == LenderKind.SOURCE_ACCOUNT:
        fields.nothing_else("kind", "name", "account_number", "sort_code", "target_account_id", "connection_id")
        name = fields.text("name")
        return NewFeed(
            name,
            fields.optional("account_number") or digits_for(name),
            fields.optional("sort_code"),
            fields.optional("target_account_id"),
            fields.optional_id("connection_id"),
        )
    raise Rejected(400, "must be bank_account or source_account", field=fields.path("kind"))


def _expense(fields: _Fields) -> Existing | NewExpenseAccount:
    if not fields.has("create"):
        fields.nothing_else("id")
        return Existing(fields.text("id"))
    fields.nothing_else("create")
    create = fields.child("create", only=("name", "nominal_code", "category"))
    return NewExpenseAccount(create.text("name"), create.optional("nominal_code"), create.optional("category"))


def _supplier(fields: _Fields) -> Existing | NewSupplier:
    if not fields.has("create"):
        fields.nothing_else("id")
        return Existing(fields.text("id"))
    fields.nothing_else("create")
    return NewSupplier(fields.child("create", only=("name",)).text("name"))


def _profile(text: str) -> Profile:
    try:
        return Profile(text)
    except ValueError:
        raise Rejected(400, f"must be one of {', '.join(Profile)}", field="profile") from None


def _currency(text: str) -> str:
    try:
        exponent_of(text)
    except AmountError:
        raise Rejected(400, "must be an ISO 4217 code such as GBP", field="currency") from None
    return text


class _Fields:
    """One JSON object, and the dotted path that leads to it."""

    def __init__(self, document: Mapping[str, object], path: str) -> None:
        self._document = document
        self._path = path

    def path(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def has(self, name: str) -> bool:
        return self._document.get(name) is not None

    def text(self, name: str, *, default: str | None = None) -> str:
        value = self._document.get(name, default)
        if type(value) is not str or not value.strip() or len(value) > MAX_TEXT or not value.isprintable():
            words = f"is required: a printable text of 1 to {MAX_TEXT} characters"
            raise Rejected(400, words, field=self.path(name))
        return value.strip()

    def optional(self, name: str) -> str | None:
        return self.text(name) if self.has(name) else None

    def optional_id(self, name: str) -> UUID | None:
        value = self.optional(name)
        try:
            return UUID(value) if value is not None else None
        except ValueError:
            raise Rejected(400, "must be a UUID", field=self.path(name)) from None

    def flag(self, name: str) -> bool:
        value = self._document.get(name, True)
        if not isinstance(value, bool):
            raise Rejected(400, "must be true or false", field=self.path(name))
        return value

    def child(self, name: str, *, only: tuple[str, ...] = ()) -> _Fields:
        value = self._document.get(name)
        if not isinstance(value, dict):
            raise Rejected(400, "is required and must be an object", field=self.path(name))
        child = _Fields(value, self.path(name))
        if only:
            child.nothing_else(*only)
        return child

    def nothing_else(self, *names: str) -> None:
        for name in self._document:
            if name not in names:
                raise Rejected(400, f"is not known here; known are {', '.join(names)}", field=self.path(str(name)))


def request_document(request: MappingRequest) -> dict[str, Any]:
    """The request as a JSON object in the shape it is read from, for storing and showing."""
    return {
        "profile": request.profile.value,
        "currency": request.currency,
        "enabled": request.enabled,
        "lender_account": _lender_document(request.lender),
        "borrower_account": {"id": request.borrower_account_id},
        "expense_account": _part_document(request.expense),
        "supplier": _part_document(request.supplier),
        **_given(tax_rate_id=request.tax_rate_id),
    }


def _lender_document(lender: Lender) -> dict[str, Any]:
    match lender:
        case Existing(id=account_id):
            return {"id": account_id}
        case ExistingFeed(source, target, connection_id):
            return _given(source_account_id=source, target_account_id=target, connection_id=connection_id)
        case NewBankAccount(name, number, sort_code, nominal_code):
            fields = _given(name=name, account_number=number, sort_code=sort_code, nominal_code=nominal_code)
            return {"create": {"kind": LenderKind.BANK_ACCOUNT.value, **fields}}
        case NewFeed(name, number, sort_code, target, connection_id):
            fields = _given(
                name=name,
                account_number=number,
                sort_code=sort_code,
                target_account_id=target,
                connection_id=connection_id,
            )
            return {"create": {"kind": LenderKind.SOURCE_ACCOUNT.value, **fields}}


def _part_document(part: Existing | NewExpenseAccount | NewSupplier) -> dict[str, Any]:
    match part:
        case Existing(id=record_id):
            return {"id": record_id}
        case NewExpenseAccount(name, nominal_code, category):
            return {"create": _given(name=name, nominal_code=nominal_code, category=category)}
        case NewSupplier(name):
            return {"create": {"name": name}}


def _given(**fields: str | UUID | None) -> dict[str, str]:
    return {name: str(value) for name, value in fields.items() if value is not None}
