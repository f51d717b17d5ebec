"""Reading a rulebook from TOML, and everything that must be right about it before money is posted by it. Pure."""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from worker.ledger.transaction import Direction
from worker.loans.rulebook import (
    IMPLIED,
    INVESTOR_ID,
    OCCASIONS,
    AccountTemplate,
    Amount,
    CategoryTemplate,
    Occasion,
    Rule,
    Rulebook,
)

DEEPEST_CATEGORY: Final = 4
"""Categories nest at most this deep below a root: Modern Treasury's limit, and the ledger's own."""

_SIGNED_TERM: Final = re.compile(r"\s*([+-]?)\s*([a-z_]+)\s*")


class RulebookError(ValueError):
    """A rulebook that cannot be used; the text says where and what to do."""


def parse_rulebook(text: str) -> Rulebook:
    """The rulebook in this TOML text, checked; raises :class:`RulebookError` naming the first thing that is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulebookError(f"this is not TOML: {error}") from None
    _know(document, ("categories", "accounts", "rules"), "the file")
    rulebook = Rulebook(
        {key: _category(f"categories.{key}", value) for key, value in _tables(document, "categories")},
        {key: _account(f"accounts.{key}", value) for key, value in _tables(document, "accounts")},
        {key: _rule(key, value) for key, value in _tables(document, "rules")},
    )
    for check in (_check_categories, _check_accounts, _check_identities, _check_rules):
        check(rulebook)
    return rulebook


def _category(where: str, table: Mapping[str, Any]) -> CategoryTemplate:
    _know(table, ("external_id", "name", "normal_balance", "metadata", "parent"), where)
    parent = _text(table, "parent", where) if "parent" in table else None
    return CategoryTemplate(*_common(table, where), parent)


def _account(where: str, table: Mapping[str, Any]) -> AccountTemplate:
    _know(table, ("external_id", "name", "normal_balance", "metadata", "categories"), where)
    return AccountTemplate(*_common(table, where), _texts(table, "categories", where))


def _common(table: Mapping[str, Any], where: str) -> tuple[str, str, Direction, dict[str, str]]:
    side = _text(table, "normal_balance", where)
    if side not in set(Direction):
        raise RulebookError(f'{where}.normal_balance must be "debit" or "credit", not "{side}"')
    metadata = table.get("metadata", {})
    if not isinstance(metadata, dict):
        raise RulebookError(f"{where}.metadata must be a table of texts")
    texts = {key: _text(metadata, key, f"{where}.metadata") for key in metadata}
    return _text(table, "external_id", where), _text(table, "name", where), Direction(side), texts


def _rule(key: str, table: Mapping[str, Any]) -> Rule:
    where = f'rules."{key}"'
    occasion = OCCASIONS.get(key)
    if occasion is None:
        raise RulebookError(f"{where} belongs to no event; there are rules for {', '.join(OCCASIONS)}")
    _know(table, ("debit", "credit", "not_below_zero") if occasion.amounts else ("open",), where)
    return Rule(
        _side(table, "debit", occasion, where),
        _side(table, "credit", occasion, where),
        _texts(table, "open", where),
        _texts(table, "not_below_zero", where),
    )


def _side(table: Mapping[str, Any], side: str, occasion: Occasion, where: str) -> dict[str, Amount]:
    lines = table.get(side, {})
    if not isinstance(lines, dict):
        raise RulebookError(f'{where}.{side} must be a table like {{ cash = "amount" }}')
    return {account: _amount(amount, occasion, f"{where}.{side}.{account}") for account, amount in lines.items()}


def _amount(text: Any, occasion: Occasion, where: str) -> Amount:
    """A sum like ``amount - fee`` as its terms."""
    terms: dict[str, int] = {}
    position = 0
    while isinstance(text, str) and (match := _SIGNED_TERM.match(text, position)):
        sign, term = match.groups()
        if (not sign and terms) or term in terms:
            break
        if term not in occasion.terms:
            raise RulebookError(f"{where} speaks of {term}; the event has {', '.join(occasion.terms)}")
        terms[term] = -1 if sign == "-" else 1
        position = match.end()
    if not isinstance(text, str) or position < len(text) or not terms:
        raise RulebookError(f'{where} must be a sum like "amount" or "amount - fee", not {text!r}')
    return terms


def _check_categories(rulebook: Rulebook) -> None:
    for key, category in rulebook.categories.items():
        where = f"categories.{key}"
        _check_names(where, category.external_id, category.name, category.metadata)
        for depth, (parent, _) in enumerate(_ancestors(rulebook, where, category), 1):
            if depth > DEEPEST_CATEGORY or parent == key:
                raise RulebookError(f"{where} is nested in a circle, or more than {DEEPEST_CATEGORY} levels deep")
    _check_distinct("categories", {key: category.external_id for key, category in rulebook.categories.items()})


def _ancestors(rulebook: Rulebook, where: str, category: CategoryTemplate) -> Iterator[tuple[str, CategoryTemplate]]:
    while category.parent is not None:
        key = category.parent
        if key not in rulebook.categories:
            raise RulebookError(f'{where}.parent names the category "{key}", which the file does not have')
        category = rulebook.categories[key]
        yield key, category


def _check_accounts(rulebook: Rulebook) -> None:
    for key, account in rulebook.accounts.items():
        where = f"accounts.{key}"
        _check_names(where, account.external_id, account.name, account.metadata)
        for category in account.categories:
            if category not in rulebook.categories:
                raise RulebookError(f'{where}.categories names "{category}", which the file does not have')
    _check_distinct("accounts", {key: account.external_id for key, account in rulebook.accounts.items()})


def _check_names(where: str, external_id: str, name: str, metadata: Mapping[str, str]) -> None:
    known = {name for occasion in OCCASIONS.values() for name in occasion.names}
    for text in (external_id, name, *metadata.values()):
        if unknown := _names_in(text, where) - known:
            raise RulebookError(f"{where} speaks of {_list(unknown)}; there are {_list(known)}")
    if "currency" not in _names_in(external_id, where):
        raise RulebookError(f"{where}.external_id must hold {{currency}}: there is one for each currency")


def _check_distinct(what: str, external_ids: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for key, external_id in external_ids.items():
        if external_id in seen:
            raise RulebookError(f"{what}.{key} and {what}.{seen[external_id]} have the same external_id")
        seen[external_id] = key


def _check_identities(rulebook: Rulebook) -> None:
    """Whatever an account or a category is called after tells it from others: two loans never share one by accident."""
    for key, category in rulebook.categories.items():
        where = f"categories.{key}"
        _check_identity(where, category, "its name or metadata", _own_names(category))
        if category.parent is not None:
            _check_identity(where, category, f'its parent "{category.parent}"', _family_names(rulebook, category))
    for key, account in rulebook.accounts.items():
        where = f"accounts.{key}"
        _check_identity(where, account, "its name or metadata", _own_names(account))
        for one in account.categories:
            names = _own_names(rulebook.categories[one]) | _family_names(rulebook, rulebook.categories[one])
            _check_identity(where, account, f'its category "{one}"', names)


def _check_identity(
    where: str, template: CategoryTemplate | AccountTemplate, speaker: str, spoken_of: Collection[str]
) -> None:
    told_apart_by = _names_in(template.external_id, where)
    if missing := set(spoken_of) - told_apart_by - _implied(told_apart_by):
        names = " and ".join(f"{{{name}}}" for name in sorted(missing - _implied(missing)))
        raise RulebookError(
            f"{where} would be one for all: {speaker} speaks of {_list(missing)}, but its external_id does not; "
            f"put {names} into {where}.external_id, or leave it out there"
        )


def _implied(names: Collection[str]) -> set[str]:
    return {implied for name in names for implied in IMPLIED.get(name, ())}


def _check_rules(rulebook: Rulebook) -> None:
    for key, occasion in OCCASIONS.items():
        where = f'rules."{key}"'
        rule = rulebook.rules.get(key)
        if rule is None:
            raise RulebookError(f"{where} is missing")
        for account in (*rule.debit, *rule.credit, *rule.open):
            if account not in rulebook.accounts:
                raise RulebookError(f'{where} names the account "{account}", which the file does not have')
        for _, account, amount in rule.sides():
            _check_scope(rulebook, account, amount, occasion, where)
            _check_sign(account, amount, occasion, where)
        for account in rule.open:
            _check_scope(rulebook, account, {}, occasion, where)
        if strange := set(rule.not_below_zero) - rule.debit.keys() - rule.credit.keys():
            raise RulebookError(f"{where}.not_below_zero names {_list(strange)}, to which the rule posts nothing")
        if occasion.amounts:
            _check_balance(rule, occasion, where)
            _check_movement(rule, occasion, where)


def _check_scope(rulebook: Rulebook, account: str, amount: Amount, occasion: Occasion, where: str) -> None:
    """The event must say which of an account's many is meant."""
    template = rulebook.accounts[account]
    said = occasion.names
    if template.is_per_investor and occasion.divided:
        if len(amount) != 1 or not amount.keys() <= occasion.investors_parts.keys():
            allowed = " or ".join(occasion.investors_parts)
            raise RulebookError(f"{where} may post nothing but {allowed} to {account}, an investor's account")
        said = said | {INVESTOR_ID}
    categories = [rulebook.categories[category] for category in template.categories]
    families = set().union(*(_own_names(one) | _family_names(rulebook, one) for one in categories))
    if missing := (_own_names(template) | families) - said:
        raise RulebookError(f"{where} posts to {account}, but the event does not say {_list(missing)}")


