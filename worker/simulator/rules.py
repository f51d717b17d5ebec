"""The vocabulary in which a platform's rules for one kind of record are written down.

One :class:`Model` says what the options endpoint serves *and* what a write is checked against, so that the two can
never disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cached_property


class DataType(StrEnum):
    """Codat's data types this simulator keeps."""

    COMPANY = "company"
    BANK_ACCOUNTS = "bankAccounts"
    ACCOUNTS = "chartOfAccounts"
    SUPPLIERS = "suppliers"
    TRANSFERS = "transfers"
    DIRECT_COSTS = "directCosts"
    DIRECT_INCOMES = "directIncomes"
    BANK_TRANSACTIONS = "bankTransactions"
    TAX_RATES = "taxRates"


class Kind(StrEnum):
    """A field's type, in the words of Codat's options models."""

    ARRAY = "Array"
    OBJECT = "Object"
    STRING = "String"
    NUMBER = "Number"
    BOOLEAN = "Boolean"
    DATE = "DateTime"


class Check(Enum):
    """A rule that needs more than the field's own value, or more than its length. The value is shown to the caller."""

    POSITIVE = "Has to be above zero."
    EQUAL_AMOUNTS = "Both sides of a transfer carry the same amount."
    OTHER_ACCOUNT = "Has to differ from the account on the other side."
    BANK_ACCOUNT = "Has to be the id of an existing bank account."
    BASE_CURRENCY_ACCOUNT = "The bank account has to be in the company's base currency."
    FUNDS_ACCOUNT = "Has to be the id of an existing bank, cash or asset account."
    COST_ACCOUNT = "Has to be the id of an existing expense or income account."
    ACCOUNT = "Has to be the id of an existing account."
    CONTACT = "Has to be the id of an existing contact."
    TAX_RATE = "Has to be the id of an existing tax rate."
    GUID = "Has to be a GUID."
    ONE_ITEM = "Exactly one is allowed."
    AT_MOST_ONE_ITEM = "One at most is allowed."
    SUM_OF_LINES = "Has to equal the sum of the line items."
    SAME_SIGN = "Once one line is negative all have to be."
    BASE_CURRENCY = "Has to be the company's base currency."
    ACCOUNT_CURRENCY = "Has to be the currency of the account it is paid from."
    NOMINAL_NUMBER = "Has to be a whole number from 1 to 99999999."
    SIX_DIGITS = "Has to be six digits."


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a model. ``longest`` is in characters. A field that is not ``kept`` is accepted and then lost."""

    path: str
    kind: Kind
    required: bool
    checks: tuple[Check, ...] = ()
    longest: int | None = None
    choices: tuple[str, ...] = ()
    kept: bool = True

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def details(self) -> list[str]:
        """The rules in words, as the options model shows them."""
        limit = [] if self.longest is None else [f"At most {self.longest} characters."]
        lost = [] if self.kept else ["Accepted, and ignored by the accounting software."]
        return [*limit, *(check.value for check in self.checks), *lost]


def must(path: str, kind: Kind, *checks: Check, longest: int | None = None, choices: tuple[str, ...] = ()) -> Field:
    """A field that has to be sent whenever the object around it is."""
    return Field(path, kind, True, checks, longest, choices)


def may(path: str, kind: Kind, *checks: Check, longest: int | None = None, choices: tuple[str, ...] = ()) -> Field:
    """A field that may be left out."""
    return Field(path, kind, False, checks, longest, choices)


def lost(path: str, kind: Kind, longest: int | None = None) -> Field:
    """A field that may be sent and leaves no trace in the books."""
    return Field(path, kind, False, longest=longest, kept=False)


@dataclass(frozen=True)
class Model:
    """What one platform wants of one kind of record."""

    title: str
    fields: tuple[Field, ...]
    remarks: tuple[str, ...] = ()

    @cached_property
    def children(self) -> dict[str, tuple[Field, ...]]:
        """The fields directly under each path; the top level is under the empty path."""
        tree: dict[str, tuple[Field, ...]] = {}
        for field in self.fields:
            parent = field.path.rpartition(".")[0]
            tree[parent] = (*tree.get(parent, ()), field)
        return tree

    def keeps(self, path: str) -> bool:
        """Whether a value sent in this field ends up in the books."""
        return any(field.path == path and field.kept for field in self.fields)
