"""Options models: which sentences of theirs are understood, and what is left to the platform."""

from __future__ import annotations

from typing import Any

import pytest

from worker.codat import options
from worker.codat.options import Violation


def field(*details: str, required: bool = False, choices: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "Array" if properties else "String",
        "required": required,
        "properties": properties,
        "options": [{"value": choice} for choice in choices],
        "validation": {"warnings": [{"details": text} for text in details], "information": None},
    }


def model(**properties: Any) -> dict[str, Any]:
    return {"type": "Object", "properties": properties}


@pytest.mark.parametrize(
    ("details", "longest"),
    [
        ("Max length of 31 characters.", 31),
        ("At most 50 characters.", 50),
        ("Should not be longer than 200 characters.", 200),
        ("Must not be longer than 14 characters.", 14),
        ("Must be between 1 and 100 characters", 100),
        ("If included must have a length between 1 and 7 characters", 7),
        ("Must be no greater than 30 characters", 30),
        ("Must not contain no more than 45 characters.", 45),
        ("Must be at most 24 characters in length, although restrictions may vary between entities.", 24),
        ("The supplier name can have a maximum of 60 characters", 60),
    ],
)
def test_a_limit_of_length_is_understood_in_every_form_codat_writes_it(details: str, longest: int) -> None:
    rules = model(name=field(details))

    assert options.violations(rules, {"name": "x" * longest}, None) == []
    words = f"has {longest + 1} characters, {longest} are kept at most"
    assert options.violations(rules, {"name": "x" * (longest + 1)}, None) == [Violation("name", words)]


@pytest.mark.parametrize(
    "details",
    [
        "Should not exceed the maximum length of 14 characters if the specified currency is GBP.",
        "Must not have its first part (i.e. the first name) longer than 20 characters.",
        "Needs to be of the format '{No.}-{Name}'",
        "If not set, will default to the base currency of the QuickBooks Desktop company",
        "Must be unique within the entity.",
    ],
)
def test_a_sentence_that_depends_on_something_else_is_left_to_the_platform(details: str) -> None:
    assert options.violations(model(name=field(details)), {"name": "x" * 300}, "GBP") == []


def test_what_is_required_is_named_with_its_choices_and_only_below_what_is_sent() -> None:
    rules = model(
        category=field(required=True, choices=("A", "B")),
        lines=field(amount=field(required=True)),
        addresses=field(kind=field(required=True)),
    )

    assert options.violations(rules, {"lines": [{"amount": 1}, {}], "more": "ignored"}, None) == [
        Violation("category", "is required: one of A, B"),
        Violation("lines.amount", "is required"),
    ]


def test_a_value_outside_the_choices_is_refused_whatever_its_case() -> None:
    rules = model(category=field(choices=("Expense.Overhead", "Income.Sales")))

    assert options.violations(rules, {"category": "expense.overhead"}, None) == []
    assert options.violations(rules, {"category": "Costs"}, None) == [
        Violation("category", "is Costs, and has to be one of Expense.Overhead, Income.Sales")
    ]


def test_a_long_list_of_choices_is_cut() -> None:
    rules = model(country=field(required=True, choices=tuple(f"C{n}" for n in range(302))))

    assert options.violations(rules, {}, None)[0].words.endswith("C299 and 2 more")


@pytest.mark.parametrize(
    "details", ["Must match the company's base currency.", "Has to be the company's base currency."]
)
def test_another_currency_than_the_companys_is_refused_where_the_platform_has_one(details: str) -> None:
    rules = model(currency=field(details))

    assert options.violations(rules, {"currency": "EUR"}, None) == []
    assert options.violations(rules, {"currency": "GBP"}, "GBP") == []
    assert options.violations(rules, {"currency": "EUR"}, "GBP") == [
        Violation("currency", "is EUR, and has to be the company's base currency GBP")
    ]


@pytest.mark.parametrize("value", ["0", "100000000", "7A", "-1", "9" * 5_000])
def test_a_code_outside_its_numbers_is_refused(value: str) -> None:
    rules = model(code=field("Should be a number between 1 and 99999999."))

    assert options.violations(rules, {"code": "99999999"}, None) == []
    assert options.violations(rules, {"code": value}, None) == [
        Violation("code", "has to be a number from 1 to 99999999")
    ]


def test_a_field_is_needed_only_where_every_part_of_its_path_is() -> None:
    spelled = model(lines=field(required=True, rate=field(required=True, id=field(required=True))))
    unspelled = model(lines=field(required=True, rate=field(required=True)))

    assert options.requires(spelled, "lines", "rate", "id")
    assert not options.requires(unspelled, "lines", "rate", "id")


@pytest.mark.parametrize("broken", [{}, {"properties": []}, {"properties": {"name": "text", "other": None}}])
def test_a_model_of_another_shape_demands_nothing(broken: dict[str, Any]) -> None:
    assert options.violations(broken, {"name": "anything"}, "GBP") == []