def _check_sign(account: str, amount: Amount, occasion: Occasion, where: str) -> None:
    """Nothing is subtracted but from what is known to be at least as much."""
    counts = _spelt_out(amount, occasion)
    added = {part for part, count in counts.items() if count > 0}
    taken = {part for part, count in counts.items() if count < 0}
    limit = occasion.limit
    covered = limit is not None and taken <= limit.smaller and added >= limit.larger and min(counts.values()) >= -1
    if taken and not covered:
        raise RulebookError(
            f"{where} may post less than nothing to {account}: {_list(taken)} can be more than the rest"
        )


def _spelt_out(amount: Amount, occasion: Occasion) -> dict[str, int]:
    """How often each amount that has no parts, or part of one that has, goes into a sum."""
    counts: dict[str, int] = {}
    for term, sign in amount.items():
        for part in occasion.divided.get(term, (term,)):
            counts[part] = counts.get(part, 0) + sign
    return counts


def _check_balance(rule: Rule, occasion: Occasion, where: str) -> None:
    """Debits equal credits whatever the amounts are, and no amount is forgotten."""
    if not rule.debit or not rule.credit:
        raise RulebookError(f"{where} needs a debit and a credit")
    difference: dict[str, int] = {}
    for direction, _, amount in rule.sides():
        for part, count in _spelt_out(amount, occasion).items():
            difference[part] = difference.get(part, 0) + (count if direction is Direction.DEBIT else -count)
    if wrong := [term for term, count in difference.items() if count]:
        raise RulebookError(f"{where} does not balance: debits and credits differ in {_list(wrong)}")
    if forgotten := [term for term in occasion.amounts if not _is_posted(term, occasion, difference)]:
        raise RulebookError(f"{where} does not post {_list(forgotten)}, which the event carries")


