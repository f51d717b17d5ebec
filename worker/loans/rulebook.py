"""The chart of accounts and the posting rules: which accounts an event writes to, and what on each. Pure.

A rulebook is data: ``rulebook.toml``, or a lender's own. :mod:`worker.loans.rulebook_text` reads and checks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from worker.ledger.transaction import AccountSpec, CategorySpec, Direction

INVESTOR_ID: Final = "investor_id"

IMPLIED: Final[Mapping[str, frozenset[str]]] = MappingProxyType({"loan_id": frozenset({"borrower_id"})})
"""What a name settles besides itself: a loan has one borrower."""

Names: TypeAlias = Mapping[str, str]
"""What the placeholders of a chart stand for."""

Amount: TypeAlias = Mapping[str, int]
"""A sum of an event's amounts: how often (1) or minus how often (-1) each goes into it."""


Parts: TypeAlias = Sequence[tuple[str, int]]
"""What of an amount falls to each investor, in minor units; the rest is the lender's."""


class Division(NamedTuple):
    """The words for the two parts of an amount that a loan's investors have a part in.

    The investors' is one line for each of them on accounts of their own; the lender's is what they leave.
    """

    investors: str
    lender: str


class Limit(NamedTuple):
    """Amounts of an event that are never more, all of the first together, than all of the second together."""

    smaller: frozenset[str]
    larger: frozenset[str]


INTEREST: Final = Division("investor_interest", "lender_interest")
PRINCIPAL: Final = Division("investor_principal", "lender_principal")


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a rule may refer to: the event's amounts and the names it says.

    Investors have a part in the amounts that are ``divided``; ``limit`` is what is checked when an event is received.
    """

    amounts: tuple[str, ...]
    names: frozenset[str]
    divided: Mapping[str, Division] = field(default_factory=lambda: MappingProxyType({}))
    limit: Limit | None = None

    @property
    def terms(self) -> tuple[str, ...]:
        """Every word that an amount of the rule may be made of."""
        return (*self.amounts, *(part for division in self.divided.values() for part in division))

    @property
    def investors_parts(self) -> Mapping[str, str]:
        """Words for what falls to investors, each with the amount it is a part of."""
        return {division.investors: amount for amount, division in self.divided.items()}


_ANY: Final = frozenset({"currency"})
_LOAN: Final = frozenset({"currency", "loan_id", "borrower_id"})
_INVESTOR: Final = frozenset({"currency", INVESTOR_ID})

_PAID: Final = ("principal", "interest", "fees", "overpayment")
_TENDERED: Final = ("unapplied_cash", "processing_cost")

OCCASIONS: Final[Mapping[str, Occasion]] = MappingProxyType(
    {
        "capital.contributed": Occasion(("amount",), _INVESTOR),
        "capital.distributed": Occasion(("principal", "interest"), _INVESTOR),
        "loan.created": Occasion((), _LOAN),
        "loan.disbursed": Occasion(
            ("amount", "interest", "fee"),
            _LOAN,
            divided={"interest": INTEREST},
            limit=Limit(frozenset({"fee"}), frozenset({"amount"})),
        ),
        "loan.interest_accrued": Occasion(("amount",), _LOAN, divided={"amount": INTEREST}),
        "loan.interest_rebated": Occasion(("amount",), _LOAN, divided={"amount": INTEREST}),
        "loan.fee_charged": Occasion(("amount",), _LOAN),
        "loan.fee_waived": Occasion(("amount",), _LOAN),
        "loan.repayment": Occasion((*_PAID, *_TENDERED), _LOAN, limit=Limit(frozenset(_TENDERED), frozenset(_PAID))),
        "loan.refunded": Occasion(("amount",), _LOAN),
        "loan.written_off": Occasion(
            ("principal", "interest", "fees"), _LOAN, divided={"principal": PRINCIPAL, "interest": INTEREST}
        ),
        "loan.recovered": Occasion(("amount",), _LOAN),
        "cash.received": Occasion(("amount",), _ANY),
        "cash.swept": Occasion(("amount",), _ANY),
        "expense.incurred": Occasion(("amount",), _ANY),
    }
)
"""Every rule a rulebook has, in the contract's words. A repayment initiated or settled is one and the same rule."""


