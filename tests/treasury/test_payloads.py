"""What applied events put into the outbox, request by request."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.loans.books import POSTINGS
from tests.loans.events import Delivery, LoanSystem
from tests.loans.rulebooks import guarded
from worker.errors import Bug
from worker.jobs.job import lane
from worker.ledger.transaction import Create, Direction, NewEntry, NewTransaction, PartialPost, Status
from worker.loans.batch import Batch, Decided
from worker.loans.decision import Apply
from worker.loans.postings import Posting, Postings
from worker.loans.rulebook_text import parse_rulebook
from worker.treasury.objects import Entry, Transaction, read_transaction, transaction_differences
from worker.treasury.payloads import object_key, posting_key, postings_of, with_account_ids
from worker.treasury.posting import NewPosting, ObjectKind, PostingKind, in_order, read_wanted, wanted_document
from worker.wire import JsonObject

LEDGER = UUID(int=1)
OTHER_LEDGER = UUID(int=2)
ACCOUNTS = {"cash:GBP": UUID(int=10), "fees": UUID(int=11)}
HUGE = 10**36 - 1


def written_out(*deliveries: Delivery, postings: Postings = POSTINGS) -> list[NewPosting]:
    """The outbox after these events of loans."""
    batch = Batch({}, {}, {}, postings)
    batch.decide_loans([delivery.incoming(number) for number, delivery in enumerate(deliveries, 1)])
    return postings_of(batch.decided)


def test_a_loans_life_is_one_row_for_each_request_in_the_loans_own_order() -> None:
    loan = LoanSystem()
    rows = written_out(
        loan.create(MoneyNow="0.5"),
        loan.tell("loan.disbursed", drawdown_id="D1", amount=100_000),
        loan.tell("loan.repayment_initiated", repayment_id="R1", principal=100, interest=0, fees=0),
        loan.settle("R1", principal=90),
        loan.tell("loan.repayment_reversed", repayment_id="R1", reason="R10"),
    )
    assert [(row.message_id, row.place, row.kind, row.target) for row in rows] == [
        (1, 0, PostingKind.OPEN, None),
        (2, 0, PostingKind.CREATE, "loan.disbursed:L1:D1"),
        (3, 0, PostingKind.CREATE, "loan.repayment:L1:R1"),
        (4, 0, PostingKind.ARCHIVE, "loan.repayment:L1:R1"),
        (4, 1, PostingKind.CREATE, "loan.repayment:L1:R1"),
        (5, 0, PostingKind.REVERSE, "loan.repayment:L1:R1"),
    ]
    assert {row.lane for row in rows} == {lane("treasury", "loan", "L1")}
    assert {row.loan_id for row in rows} == {"L1"}


def test_a_creation_carries_everything_but_the_accounts_ids() -> None:
    loan = LoanSystem()
    _, row = written_out(loan.create(), loan.tell("loan.fee_charged", fee_id="F1", amount=2_500, kind="late"))
    assert row.body == {
        "external_id": "loan.fee_charged:L1:F1",
        "status": "posted",
        "effective_at": "2026-03-02T00:00:00Z",
        "description": "Fee F1 (late) of loan L1",
        "metadata": {"transactionType": "loan.fee_charged", "loanID": "L1", "event_id": "msg_L1_2"},
        "ledger_entries": [
            {"ledger_account": "loan:L1:fees:GBP", "direction": "debit", "amount": 2_500},
            {"ledger_account": "revenue:fees:GBP", "direction": "credit", "amount": 2_500},
        ],
    }
    assert [account.external_id for account in row.accounts] == ["loan:L1:fees:GBP", "revenue:fees:GBP"]


def test_a_rules_demand_is_a_condition_on_the_entry() -> None:
    loan, rulebook = LoanSystem(), parse_rulebook(guarded("loan.disbursed", "cash"))
    drawn = loan.tell("loan.disbursed", drawdown_id="D1", amount=2_500)
    _, row = written_out(loan.create(), drawn, postings=Postings(rulebook))
    assert row.body["ledger_entries"] == [
        {"ledger_account": "loan:L1:principal:GBP", "direction": "debit", "amount": 2_500},
        {
            "ledger_account": "cash:GBP",
            "direction": "credit",
            "amount": 2_500,
            "available_balance_amount": {"gte": 0},
        },
    ]


def test_changes_say_no_more_than_what_changes() -> None:
    loan = LoanSystem()
    initiated = {"principal": 100, "interest": 0, "fees": 0}
    settled = written_out(
        loan.create(),
        loan.tell("loan.disbursed", drawdown_id="D1", amount=1_000),
        loan.tell("loan.repayment_initiated", repayment_id="R1", **initiated),
        loan.settle("R1", principal=100),
        loan.tell("loan.repayment_initiated", repayment_id="R2", **initiated),
        loan.tell("loan.repayment_failed", repayment_id="R2", reason="R01"),
    )
    assert settled[3].body == {"status": "posted", "effective_at": "2026-03-02T00:00:00Z"}
    assert settled[5].body == {"status": "archived", "metadata": {"archivedReason": "failed: R01"}}
    assert settled[3].accounts == settled[5].accounts == ()


def test_accounts_keep_their_categories_and_come_after_them() -> None:
    (row,) = written_out(LoanSystem().create())
    kept = [read_wanted(wanted_document(account)) for account in row.accounts]
    assert kept == list(row.accounts)
    order = [one.key for one in in_order(kept)]
    assert len(order) == len(set(order))
    for one in in_order(kept):
        assert all(order.index(category.key) < order.index(one.key) for category in one.within)
    principal = next(one for one in kept if one.external_id == "loan:L1:principal:GBP")
    assert principal.body["normal_balance"] == "debit"
    assert (principal.body["currency"], principal.body["currency_exponent"]) == ("GBP", 2)
    assert {one.kind for one in in_order(kept)} == set(ObjectKind)


def test_an_amount_of_36_digits_stays_whole() -> None:
    entries = tuple(NewEntry("cash:GBP", direction, HUGE) for direction in Direction)
    transaction = NewTransaction("x", Status.POSTED, datetime(2026, 3, 2, tzinfo=UTC), None, {}, entries)
    incoming = LoanSystem().create().incoming(1)
    (row,) = postings_of([Decided(incoming, Apply(), Posting((Create(transaction),)))])
    sent = with_account_ids(row.body, ACCOUNTS)
    account = str(ACCOUNTS["cash:GBP"])
    assert sent["ledger_entries"] == [
        {"ledger_account_id": account, "direction": "debit", "amount": HUGE},
        {"ledger_account_id": account, "direction": "credit", "amount": HUGE},
    ]
    assert transaction_differences(sent, read_transaction({**sent, "id": str(LEDGER)})) == ""
    assert json.loads(json.dumps(row.body)) == row.body


def test_an_operation_that_no_event_writes_is_our_own_fault() -> None:
    partial = Decided(LoanSystem().create().incoming(1), Apply(), Posting((PartialPost("x", ()),)))
    with pytest.raises(Bug, match="PartialPost"):
        postings_of([partial])


def test_keys_are_the_same_for_ever_and_differ_in_every_respect() -> None:
    assert str(posting_key(LEDGER, "msg-1", 0)) == "a05c60b6-710f-58ef-81e2-2919cf1b86b7"
    keys = {
        posting_key(LEDGER, "msg-1", 0),
        posting_key(LEDGER, "msg-1", 1),
        posting_key(LEDGER, "msg-2", 0),
        posting_key(OTHER_LEDGER, "msg-1", 0),
    }
    (row,) = written_out(LoanSystem().create())
    keys |= {object_key(ledger, one) for ledger in (LEDGER, OTHER_LEDGER) for one in in_order(row.accounts)}
    assert len(keys) == 4 + 2 * len(in_order(row.accounts))


SENT: JsonObject = {
    "external_id": "x",
    "status": "posted",
    "effective_at": "2026-03-02T00:00:00Z",
    "ledger_entries": [
        {"ledger_account_id": "a", "direction": "debit", "amount": 5},
        {"ledger_account_id": "b", "direction": "credit", "amount": 5},
    ],
}
THERE = Transaction(
    LEDGER, "x", "posted", datetime(2026, 3, 2, tzinfo=UTC), None, (Entry("b", "credit", 5), Entry("a", "debit", 5))
)
"""As sent, in another order."""


def test_the_same_transaction_in_other_words_is_no_difference() -> None:
    assert transaction_differences(SENT, THERE) == ""
    assert transaction_differences({"status": "posted"}, replace(THERE, external_id=None, entries=())) == ""


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (replace(THERE, external_id="y"), "its external id is y, not x"),
        (replace(THERE, status="pending"), "it is pending, not posted"),
        (replace(THERE, effective_at=datetime(2026, 3, 3, tzinfo=UTC)), "it is effective at 2026-03-03 00:00:00+00:00"),
        (
            replace(THERE, entries=(Entry("a", "debit", 6), Entry("b", "credit", 5))),
            "it lacks a debit of 5 on account a; it has a debit of 6 on account a",
        ),
        (
            replace(THERE, entries=(*THERE.entries, *THERE.entries)),
            "it has a credit of 5 on account b; it has a debit of 5 on account a",
        ),
    ],
)
def test_every_difference_is_told_in_words(there: Transaction, words: str) -> None:
    assert words in transaction_differences(SENT, there)