def _check_movement(rule: Rule, occasion: Occasion, where: str) -> None:
    """No amount goes from an account to the same account, where it would move nothing."""
    for account in rule.debit.keys() & rule.credit.keys():
        debited, credited = _spelt_out(rule.debit[account], occasion), _spelt_out(rule.credit[account], occasion)
        if both := debited.keys() & credited.keys():
            raise RulebookError(
                f"{where} debits and credits {account} with {_list(both)}, which moves nothing: "
                "name another account on one of the two sides"
            )


def _is_posted(term: str, occasion: Occasion, posted: Collection[str]) -> bool:
    return set(occasion.divided.get(term, (term,))) <= set(posted)


def _family_names(rulebook: Rulebook, category: CategoryTemplate) -> set[str]:
    """The placeholders of everything a category is nested in."""
    families = (_own_names(parent) for _, parent in _ancestors(rulebook, category.external_id, category))
    return set().union(*families)


def _own_names(template: CategoryTemplate | AccountTemplate) -> set[str]:
    texts = (template.external_id, template.name, *template.metadata.values())
    return {name for text in texts for name in _names_in(text, template.external_id)}


def _names_in(text: str, where: str) -> set[str]:
    try:
        fields = [(name, spec, conversion) for _, name, spec, conversion in string.Formatter().parse(text)]
    except ValueError as error:
        raise RulebookError(f"{where} has a brace too many in {text!r}: {error}") from None
    if any(name is not None and (spec or conversion or not name.isidentifier()) for name, spec, conversion in fields):
        raise RulebookError(f"{where}: a placeholder is a name in braces, like {{loan_id}}, not as in {text!r}")
    return {name for name, _, _ in fields if name is not None}


def _tables(document: Mapping[str, Any], name: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
    tables = document.get(name, {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise RulebookError(f"{name} must be tables like [{name}.cash]")
    return list(tables.items())


def _know(table: Mapping[str, Any], known: Collection[str], where: str) -> None:
    if unknown := table.keys() - set(known):
        raise RulebookError(f"{where} has {_list(unknown)}, which means nothing here; it may have {', '.join(known)}")


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise RulebookError(f"{where}.{key} must be a text")
    return value


def _texts(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RulebookError(f"{where}.{key} must be a list of texts")
    return tuple(values)


def _list(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
