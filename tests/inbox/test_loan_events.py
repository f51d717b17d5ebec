"""Every loan event of the contract is understood, and every way to spoil one names the field that is wrong."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inbox.samples import COMPANY, CONNECTION, DATA, document, event
from worker.errors import Rejected
from worker.loans import events
from worker.loans.event_text import parse_event
from worker.loans.events import EVENT_TYPES, InterestRecognition, Investor, Loss
from worker.loans.fields import MAX_METADATA_TEXTS
from worker.money import MAX_MINOR_DIGITS, format_major
from worker.strict_json import MAX_NESTING

WHEN: dict[str, Any] = {
    "timestamp": datetime(2026, 1, 31, 9, 30, tzinfo=UTC), "currency": "GBP", "effective_date": date(2026, 1, 31),
}  # fmt: skip
OF_LOAN: dict[str, Any] = {**WHEN, "loan_id": "L-1"}

MEANING = {
    "capital.contributed": events.CapitalContributed(investor_id="LP-1", amount=1_000_000, **WHEN),
    "capital.distributed": events.CapitalDistributed(investor_id="LP-1", principal=100_000, interest=2_550, **WHEN),
    "loan.created": events.LoanCreated(
        borrower_id="B-1",
        company_id=UUID(COMPANY),
        connection_id=UUID(CONNECTION),
        interest_recognition=InterestRecognition.AT_DISBURSEMENT,
        investors=(Investor("LP-1", Fraction(3, 5)), Investor("LP-2", Fraction(3, 20))),
        **OF_LOAN,
    ),
    "loan.disbursed": events.LoanDisbursed(drawdown_id="D-1", amount=100_000, interest=20_000, fee=1_000, **OF_LOAN),
    "loan.interest_accrued": events.InterestAccrued(accrual_id="A-1", amount=2_000, **OF_LOAN),
    "loan.interest_rebated": events.InterestRebated(rebate_id="B-1", amount=1_000, kind="early pay-off", **OF_LOAN),
    "loan.rebate_reversed": events.RebateReversed(rebate_id="B-1", reason="the pay-off bounced", **OF_LOAN),
    "loan.fee_charged": events.FeeCharged(fee_id="F-1", amount=500, kind="late payment", **OF_LOAN),
    "loan.fee_waived": events.FeeWaived(fee_id="F-1", amount=500, kind="late payment", **OF_LOAN),
    "loan.repayment_initiated": events.RepaymentInitiated(
        repayment_id="R-1", principal=33_333, interest=6_667, fees=0, **OF_LOAN
    ),
    "loan.repayment_settled": events.RepaymentSettled(
        repayment_id="R-1",
        principal=33_333,
        interest=6_667,
        fees=0,
        overpayment=100,
        unapplied_cash=10_000,
        processing_cost=401,
        **OF_LOAN,
    ),
    "loan.repayment_failed": events.RepaymentFailed(repayment_id="R-1", reason="R01 insufficient funds", **OF_LOAN),
    "loan.repayment_reversed": events.RepaymentReversed(repayment_id="R-1", reason="R10 – not authorised", **OF_LOAN),
    "loan.refunded": events.LoanRefunded(refund_id="RF-1", amount=100, **OF_LOAN),
    "loan.written_off": events.LoanWrittenOff(
        principal=10_000, interest=1_000, fees=100, losses=(Loss("LP-1", 6_000), Loss("LP-2", 1_500)), **OF_LOAN
    ),
    "loan.recovered": events.LoanRecovered(amount=5_000, **OF_LOAN),
    "loan.closed": events.LoanClosed(**OF_LOAN),
    "cash.received": events.CashReceived(amount=40_100, **WHEN),
    "cash.swept": events.CashSwept(amount=500_000, **WHEN),
    "expense.incurred": events.ExpenseIncurred(amount=1_234, kind="bank charges", **WHEN),
}


def refused(body: bytes) -> Rejected:
    with pytest.raises(Rejected) as refusal:
        parse_event(body)
    return refusal.value


def test_the_samples_cover_every_type() -> None:
    assert set(MEANING) == set(EVENT_TYPES) == set(DATA)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_every_type_means_what_it_says(event_type: str) -> None:
    assert parse_event(event(event_type)) == MEANING[event_type]


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_unknown_fields_are_ignored(event_type: str) -> None:
    sent = document(event_type, campaign={"name": "spring", "deep": [[{"x": 1e300}]]})
    sent["source"] = "loan system 7"
    assert parse_event(json.dumps(sent).encode()) == MEANING[event_type]


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_metadata_keeps_its_texts_and_nothing_else(event_type: str) -> None:
    odd = {
        "deep": [[{"x": 1e300}]],
        "number": 1,
        "control": "\x1f",
        "": "no key",
        "k" * 101: "long key",
        "long": "x" * 501,
    }
    kept = {"paymentMethod": "ach", "Straße": "ja"}
    assert parse_event(event(event_type, metadata={**odd, **kept})).metadata == tuple(kept.items())
    assert parse_event(event(event_type, metadata=["ach"])) == MEANING[event_type]


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_more_metadata_than_the_ledger_keeps_is_impossible(event_type: str) -> None:
    most = {f"key {n}": "text" for n in range(MAX_METADATA_TEXTS)}
    assert parse_event(event(event_type, metadata={**most, "number": 1})).metadata == tuple(most.items())
    error = refused(event(event_type, metadata={**most, "one more": "text"}))
    assert (error.status, error.field) == (422, "data.metadata")


OPTIONAL = {"investors", "interest", "fee", "overpayment", "unapplied_cash", "processing_cost"}
REQUIRED = [
    (event_type, name)
    for event_type, data in DATA.items()
    for name in (*data, "currency")
    if not (
        event_type in ("loan.disbursed", "loan.created", "loan.repayment_settled") and name in OPTIONAL - {"amount"}
    )
    and (event_type, name) != ("loan.repayment_settled", "amount")
    and event_type != "loan.written_off"
] + [("loan.repayment_settled", "interest"), ("loan.written_off", "loan_id")]


@pytest.mark.parametrize(("event_type", "name"), REQUIRED)
@pytest.mark.parametrize("absent", [..., None])
def test_a_missing_field_names_itself(event_type: str, name: str, absent: object) -> None:
    error = refused(event(event_type, **{name: absent}))
    assert (error.status, error.field, error.code) == (400, f"data.{name}", "missing_field")


@pytest.mark.parametrize(
    ("event_type", "name"),
    [(kind, name) for kind, data in DATA.items() for name in (*data, "currency", "effective_date")],
)
@pytest.mark.parametrize("wrong", [True, [], {}, [1], {"a": 1}])
def test_a_field_of_the_wrong_type_names_itself(event_type: str, name: str, wrong: object) -> None:
    if name in ("investors", "losses") and wrong == []:
        wrong = "nobody"
    error = refused(event(event_type, **{name: wrong}))
    assert error.status == 400
    assert error.field is not None
    assert error.field.startswith(f"data.{name}")


AMOUNTS = [
    (kind, name) for kind in DATA for name in DATA[kind] if name in ("amount", "principal", "interest", "fees", "fee")
]


@pytest.mark.parametrize(("event_type", "name"), AMOUNTS)
@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ("0.001", 422),
        ("-1.00", 422),
        ("1e400", 422),
        ("1e-999999999", 422),
        ("1" * 37, 422),
        ("9" * 10_000, 422),
        ("", 400),
        (" 1.00", 400),
        ("1,00", 400),
        ("1_000", 400),
        ("+1", 400),
        ("01.00", 400),
        (".5", 400),
        ("5.", 400),
        ("NaN", 400),
        ("Infinity", 400),
        ("0x10", 400),
        ("١٢", 400),
        ("£5", 400),
    ],
)
def test_an_impossible_amount_names_its_field(event_type: str, name: str, wrong: str, status: int) -> None:
    error = refused(event(event_type, **{name: wrong}))
    assert (error.status, error.field) == (status, f"data.{name}")


@pytest.mark.parametrize("number", ["40000.00", "4e4", "4E+4", "40000", "4000000e-2", "40000.0000000000000000000000"])
def test_an_amount_is_exact_however_it_is_written(number: str) -> None:
    for written in (number, f'"{number}"'):
        body = event("loan.recovered", amount="AMOUNT").replace(b'"AMOUNT"', written.encode())
        assert parse_event(body) == events.LoanRecovered(amount=4_000_000, **OF_LOAN)


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [("JPY", "400", 400), ("BHD", "0.001", 1), ("GBP", "0.1", 10), ("USD", "9007199254740993.01", 900719925474099301)],
)
def test_amounts_follow_their_currencys_minor_unit(currency: str, text: str, minor: int) -> None:
    for amount in (text, json.loads(text, parse_float=Decimal)):
        body = json.dumps(document("expense.incurred", currency=currency, amount=str(amount))).encode()
        parsed = parse_event(body)
        assert isinstance(parsed, events.ExpenseIncurred)
        assert parsed.amount == minor


@given(st.integers(1, 10**MAX_MINOR_DIGITS - 1), st.sampled_from(["GBP", "JPY", "BHD"]), st.booleans())
def test_any_amount_survives_the_wire(minor: int, currency: str, as_number: bool) -> None:
    text = format_major(minor, currency)
    body = event("loan.recovered", amount="AMOUNT", currency=currency)
    body = body.replace(b'"AMOUNT"', text.encode() if as_number else f'"{text}"'.encode())
    parsed = parse_event(body)
    assert isinstance(parsed, events.LoanRecovered)
    assert parsed.amount == minor


@pytest.mark.parametrize(
    ("event_type", "changes", "field"),
    [
        ("loan.repayment_settled", {"amount": "400.99"}, "data.amount"),
        (
            "loan.repayment_settled",
            {"principal": "0", "interest": "0", "overpayment": ..., "amount": ...},
            "data.amount",
        ),
        ("loan.repayment_settled", {"unapplied_cash": "401.01"}, "data.unapplied_cash"),
        ("loan.repayment_settled", {"processing_cost": "301.01"}, "data.processing_cost"),
        ("loan.repayment_initiated", {"principal": "0.00", "interest": 0}, "data.principal"),
        ("capital.distributed", {"principal": 0, "interest": 0}, "data.principal"),
        ("loan.written_off", {"amount": "110.99"}, "data.amount"),
        ("loan.written_off", {"principal": "0", "interest": ..., "fees": ..., "losses": ...}, "data.amount"),
        ("loan.disbursed", {"fee": "1000.01"}, "data.fee"),
        ("loan.disbursed", {"amount": "0.00", "fee": ...}, "data.amount"),
        ("loan.refunded", {"amount": 0}, "data.amount"),
        ("loan.created", {"interest_recognition": "both"}, "data.interest_recognition"),
        ("loan.closed", {"currency": "gbp"}, "data.currency"),
        ("loan.closed", {"currency": "XXX"}, "data.currency"),
        ("loan.closed", {"effective_date": "0001-01-01"}, "data.effective_date"),
        ("loan.closed", {"effective_date": "9999-12-31"}, "data.effective_date"),
        ("loan.created", {"investors": [{"investor_id": "A", "share": "0.7"}] * 2}, "data.investors"),
        (
            "loan.created",
            {"investors": [{"investor_id": "A", "share": "0.7"}, {"investor_id": "B", "share": "0.31"}]},
            "data.investors",
        ),
        ("loan.created", {"investors": [{"investor_id": "A", "share": "1.01"}]}, "data.investors[0].share"),
        ("loan.written_off", {"losses": [{"investor_id": "A", "amount": "1"}] * 2}, "data.losses"),
        ("loan.written_off", {"losses": [{"investor_id": "A", "amount": "100.01"}]}, "data.losses"),
        ("loan.written_off", {"losses": [{"investor_id": "A", "amount": "0"}]}, "data.losses[0].amount"),
    ],
)
def test_what_can_never_be_right_is_impossible_and_names_its_field(
    event_type: str, changes: dict[str, Any], field: str
) -> None:
    error = refused(event(event_type, **changes))
    assert (error.status, error.field, error.code) == (422, field, "impossible_event")


@pytest.mark.parametrize(
    ("event_type", "changes", "field"),
    [
        ("loan.closed", {"loan_id": ""}, "data.loan_id"),
        ("loan.closed", {"loan_id": "L" * 101}, "data.loan_id"),
        ("loan.closed", {"loan_id": "L\n1"}, "data.loan_id"),
        ("loan.closed", {"loan_id": "L\u202e1"}, "data.loan_id"),
        ("loan.closed", {"loan_id": 17}, "data.loan_id"),
        ("loan.closed", {"effective_date": "2026-02-30"}, "data.effective_date"),
        ("loan.closed", {"effective_date": "20260131"}, "data.effective_date"),
        ("loan.closed", {"effective_date": "2026-W05-6"}, "data.effective_date"),
        ("loan.closed", {"effective_date": "2026-01-31T00:00:00Z"}, "data.effective_date"),
        ("loan.recovered", {"effective_date": ...}, "data.effective_date"),
        ("loan.repayment_failed", {"reason": ""}, "data.reason"),
        ("loan.repayment_failed", {"reason": "x" * 501}, "data.reason"),
        ("loan.repayment_failed", {"reason": "line\x07"}, "data.reason"),
        ("loan.created", {"company_id": "company"}, "data.company_id"),
        ("loan.created", {"investors": {}}, "data.investors"),
        ("loan.created", {"investors": ["A"]}, "data.investors[0]"),
        ("loan.created", {"investors": [{"investor_id": "A"}]}, "data.investors[0].share"),
        ("loan.created", {"investors": [{"share": "1"}]}, "data.investors[0].investor_id"),
        ("loan.created", {"investors": [{"investor_id": "A", "share": "-0.1"}]}, "data.investors[0].share"),
        ("loan.created", {"investors": [{"investor_id": "A", "share": "1e-9"}]}, "data.investors[0].share"),
        ("loan.created", {"investors": [{"investor_id": str(n), "share": "0"} for n in range(101)]}, "data.investors"),
        ("loan.written_off", {"principal": ..., "interest": ..., "fees": ...}, "data.amount"),
        ("loan.written_off", {"losses": ["A"]}, "data.losses[0]"),
        ("loan.written_off", {"losses": [{"amount": "1"}]}, "data.losses[0].investor_id"),
        ("loan.written_off", {"losses": [{"investor_id": "A"}]}, "data.losses[0].amount"),
    ],
)
def test_what_is_malformed_names_its_field(event_type: str, changes: dict[str, Any], field: str) -> None:
    error = refused(event(event_type, **changes))
    assert (error.status, error.field) == (400, field)


def test_a_write_off_of_one_amount_is_principal() -> None:
    body = event("loan.written_off", principal=..., interest=..., fees=..., losses=..., amount="75.00")
    assert parse_event(body) == events.LoanWrittenOff(principal=7_500, **OF_LOAN)


@pytest.mark.parametrize("event_type", ["loan.created", "loan.closed"])
def test_an_event_that_moves_no_money_counts_for_the_day_it_was_sent(event_type: str) -> None:
    sent = document(event_type, effective_date=...)
    sent["timestamp"] = "2026-03-01T00:30:00+02:00"
    assert parse_event(json.dumps(sent).encode()).effective_date == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"type": ...}, 400, "type"),
        ({"type": None}, 400, "type"),
        ({"type": 5}, 400, "type"),
        ({"type": "loan.exploded"}, 422, "type"),
        ({"timestamp": ...}, 400, "timestamp"),
        ({"timestamp": 1767225600}, 400, "timestamp"),
        ({"timestamp": "2026-01-31"}, 400, "timestamp"),
        ({"timestamp": "2026-01-31T09:30:00"}, 400, "timestamp"),
        ({"timestamp": "0001-01-01T00:00:00Z"}, 422, "timestamp"),
        ({"data": ...}, 400, "data"),
        ({"data": []}, 400, "data"),
        ({"data": "x"}, 400, "data"),
    ],
)
def test_a_spoilt_envelope_names_its_field(changes: dict[str, Any], status: int, field: str) -> None:
    sent = {name: value for name, value in {**document("loan.closed"), **changes}.items() if value is not ...}
    error = refused(json.dumps(sent).encode())
    assert (error.status, error.field) == (status, field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"   ", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b"17", "body"),
        (b'"loan.closed"', "body"),
        (b"\xef\xbb\xbf{}", "body"),
        (b'{"type": "\xff"}', "body"),
        (b'{"type": "\xed\xa0\x80"}', "body"),
        ('{"type": "loan.closed"}'.encode("utf-16"), "body"),
        (b'{"a": NaN}', "body"),
        (b'{"a": -Infinity}', "body"),
        (b'{"a": 01}', "body"),
        (b'{"a": "\x00"}', "body"),
        (b'{"a": 1,}', "body"),
        (b"{'a': 1}", "body"),
        (b'{"a": 1} x', "body"),
        (b'{"a": 1, "a": 1}', "a"),
        (b'{"data": {"loan_id": "1", "loan\\u005fid": "2"}}', "loan_id"),
        (b'{"a": "\\u0000"}', "a"),
        (b'{"a": {"b": [0, "x\\ud800"]}}', "a.b[1]"),
        (b'{"a": {"\\udfff": 1}}', "a.'\\udfff'"),
        (b"[" * 100_000, "body"),
        (b'{"a":' * 100_000, "body"),
        (b'{"a":' * (MAX_NESTING + 1) + b"1" + b"}" * (MAX_NESTING + 1), "body"),
    ],
)
def test_what_is_not_strict_json_is_malformed(body: bytes, field: str) -> None:
    error = refused(body)
    assert (error.status, error.code, error.field) == (400, "malformed_json", field)


def test_many_shallow_objects_are_not_too_deep() -> None:
    assert parse_event(event("loan.closed", history=[{"n": n} for n in range(1000)])) == MEANING["loan.closed"]


@given(st.binary(max_size=200))
def test_noise_is_rejected_and_never_an_error(noise: bytes) -> None:
    assert refused(noise).status in (400, 422)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(EVENT_TYPES)), st.data())
def test_a_field_of_any_value_is_read_or_refused_by_name(event_type: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*DATA[event_type], "currency", "effective_date"]))
    body = event(event_type, **{name: data.draw(json_values)})
    refusal: Rejected | None = None
    try:
        parse_event(body)
    except Rejected as error:
        refusal = error
    assert refusal is None or (refusal.status in (400, 422) and refusal.field is not None)