@dataclass(frozen=True, slots=True)
class CategoryTemplate:
    """A category of the chart; its texts may hold placeholders."""

    external_id: str
    name: str
    normal_balance: Direction
    metadata: Mapping[str, str]
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class AccountTemplate:
    """An account of the chart; its texts may hold placeholders."""

    external_id: str
    name: str
    normal_balance: Direction
    metadata: Mapping[str, str]
    categories: tuple[str, ...] = ()

    @property
    def is_per_investor(self) -> bool:
        """Every investor has one of their own."""
        return f"{{{INVESTOR_ID}}}" in self.external_id


@dataclass(frozen=True, slots=True)
class Rule:
    """What one kind of event writes: amounts by account on either side, and accounts it only opens.

    It is written only if the accounts ``not_below_zero`` have that much available.
    """

    debit: Mapping[str, Amount]
    credit: Mapping[str, Amount]
    open: tuple[str, ...] = ()
    not_below_zero: tuple[str, ...] = ()

    def sides(self) -> Iterator[tuple[Direction, str, Amount]]:
        """Every line of the rule."""
        for direction, lines in ((Direction.DEBIT, self.debit), (Direction.CREDIT, self.credit)):
            for account, amount in lines.items():
                yield direction, account, amount


@dataclass(frozen=True, slots=True)
class Line:
    """One entry to be: an account as it should exist, a side of it, and minor units.

    A ``guarded`` one is refused, with all of its transaction, if it leaves less than nothing available on the account.
    """

    account: AccountSpec
    direction: Direction
    amount: int
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event's amounts in minor units and names, and what of the amounts that are divided falls to investors."""

    rule: str
    amounts: Mapping[str, int]
    names: Names
    parts: Mapping[str, Parts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A checked chart of accounts with its posting rules."""

    categories: Mapping[str, CategoryTemplate]
    accounts: Mapping[str, AccountTemplate]
    rules: Mapping[str, Rule]

    def lines(self, event: Occurrence) -> list[Line]:
        """What an event writes; lines of zero are left out."""
        terms, rule = self._terms(event), self.rules[event.rule]
        return [
            Line(self.account(account, names), direction, total, guarded=account in rule.not_below_zero)
            for direction, account, amount in rule.sides()
            for names, values in self._spread(account, amount, event, terms)
            if (total := sum(sign * values[term] for term, sign in amount.items()))
        ]

    def opened(self, rule: str, names: Names) -> tuple[AccountSpec, ...]:
        """The accounts that an event makes before anything is posted to them."""
        return tuple(self.account(account, names) for account in self.rules[rule].open)

    def account(self, key: str, names: Names) -> AccountSpec:
        """An account of the chart for these names."""
        template = self.accounts[key]
        return AccountSpec(
            template.external_id.format_map(names),
            template.name.format_map(names),
            template.normal_balance,
            names["currency"],
            _filled(template.metadata, names),
            tuple(self._category(category, names) for category in template.categories),
        )

    def _category(self, key: str, names: Names) -> CategorySpec:
        template = self.categories[key]
        return CategorySpec(
            template.external_id.format_map(names),
            template.name.format_map(names),
            template.normal_balance,
            names["currency"],
            _filled(template.metadata, names),
            self._category(template.parent, names) if template.parent else None,
        )

    @staticmethod
    def _terms(event: Occurrence) -> Mapping[str, int]:
        terms = dict(event.amounts)
        for amount, division in OCCASIONS[event.rule].divided.items():
            terms[division.investors] = sum(part for _, part in event.parts.get(amount, ()))
            terms[division.lender] = event.amounts[amount] - terms[division.investors]
        return terms

    def _spread(
        self, account: str, amount: Amount, event: Occurrence, terms: Mapping[str, int]
    ) -> Iterator[tuple[Names, Mapping[str, int]]]:
        """The names and amounts of each account a line goes to: one, or one for every investor."""
        investors_parts = OCCASIONS[event.rule].investors_parts
        if not (investors_parts and self.accounts[account].is_per_investor):
            yield event.names, terms
            return
        [term] = amount
        for investor_id, part in event.parts.get(investors_parts[term], ()):
            yield {**event.names, INVESTOR_ID: investor_id}, {term: part}


def _filled(metadata: Mapping[str, str], names: Names) -> dict[str, str]:
    return {key: text.format_map(names) for key, text in metadata.items()}
