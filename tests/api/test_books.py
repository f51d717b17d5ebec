"""The books of a ledger made over the API, as an auditor reads them: trial balance, statements, journal and chain."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from beancount import loader
from beancount.core.data import Open
from beancount.core.data import Transaction as Moved
from modern_treasury import AsyncModernTreasury
from modern_treasury.types.shared_params import LedgerEntryCreateRequest

from tests.api.lendnow import SIDES, Status
from worker.database import Database
from worker.ledger.journal.formats import JournalFormat
from worker.operations.auditor import Auditor
from worker.operations.reader import Reader

HUGE = 10**36 - 1
UNITS = (("USD", 2), ("JPY", 0), ("Points & Perks", 0), ("ACRE", 30), ("btc", 8), ("TRUE", 3), ("€", 2), ("R2-D2", 1))
"""Currencies with their exponents: known ones, and whatever a lender calls its own."""

NAMES = (
    'He said "no"\nand left; | ^x #y',
    "Zürich \\ {0}",
    " x  y ",
    "2020-01-01 open Assets:Cash",
    "💰" * 3,
    ";",
    "a:b",
    "-",
)


DAY = date(2026, 3, 2)

Amounts = dict[str, tuple[int, int]]
"""Debits less credits of accounts by id: minor units, and the currency's exponent."""


@dataclass(frozen=True)
class Odd:
    """A ledger whose every name is an odd one, and what its accounts should stand at by id."""

    id: str
    posted: Amounts
    pending: Amounts


def major(minor: int, exponent: int) -> Fraction:
    """Minor units in major ones; decimals would be rounded by the next sum."""
    return Fraction(minor, 10**exponent)


@pytest.fixture
async def odd(client: AsyncModernTreasury) -> Odd:
    """Two accounts for each currency, some without external id; a posted, a pending and an archived transaction."""
    ledger = await client.ledgers.create(name='The "other"\nledger; €')
    moved: dict[str, Amounts] = {"posted": {}, "pending": {}, "archived": {}}
    for number, ((currency, exponent), name) in enumerate(zip(UNITS, NAMES, strict=True)):
        about: dict[str, Any] = {"currency": currency, "currency_exponent": exponent, "ledger_id": ledger.id}
        given: dict[str, Any] = {"external_id": f"{name}{number}"} if number % 2 else {}
        metadata = {"a key": "a\nvalue", "Ünï": name}
        debited, credited = [
            await client.ledger_accounts.create(name=name, normal_balance=side, metadata=metadata, **about, **words)
            for side, words in zip(SIDES, (given, {}), strict=True)
        ]
        amounts: dict[Status, int] = {"posted": HUGE - number, "pending": 5, "archived": 7}
        for status, amount in amounts.items():
            entries: list[LedgerEntryCreateRequest] = [
                {"ledger_account_id": one.id, "direction": side, "amount": amount}
                for one, side in zip((debited, credited), SIDES, strict=True)
            ]
            await client.ledger_transactions.create(
                status=status,
                description=name,
                external_id=f"{status} {name}{number}",
                effective_at=DAY.isoformat(),
                ledger_entries=entries,
                metadata=metadata,
            )
            for one, sign in ((debited, 1), (credited, -1)):
                moved[status][one.id] = (sign * amount, exponent)
    return Odd(ledger.id, moved["posted"], moved["pending"])


async def test_beancount_reads_every_odd_name_and_comes_to_the_same_balances(database: Database, odd: Odd) -> None:
    pieces: list[str] = []
    await Auditor(database).export(JournalFormat.BEANCOUNT, (None, None), pieces.append, odd.id)

    entries, errors, _ = loader.load_string("".join(pieces))

    assert not errors
    ids = {one.account: one.meta["ledger-id"] for one in entries if isinstance(one, Open)}
    assert set(ids.values()) == set(odd.posted)
    for flag, expected in (("*", odd.posted), ("!", odd.pending)):
        transactions = [one for one in entries if isinstance(one, Moved) and one.flag == flag]
        sums = defaultdict[str, Fraction](Fraction)
        for leg in (leg for one in transactions for leg in one.postings):
            assert leg.units is not None
            assert leg.units.number is not None
            sums[ids[leg.account]] += Fraction(leg.units.number)
        assert sums == {account: major(*amount) for account, amount in expected.items()}
    assert {one.meta["ledger-name"] for one in entries if isinstance(one, Open)} == set(NAMES)


async def test_trial_balance_and_statements_show_every_digit(database: Database, odd: Odd) -> None:
    trial = await Reader(database).trial_balance(None, ledger=odd.id)

    standing = {one["ledger_account_id"]: Fraction(one["debit"]) - Fraction(one["credit"]) for one in trial["accounts"]}
    assert standing == {account: major(*amount) for account, amount in odd.posted.items()}
    assert all(total["debit"] == total["credit"] for total in trial["totals"])
    for account, amount in odd.posted.items():
        statement = await Reader(database).statement(account, DAY, DAY, odd.id)
        assert Fraction(statement["closing_balance"]) == abs(major(*amount))
        assert [line["status"] for line in statement["lines"]] == ["posted", "pending"]


async def test_a_past_trial_balance_says_why_its_totals_differ(database: Database, client: AsyncModernTreasury) -> None:
    ledger = await client.ledgers.create(name="Apart")
    due, paid = [
        await client.ledger_accounts.create(name=side, normal_balance=side, ledger_id=ledger.id, currency="USD")
        for side in SIDES
    ]
    for status in ("posted", "pending"):
        await client.ledger_transactions.create(
            status=status,
            effective_at="2020-05-06",
            ledger_entries=[
                {"ledger_account_id": due.id, "direction": "debit", "amount": 50, "effective_at": "2018-01-01"},
                {"ledger_account_id": paid.id, "direction": "credit", "amount": 50, "effective_at": "2032-01-01"},
            ],
        )
    reader = Reader(database)

    between = await reader.trial_balance(date(2025, 1, 1), ledger=ledger.id)
    whole = [await reader.trial_balance(day, ledger=ledger.id) for day in (None, date(2032, 1, 1), date(2017, 1, 1))]

    assert [(one["debit"], one["credit"]) for one in between["totals"]] == [("0.50", "0.00")]
    assert between["dated_apart"] == {
        "transactions": 1,
        "differences": [{"currency": "USD", "currency_exponent": 2, "difference": "0.50"}],
    }
    assert [one["dated_apart"] for one in whole] == [None, None, None]


async def test_its_chain_is_verified_alone(database: Database, odd: Odd) -> None:
    document = await Auditor(database).verify(odd.id)

    assert [(one["ledger_id"], one["links"]) for one in document["ledgers"]] == [(odd.id, 3 * len(UNITS))]
    assert document["findings"] == []
