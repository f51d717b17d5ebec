"""Whatever differs between two states of transactions, their digests differ; and a link follows from the one before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from worker.ledger.chain import FIRST_PREVIOUS, digest_of, hash_of
from worker.ledger.transaction import Direction, Ledgerable, Status
from worker.ledger.written import LedgerAccount, Written, WrittenEntry, sealed_text

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(microseconds=1)
ID, OTHER = UUID(int=1 << 16), UUID(int=2 << 16)


def on_account(account_id: UUID = ID, side: str = "debit", currency: str = "GBP", exponent: int = 2) -> LedgerAccount:
    sealed = sealed_text(account_id, side, currency, exponent)
    return LedgerAccount(account_id, ID, None, Direction(side), currency, exponent, discarded=False, sealed=sealed)


ENTRY = WrittenEntry(ID, 1, ID, Direction.DEBIT, 5, NOON, "{}", 3, 0, 0, 0, 0, NOON, NOON, on_account())
STATE = Written(
    id=ID,
    ledger_id=ID,
    status=Status.POSTED,
    external_id="a",
    description="b",
    metadata='{"k": "v", "l": "w"}',
    effective_at=NOON,
    posted_at=NOON,
    archived_reason="c",
    ledgerable=Ledgerable("return", ID),
    reverses=ID,
    reversed_by=None,
    partially_posts=ID,
    version=0,
    created_at=NOON,
    updated_at=NOON,
    entries=(ENTRY, ENTRY._replace(n=2)),
)


@pytest.mark.parametrize(
    "other",
    [
        *({"id": OTHER}, {"ledger_id": OTHER}, {"status": Status.PENDING}, {"version": 1}),
        *({"external_id": "x"}, {"external_id": None}),
        *({"description": "x"}, {"description": None}, {"archived_reason": "x"}, {"archived_reason": None}),
        {"external_id": "b", "description": "a"},
        *({"metadata": "{}"}, {"metadata": '{"k": "v"}'}, {"metadata": '{"k": "v", "l": "x"}'}),
        *(
            {"metadata": '{"k": "v", "m": "w"}'},
            {"metadata": '{"k": "w", "l": "v"}'},
        ),
        *({"effective_at": LATER}, {"posted_at": LATER}, {"posted_at": None}, {"created_at": LATER}),
        *({"updated_at": LATER}, {"reverses": OTHER}, {"reverses": None}, {"partially_posts": OTHER}),
        *({"partially_posts": None}, {"ledgerable": None}, {"ledgerable": Ledgerable("return", OTHER)}),
        {"ledgerable": Ledgerable("payment_order", ID)},
        *({"entries": ()}, {"entries": (ENTRY,)}, {"entries": (ENTRY._replace(n=2), ENTRY)}),
    ],
    ids=str,
)
def test_whatever_a_state_says_is_in_its_digest(other: dict[str, Any]) -> None:
    assert digest_of(STATE._replace(**other)) != digest_of(STATE)


@pytest.mark.parametrize(
    "other",
    [
        *({"n": 3}, {"direction": Direction.CREDIT}, {"amount": 6}, {"lock_version": 4}, {"effective_at": LATER}),
        *({"account": on_account(OTHER)}, {"account": on_account(side="credit")}),
        *({"account": on_account(currency="USD")}, {"account": on_account(exponent=3)}),
    ],
    ids=str,
)
def test_whatever_an_entry_says_is_in_the_digest_of_its_state(other: dict[str, Any]) -> None:
    for place in (0, 1):
        entries = list(STATE.entries)
        entries[place] = entries[place]._replace(**other)
        assert digest_of(STATE._replace(entries=tuple(entries))) != digest_of(STATE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"external_id": None}, {"external_id": ""}),
        ({"external_id": None}, {"external_id": "-"}),
        ({"external_id": "a b", "description": "c"}, {"external_id": "a", "description": "b c"}),
        ({"metadata": '{"k": "v l w"}'}, {"metadata": '{"k": "v", "l": "w"}'}),
    ],
    ids=str,
)
def test_texts_that_read_alike_one_after_the_other_have_other_digests(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert digest_of(STATE._replace(**one)) != digest_of(STATE._replace(**other))


def test_the_order_of_metadata_and_the_offset_of_a_moment_say_nothing() -> None:
    same = STATE._replace(metadata='{"l": "w", "k": "v"}', posted_at=datetime.fromisoformat("2024-03-01T17:00+05:00"))
    assert digest_of(same) == digest_of(STATE)


def test_a_link_follows_from_the_one_before_and_from_its_digests() -> None:
    digests = digest_of(STATE)
    hashes = {hash_of(*parts) for parts in ((FIRST_PREVIOUS, digests), (digests, digests), (FIRST_PREVIOUS, bytes(32)))}
    assert len(hashes) == 3
