"""Bodies: what Codat's official models accept, each platform's limits, and the guide of 2023 to the letter."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from codat_lending.models import shared
from hypothesis import given
from hypothesis import strategies as st

from worker.codat import payloads
from worker.codat.payloads import (
    AccountBody,
    BankAccountBody,
    BankTransactionBody,
    DirectCostBody,
    FeedMappingBody,
    SourceAccountBody,
    SupplierBody,
    TransferBody,
)
from worker.codat.platforms import Platform, traits_of
from worker.codat.profiles import Profile

REFERENCE = "LW-L1-drawdown-D1-transfer"
TRANSFER = TransferBody(REFERENCE, "Drawdown D1", date(2026, 1, 5), 100_000, "GBP", "lender", "borrower", "supplier")
COST = DirectCostBody(
    REFERENCE, "Interest", date(2026, 2, 5), 6_667, "GBP", "supplier", "Bank of Dave", "expense", "lender", None
)
LINE = BankTransactionBody(REFERENCE, "Drawdown D1", date(2026, 1, 5), -100_000, "GBP", "feed/1", -100_000)

SANDBOX = traits_of(Platform.SANDBOX)


def read(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("platform", Platform)
def test_codats_official_models_accept_every_body_on_every_platform(platform: Platform, profile: Profile) -> None:
    traits = traits_of(platform)
    transfer = shared.AccountingTransfer.model_validate_json(payloads.transfer(TRANSFER, traits, profile))
    assert transfer.from_ is not None
    assert transfer.from_.amount == Decimal("1000.00")
    cost = shared.DirectCostPrototype.model_validate_json(payloads.direct_cost(COST, traits, profile))
    assert cost.sub_total == cost.total_amount == cost.line_items[0].unit_amount == Decimal("66.67")
    line = shared.AccountingCreateBankTransactions.model_validate_json(payloads.bank_transaction(LINE, traits, profile))
    assert line.transactions is not None
    assert line.transactions[0].amount == Decimal("-1000.00")


@pytest.mark.parametrize("platform", Platform)
def test_codats_official_models_accept_the_records_a_mapping_creates(platform: Platform) -> None:
    traits = traits_of(platform)
    bank = payloads.bank_account(BankAccountBody("Bank of Dave loan", "GBP", "12345678", "123456"))
    assert shared.BankAccountPrototype.model_validate_json(bank).account_name == "Bank of Dave loan"
    account = payloads.account(AccountBody("Loan interest", "4290", currency="GBP"), traits)
    assert shared.AccountPrototype.model_validate_json(account).nominal_code == "4290"
    supplier = payloads.supplier(SupplierBody("Bank of Dave", "GBP"))
    assert shared.AccountingSupplier.model_validate_json(supplier).supplier_name == "Bank of Dave"


def test_codats_official_models_accept_a_source_account_and_its_mapping() -> None:
    body = payloads.source_account(SourceAccountBody("bod-1", "Bank of Dave loan", "66260701", "GBP", 0, "040004"))
    source = shared.SourceAccountV2Prototype.model_validate_json(body)
    assert (source.id, source.account_type.value, source.balance) == ("bod-1", "loan", Decimal("0.00"))
    mapping = payloads.feed_mapping(FeedMappingBody("bod-1", feed_start=date(2026, 1, 5)))
    read_back = shared.BankFeedBankAccountMapping.model_validate_json(mapping)
    assert read_back.source_account_id == "bod-1"
    assert "targetAccountId" not in read(mapping)


def test_the_guide_of_2023_is_sent_request_by_request_with_the_schemas_field_names() -> None:
    day = "2026-02-05T00:00:00Z"
    amount = Decimal("320.00")
    transfer = TransferBody("ref", "words", date(2026, 2, 5), 32_000, "GBP", "borrower", "lender")
    assert read(payloads.transfer(transfer, SANDBOX, Profile.CODAT_2023)) == {
        "date": day,
        "from": {"accountRef": {"id": "borrower"}, "amount": amount, "currency": "GBP"},
        "to": {"accountRef": {"id": "lender"}, "amount": amount, "currency": "GBP"},
    }
    line = BankTransactionBody("ref", "Repayment", date(2026, 2, 5), 40_000, "GBP", "lender", 60_000)
    assert read(payloads.bank_transaction(line, SANDBOX, Profile.CODAT_2023)) == {
        "accountId": "lender",
        "transactions": [
            {"id": "ref", "amount": Decimal("400.00"), "date": day, "description": "Repayment ref"},
        ],
    }
    cost = DirectCostBody("ref", "x", date(2026, 2, 5), 8_000, "GBP", "supplier", "Dave", "expense", "lender")
    fee = Decimal("80.00")
    assert read(payloads.direct_cost(cost, SANDBOX, Profile.CODAT_2023)) == {
        "issueDate": day,
        "currency": "GBP",
        "subTotal": fee,
        "taxAmount": 0,
        "totalAmount": fee,
        "contactRef": {"id": "supplier", "dataType": "suppliers"},
        "paymentAllocations": [{"payment": {"accountRef": {"id": "lender"}}, "allocation": {"totalAmount": fee}}],
        "lineItems": [
            {
                "description": "Fees and/or interest",
                "quantity": 1,
                "unitAmount": fee,
                "taxAmount": 0,
                "accountRef": {"id": "expense"},
            }
        ],
    }


def test_an_amount_is_written_with_exactly_its_currencys_decimals() -> None:
    for minor, currency, text in [
        (1, "GBP", b'"amount":0.01'),
        (-40_000, "GBP", b'"amount":-400.00'),
        (1_200, "JPY", b'"amount":1200'),
        (1_234, "KWD", b'"amount":1.234'),
        (10**35, "GBP", b'"amount":1' + b"0" * 33 + b".00"),
    ]:
        body = BankTransactionBody("r", "d", date(2026, 1, 5), minor, currency, "a")
        assert text in payloads.bank_transaction(body, SANDBOX, Profile.MATCHED)


@given(st.integers(-(10**30), 10**30), st.text(min_size=1, max_size=300), st.sampled_from(Platform))
def test_the_same_movement_is_the_same_bytes_and_no_amount_is_ever_rounded(
    minor: int, words: str, platform: Platform
) -> None:
    body = BankTransactionBody(
        "ref", words.encode("utf-8", "ignore").decode(), date(2026, 1, 5), minor, "GBP", "a", minor
    )
    first = payloads.bank_transaction(body, traits_of(platform), Profile.MATCHED)
    assert first == payloads.bank_transaction(body, traits_of(platform), Profile.MATCHED)
    assert Fraction(read(first)["transactions"][0]["amount"]) * 100 == minor


def test_xero_needs_a_status_on_both_sides_of_a_transfer_and_keeps_no_description() -> None:
    body = read(payloads.transfer(TRANSFER, traits_of(Platform.XERO), Profile.MATCHED))
    assert body["from"]["status"] == body["to"]["status"] == "Unreconciled"
    assert "description" not in body


def test_quickbooks_online_gets_a_reference_below_22_characters_and_its_untaxed_rate() -> None:
    body = read(payloads.direct_cost(COST, traits_of(Platform.QUICKBOOKS_ONLINE), Profile.MATCHED))
    assert len(body["reference"]) == 21
    assert body["reference"].startswith("LW-L1-drawdo")
    assert body["lineItems"][0]["taxRateRef"] == {"id": "NON"}
    assert body["lineItems"][0]["description"].endswith(REFERENCE)


def test_freeagent_gets_one_line_a_note_and_no_contact() -> None:
    body = read(payloads.direct_cost(COST, traits_of(Platform.FREEAGENT), Profile.MATCHED))
    assert body["note"] == f"Interest {REFERENCE}"
    assert len(body["lineItems"]) == 1
    assert not {"contactRef", "reference"} & body.keys()


def test_sage_intacct_gets_the_payee_as_its_note() -> None:
    body = read(payloads.direct_cost(COST, traits_of(Platform.SAGE_INTACCT), Profile.CODAT_2023))
    assert body["note"] == "Bank of Dave"
    assert body["paymentAllocations"][0]["payment"]["paidOnDate"] == "2026-02-05T00:00:00Z"


def test_a_feed_that_needs_the_running_balance_gets_it_in_every_profile() -> None:
    for profile in Profile:
        body = read(payloads.bank_transaction(LINE, traits_of(Platform.XERO), profile))
        assert body["transactions"][0]["balance"] == Decimal("-1000.00")


def test_a_negative_direct_cost_turns_every_amount_of_its_only_line() -> None:
    cost = DirectCostBody("r", "d", date(2026, 2, 5), -6_667, "GBP", "s", "Dave", "expense", "lender")
    body = read(payloads.direct_cost(cost, traits_of(Platform.XERO), Profile.MATCHED))
    line = body["lineItems"][0]
    assert {body["totalAmount"], body["subTotal"], line["unitAmount"], line["totalAmount"]} == {Decimal("-66.67")}
    assert line["quantity"] == 1


@given(st.text(min_size=1, max_size=120), st.text(min_size=1, max_size=120), st.integers(9, 60))
def test_shortened_references_fit_their_limit_and_stay_different(one: str, other: str, limit: int) -> None:
    one, other = f"LW-loan-0000000000000000000000-{one}", f"LW-loan-0000000000000000000000-{other}"
    assert len(payloads.shorten(one, limit)) <= limit
    if one != other:
        assert payloads.shorten(one, limit) != payloads.shorten(other, limit)


def test_a_bank_line_ends_in_its_whole_reference_and_has_at_most_a_hundred_characters() -> None:
    line = BankTransactionBody(REFERENCE, "x" * 200, date(2026, 1, 5), 1, "GBP", "a")
    written = read(payloads.bank_transaction(line, SANDBOX, Profile.MATCHED))["transactions"][0]
    assert written["description"].endswith(f"xxx {REFERENCE}")
    assert len(written["description"]) == 100
    assert written["id"] == payloads.bank_transaction_id(REFERENCE) == REFERENCE
