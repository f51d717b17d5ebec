"""A step's record is recognised in the borrower's books, and nobody else's is mistaken for it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from worker import wire
from worker.codat import payloads
from worker.codat.matching import Match, fingerprint_of_body, is_another, match
from worker.codat.payloads import BankTransactionBody, DirectCostBody, TransferBody
from worker.codat.platforms import Platform, traits_of
from worker.codat.profiles import Profile
from worker.codat.records import RecordKind

REFERENCE = "LW-L1-repayment-R1-direct-cost"
COST = DirectCostBody(REFERENCE, "Interest", date(2026, 2, 5), 6_667, "GBP", "S", "Dave", "E", "L")
TRANSFER = TransferBody(REFERENCE, "Repayment", date(2026, 2, 5), 40_000, "GBP", "B", "L")
LINE = BankTransactionBody(REFERENCE, "Repayment", date(2026, 2, 5), 40_000, "GBP", "L", 0)

WITH_TEXT = [platform for platform in Platform if traits_of(platform).transfer_description_length]


def as_record(body: bytes, **changes: Any) -> Any:
    return wire.decode_object(body) | {"id": "r-1"} | changes


@pytest.mark.parametrize("platform", Platform)
def test_a_direct_cost_is_found_by_its_reference_on_every_platform(platform: Platform) -> None:
    body = payloads.direct_cost(COST, traits_of(platform), Profile.MATCHED)
    expected = fingerprint_of_body(RecordKind.DIRECT_COST, REFERENCE, body)
    assert match(expected, as_record(body)) is Match.EXACT
    other = payloads.direct_cost(
        DirectCostBody(f"{REFERENCE}0", "Interest", COST.date, 6_667, "GBP", "S", "Dave", "E", "L"),
        traits_of(platform),
        Profile.MATCHED,
    )
    assert match(expected, as_record(other)) is Match.NO


@pytest.mark.parametrize("platform", WITH_TEXT)
def test_a_bookkeepers_own_transfer_of_the_same_amount_is_not_taken_for_ours(platform: Platform) -> None:
    body = payloads.transfer(TRANSFER, traits_of(platform), Profile.MATCHED)
    expected = fingerprint_of_body(RecordKind.TRANSFER, REFERENCE, body)
    assert match(expected, as_record(body)) is Match.EXACT
    assert match(expected, as_record(body, description="Loan")) is Match.NO
    assert match(expected, as_record(body, description=None)) is Match.LIKELY, "the platform may have dropped our text"
    assert match(expected, as_record(body, description=None, date="2026-02-07")) is Match.NO


@pytest.mark.parametrize(
    ("platform", "profile"), [(Platform.XERO, Profile.MATCHED), (Platform.ZOHO_BOOKS, Profile.CODAT_2023)]
)
def test_a_transfer_that_can_carry_no_text_is_likely_by_accounts_amount_and_date(
    platform: Platform, profile: Profile
) -> None:
    body = payloads.transfer(TRANSFER, traits_of(platform), profile)
    expected = fingerprint_of_body(RecordKind.TRANSFER, REFERENCE, body)
    assert match(expected, as_record(body, date="2026-02-05")) is Match.LIKELY
    assert match(expected, as_record(body, date="2026-02-04T23:00:00Z")) is Match.A_DAY_OFF
    assert match(expected, as_record(body, date="2026-02-06T00:00:00Z")) is Match.A_DAY_OFF
    assert match(expected, as_record(body, date="2026-02-07T00:00:00Z")) is Match.NO
    record = as_record(body)
    assert match(expected, as_record(body, **{"from": record["to"], "to": record["from"]})) is Match.NO
    assert match(expected, as_record(body, **{"from": record["from"] | {"amount": Decimal("400.01")}})) is Match.NO
    assert match(expected, as_record(body, **{"from": record["from"] | {"currency": "EUR"}})) is Match.NO


def test_a_negative_direct_cost_is_found_among_the_direct_incomes() -> None:
    cost = DirectCostBody(REFERENCE, "Interest", date(2026, 2, 5), -6_667, "GBP", "S", "Dave", "E", "L")
    body = payloads.direct_cost(cost, traits_of(Platform.OTHER), Profile.CODAT_2023)
    expected = fingerprint_of_body(RecordKind.DIRECT_COST, REFERENCE, body)
    income = as_record(body, totalAmount=Decimal("66.67"))
    assert match(expected, income, RecordKind.DIRECT_INCOME) is Match.LIKELY
    assert match(expected, income) is Match.NO


def test_a_bank_line_is_found_by_its_id_or_by_the_description_when_the_platform_gave_it_another() -> None:
    body = payloads.bank_transaction(LINE, traits_of(Platform.XERO), Profile.MATCHED)
    expected = fingerprint_of_body(RecordKind.BANK_TRANSACTION, REFERENCE, body)
    assert match(expected, {"id": REFERENCE, "description": "cut"}) is Match.EXACT
    assert match(expected, {"id": "77", "description": f"Repayment {REFERENCE}"}) is Match.EXACT
    assert match(expected, {"id": "77", "description": f"Repayment {REFERENCE}2"}) is Match.NO


def test_a_reference_too_long_for_the_platform_is_still_found() -> None:
    reference = f"LW-{'x' * 80}"
    cost = DirectCostBody(reference, "Interest", COST.date, 6_667, "GBP", "S", "Dave", "E", "L")
    body = payloads.direct_cost(cost, traits_of(Platform.QUICKBOOKS_ONLINE), Profile.MATCHED)
    expected = fingerprint_of_body(RecordKind.DIRECT_COST, reference, body)
    record = as_record(body)
    assert match(expected, {"reference": record["reference"]}) is Match.EXACT


def test_a_deleted_record_is_no_record() -> None:
    body = payloads.transfer(TRANSFER, traits_of(Platform.SANDBOX), Profile.MATCHED)
    expected = fingerprint_of_body(RecordKind.TRANSFER, REFERENCE, body)
    assert match(expected, as_record(body, metadata={"isDeleted": True})) is Match.NO


def test_a_transfer_without_text_is_another_only_when_both_accounts_and_amount_differ() -> None:
    body = payloads.transfer(TRANSFER, traits_of(Platform.XERO), Profile.MATCHED)
    expected = fingerprint_of_body(RecordKind.TRANSFER, REFERENCE, body)
    record = as_record(body)
    turned = {"from": record["to"], "to": record["from"]}
    dearer = {"from": record["from"] | {"amount": Decimal("400.01")}}
    assert not is_another(expected, as_record(body, date="2026-01-01"))
    assert not is_another(expected, as_record(body, **turned))
    assert not is_another(expected, as_record(body, **dearer))
    assert not is_another(expected, as_record(body, metadata={"isDeleted": True}))
    assert is_another(
        expected, as_record(body, **{"from": record["to"] | {"amount": Decimal(1)}, "to": record["from"]})
    )


def test_a_record_of_another_text_may_still_be_ours_until_something_else_differs_too() -> None:
    body = payloads.transfer(TRANSFER, traits_of(Platform.SANDBOX), Profile.MATCHED)
    expected = fingerprint_of_body(RecordKind.TRANSFER, REFERENCE, body)
    dearer = {"from": as_record(body)["from"] | {"amount": Decimal("400.01")}}
    assert not is_another(expected, as_record(body, description="Loan"))
    assert is_another(expected, as_record(body, description="Loan", **dearer))
    assert not is_another(expected, as_record(body, **dearer)), "it carries our reference"
