"""The ledger as a journal: beancount itself must read it without complaint and come to the same balances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

import pytest
from beancount import loader
from beancount.core.account import is_valid
from beancount.core.data import Open
from beancount.core.data import Transaction as BeancountTransaction
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.books import CASH, LOAN, REVENUE, Ledger, create, credit, debit, earn, reverse
from worker.database import Database
from worker.ledger import store
from worker.ledger.book import midnight
from worker.ledger.journal.formats import JournalFormat, journal_in
from worker.ledger.journal.names import (
    SHORT_ID_DIGITS,
    account_path,
    commodity,
    path_by_name,
    read_account_path,
    read_commodity,
)
from worker.ledger.journal.values import Chart, JournalAccount, JournalEntry, JournalHead, JournalTransaction
from worker.ledger.reading import AccountBalance
from worker.ledger.transaction import AccountSpec, Archive, Direction, NewEntry, Status
from worker.loans.postings import LEDGER_NAME
from worker.money import format_minor, parse_minor
from worker.operations.auditor import Auditor

SOME_ID = UUID("0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000")
DAY = date(2024, 3, 1)
NAMES = st.text(st.sampled_from("aZ9:-_XI é'\"\\") | st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
"""Texts PostgreSQL can hold, most of them awkward."""


@pytest.mark.parametrize(
    ("external_id", "path"),
    [
        ("cash:GBP", "Cash:GBP"),
        ("loan:LN-1001:principal:GBP", "Loan:LN--1001:Principal:GBP"),
        ("investor:MoneyNow:interest_due:GBP", "Investor:MoneyNow-:Interest-5Fdue:GBP"),
        ("loan::x", "Loan:X-X:X-"),
    ],
)
def test_an_account_keeps_a_readable_name(external_id: str, path: str) -> None:
    assert account_path(external_id) == path


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("LendNow Cash Account", "Assets:LendNow-Cash-Account-0190aaaa-I"),
        ("principal - Loan #7", "Assets:Principal-Loan-7-0190aaaa-I"),
        ("Café; crème", "Assets:Cafe-creme-0190aaaa-I"),
        ("現金", "Assets:Account-0190aaaa-I"),
    ],
)
def test_an_account_without_external_id_goes_by_its_name(name: str, path: str) -> None:
    account = JournalAccount(SOME_ID, None, name, Direction.DEBIT, "GBP", 2, {})
    assert paths(account) == [path]


def test_accounts_of_one_name_are_told_apart_by_as_much_of_their_ids_as_it_takes() -> None:
    ids = [SOME_ID, UUID("0190aaaa-bbbb-7ccc-8ddd-eeeeffff0001"), UUID("aaaaaaaa-bbbb-7ccc-8ddd-eeeeffff0000")]
    assert paths(*(JournalAccount(one, None, "Cash", Direction.DEBIT, "GBP", 2, {}) for one in ids)) == [
        "Assets:Cash-0190aaaabbbb7ccc8dddeeeeffff0000-I",
        "Assets:Cash-0190aaaabbbb7ccc8dddeeeeffff0001-I",
        "Assets:Cash-aaaaaaaa-I",
    ]


def paths(*accounts: JournalAccount) -> list[str]:
    """The full names of accounts in one journal."""
    return [path for path, _ in Chart(accounts)]


@given(NAMES)
def test_every_account_has_a_legal_name_of_its_own(external_id: str) -> None:
    path = account_path(external_id)
    assert is_valid(f"Assets:{path}")
    assert path.isascii()
    assert read_account_path(path) == external_id


@given(NAMES)
def test_no_name_makes_an_account_look_like_one_with_an_external_id(name: str) -> None:
    path = path_by_name(name, SOME_ID, SHORT_ID_DIGITS)
    assert is_valid(f"Assets:{path}")
    assert path.isascii()
    with pytest.raises(ValueError, match="no part of an account's name"):
        read_account_path(path)


@pytest.mark.parametrize("path", ["", "Cash:", "cash_GBP", "A-z"])
def test_a_name_no_account_has_is_not_read_as_one(path: str) -> None:
    with pytest.raises(ValueError, match="no part of an account's name"):
        read_account_path(path)


@given(NAMES.filter(bool) | st.sampled_from(["GBP", "TRUE", "V", "X'70", "points", "a-b"]))
def test_every_currency_has_a_name_of_its_own(currency: str) -> None:
    assert read_commodity(commodity(currency)) == currency


def entries(*moves: tuple[UUID, int]) -> tuple[JournalEntry, ...]:
    """Entries of the transaction's own day."""
    return tuple(JournalEntry(account_id, minor, DAY) for account_id, minor in moves)


def read(text: str) -> list[Any]:
    """What beancount makes of a journal, which it must accept."""
    entries, errors, _ = loader.load_string(text)
    assert errors == []
    return entries


def totals(entries: Iterable[Any], flags: str) -> dict[str, Decimal]:
    """What the transactions with these flags leave in every account that is not zero."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        if isinstance(entry, BeancountTransaction) and entry.flag and entry.flag in flags:
            for posting in entry.postings:
                assert posting.units is not None
                assert posting.units.number is not None
                with localcontext(prec=60):
                    sums[posting.account.partition(":")[2]] += posting.units.number
    return {account: total for account, total in sums.items() if total}


TEXT = st.text(st.sampled_from('a"\\\n\r;,|%(^ ') | st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(TEXT, st.dictionaries(TEXT | st.sampled_from(["loanID", "filename", "ledger-id", "TRUE"]), TEXT, max_size=3))
def test_any_text_reaches_beancount_unchanged(words: str, metadata: dict[str, str]) -> None:
    cash, owed = (
        JournalAccount(UUID(int=n), f"{n}{words}", words, side, words or "GBP", 2, metadata)
        for n, side in enumerate(Direction)
    )
    transaction = JournalTransaction(
        SOME_ID, words, Status.POSTED, DAY, words, metadata, None, True, entries((cash.id, 5), (owed.id, -5))
    )
    journal = journal_in(JournalFormat.BEANCOUNT, JournalHead(words, DAY, (cash, owed)))

    *opened, (moved) = read(journal.opening() + journal.transaction(transaction))

    assert [one.account for one in opened] == paths(cash, owed)
    assert {one.meta["ledger-name"] for one in opened} == {words}
    assert (moved.narration, moved.meta["ledger-external-id"], moved.links) == (words, words, {str(SOME_ID)})
    assert all(moved.meta[key] == value for key, value in metadata.items() if key == "loanID")


@pytest.fixture
async def books(database: Database) -> Ledger:
    """The lender's ledger with a bit of everything: two currencies, a currency of its own, every status, a reversal."""
    ledger = await Ledger.open(database, LEDGER_NAME)
    own = (AccountSpec("yen", "Yen", Direction.DEBIT, "JPY"), AccountSpec("dinar", "Dinar", Direction.DEBIT, "KWD"))
    more = (replace(one, external_id=f"{one.external_id}-2", normal_balance=Direction.CREDIT) for one in own)
    async with database.transaction() as connection:
        await store.ensure_accounts(connection, ledger.id, [*own, *more])
    await ledger.post(
        earn("before", 10_000, day=date(2024, 2, 1)),
        earn("old flight", 70, Status.PENDING, day=date(2024, 2, 2)),
        create("mixed", debit(LOAN, 333), credit(CASH, 333), debit("cash-usd", 5), credit("revenue-usd", 5)),
        create("wide", debit("yen", 10**20), credit("yen-2", 10**20), debit("dinar", 1), credit("dinar-2", 1)),
        create("nothing", debit(LOAN, 0), credit(CASH, 0)),
        earn("flight", 25, Status.PENDING, day=date(2024, 3, 5)),
        earn("gone", 1_000_000, Status.PENDING),
        Archive("gone", "no"),
        earn("wrong", 40),
        reverse("wrong", "right", day=date(2024, 3, 7)),
        earn("far", 1, day=date(2199, 1, 1)),
    )
    return ledger


async def exported(ledger: Ledger, language: JournalFormat, first: date | None = None, last: date | None = None) -> str:
    pieces: list[str] = []
    await Auditor(ledger.database).export(language, (first, last), pieces.append)
    return "".join(pieces)


@pytest.mark.parametrize("first", [None, date(2024, 2, 2), DAY, date(2024, 3, 6)])
@pytest.mark.parametrize("last", [None, DAY, date(2024, 3, 6), date(2024, 3, 31)])
async def test_beancount_comes_to_the_ledgers_own_trial_balance(
    books: Ledger, first: date | None, last: date | None
) -> None:
    if first and last and last < first:
        last = first
    entries = read(await exported(books, JournalFormat.BEANCOUNT, first, last))

    async with books.database.connection() as connection:
        accounts = await store.trial_balance(connection, books.id, last)
    signs = {Direction.DEBIT: 1, Direction.CREDIT: -1}
    for flags, kind in (("*", "posted"), ("*!", "pending")):
        ours = {
            account_path(str(one.external_id)): signs[one.normal_balance] * getattr(one, kind)
            for one in accounts
            if getattr(one, kind)
        }
        currencies = {account_path(str(one.external_id)): one.currency for one in accounts}
        theirs = totals(entries, flags)
        assert ours == {name: parse_minor(str(total), currencies[name]) for name, total in theirs.items()}
    assert len([entry for entry in entries if isinstance(entry, Open)]) == len(accounts)


def dated(entry: NewEntry, day: date) -> NewEntry:
    return replace(entry, effective_at=midnight(day))


EARLY, MIDDLE, LATE = date(2018, 1, 1), date(2023, 6, 30), date(2032, 1, 1)


@pytest.fixture
async def apart(books: Ledger) -> Ledger:
    """The same with transactions whose entries are effective on other days than they are."""
    await books.post(
        create("early and late", dated(debit(CASH, 50), EARLY), dated(credit(REVENUE, 50), LATE)),
        create("another day", dated(debit(LOAN, 6), EARLY), dated(credit(CASH, 6), EARLY)),
        create("once more", debit(CASH, 10**30), dated(credit(REVENUE, 10**30 - 1), MIDDLE), credit(REVENUE, 1)),
        create("in flight", dated(debit("cash-usd", 3), MIDDLE), credit("revenue-usd", 3), status=Status.PENDING),
        create("never", dated(debit(CASH, 7), EARLY), credit(REVENUE, 7), status=Status.PENDING),
        Archive("never", "no"),
    )
    return books


PERIODS = [(None, None), (MIDDLE, None), (None, MIDDLE), (date(2019, 1, 1), date(2025, 1, 1)), (DAY, DAY), (LATE, LATE)]
DAYS = [EARLY, date(2022, 1, 1), MIDDLE, DAY, date(2025, 1, 1), LATE, date(2199, 1, 1)]


@pytest.mark.parametrize(("first", "last"), PERIODS)
async def test_entries_count_from_their_own_dates_in_beancount(
    apart: Ledger, first: date | None, last: date | None
) -> None:
    entries = read(await exported(apart, JournalFormat.BEANCOUNT, first, last))

    for day in [day for day in DAYS if first is None or day >= first - timedelta(days=1)]:
        so_far = [entry for entry in entries if entry.date <= day]
        async with apart.database.connection() as connection:
            accounts = await store.trial_balance(connection, apart.id, min(day, last or day))
        for flags, kind in (("*", "posted"), ("*!", "pending")):
            assert totals(so_far, flags) == with_rest(accounts, kind)


def with_rest(accounts: Iterable[AccountBalance], kind: str) -> dict[str, Decimal]:
    """What a journal should come to: the accounts that are not zero, and between dates whatever they lack."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for account in accounts:
        sign = 1 if account.normal_balance is Direction.DEBIT else -1
        amount = Decimal(format_minor(sign * getattr(account, kind), account.exponent))
        sums[account_path(str(account.external_id))] = amount
        with localcontext(prec=60):
            sums["Between-Dates"] -= amount
    return {name: total for name, total in sums.items() if total}


async def test_the_parts_of_a_transaction_are_linked_in_beancount(apart: Ledger) -> None:
    entries = read(await exported(apart, JournalFormat.BEANCOUNT))

    parts = [one for one in entries if isinstance(one, BeancountTransaction) and "and late" in str(one.narration)]
    assert [one.date for one in parts] == [EARLY, LATE]
    assert [one.links for one in parts] == [{parts[0].meta["ledger-id"]}] * 2
    assert [one.account for one in entries if isinstance(one, Open)].count("Equity:Between-Dates") == 1


async def test_entries_carry_their_own_dates_in_hledger(apart: Ledger) -> None:
    text = await exported(apart, JournalFormat.HLEDGER)

    (moved,) = [piece for piece in text.split("\n\n") if "Transaction early and late" in piece]
    assert [line for line in moved.splitlines() if "  ; date:" in line] == [
        "    Assets:Cash  0.50 GBP  ; date:2018-01-01",
        "    Liabilities:Revenue  -0.50 GBP  ; date:2032-01-01",
    ]
    assert moved.startswith("2024-03-01 *")
    assert "Between-Dates" not in text


async def test_hledger_is_given_the_part_of_a_transaction_that_is_within_the_period(apart: Ledger) -> None:
    text = await exported(apart, JournalFormat.HLEDGER, date(2025, 1, 1), LATE)

    (moved,) = [piece for piece in text.split("\n\n") if "Transaction early and late" in piece]
    assert moved.startswith("2032-01-01 *")
    assert [line for line in moved.splitlines() if " GBP" in line] == [
        "    Liabilities:Revenue  -0.50 GBP",
        "    Equity:Between-Dates  0.50 GBP",
    ]
    (carried,) = [piece for piece in text.split("\n\n") if "Carried forward: posted" in piece]
    assert "    Equity:Between-Dates  -0.50 GBP" in carried.splitlines()
    assert text.count("account Equity:Between-Dates") == 1


@pytest.mark.parametrize("language", JournalFormat)
async def test_a_journal_of_undated_entries_knows_nothing_between_dates(books: Ledger, language: JournalFormat) -> None:
    text = await exported(books, language)
    assert "Between-Dates" not in text
    assert "date:" not in text


async def test_a_reversal_is_linked_to_what_it_reverses(books: Ledger) -> None:
    entries = read(await exported(books, JournalFormat.BEANCOUNT))

    moved = {one.meta["ledger-external-id"]: one for one in entries if isinstance(one, BeancountTransaction)}
    assert "gone" not in moved
    assert {name for name, one in moved.items() if one.flag == "!"} == {"flight", "old flight"}
    assert moved["right"].links == moved["wrong"].links == {moved["wrong"].meta["ledger-id"]}
    assert moved["right"].meta["ledger-reverses"] == moved["wrong"].meta["ledger-id"]
    assert moved["mixed"].meta["loanID"] == "1"
    assert not moved["mixed"].links


async def test_an_empty_ledger_is_a_journal_without_transactions(database: Database) -> None:
    ledger = await Ledger.open(database, LEDGER_NAME)
    assert all(isinstance(entry, Open) for entry in read(await exported(ledger, JournalFormat.BEANCOUNT)))


def test_hledger_is_told_the_decimals_and_nothing_it_would_misread() -> None:
    metadata = {"loanID": "L1, north", "type": "x", "a key": "a;b\nc"}
    cash = JournalAccount(UUID(int=1), "cash:GBP", "Cash", Direction.DEBIT, "GBP", 2, {"accountType": "cash"})
    owed = JournalAccount(UUID(int=2), "due:p2", "Due | owed", Direction.CREDIT, "P2", 0, {"accountType": "LP"})
    moves = entries((cash.id, -1_234_567), (cash.id, 1_234_567), (owed.id, 3), (owed.id, -3))
    transaction = JournalTransaction(
        UUID(int=3), "t1", Status.PENDING, DAY, "(no) code; no comment", metadata, UUID(int=4), False, moves
    )
    journal = journal_in(JournalFormat.HLEDGER, JournalHead("Loans", DAY, (cash, owed)))

    text = journal.opening() + journal.transaction(transaction)

    assert text.splitlines() == [
        "; Loans",
        "decimal-mark .",
        "commodity 1000.00 GBP",
        'commodity 1000. "P2"',
        "",
        "account Assets:Cash:GBP",
        "    ; ledger-id: 00000000-0000-0000-0000-000000000001",
        "    ; ledger-external-id: cash:GBP",
        "    ; ledger-name: Cash",
        "    ; accountType: cash",
        "account Liabilities:Due:P2-",
        "    ; ledger-id: 00000000-0000-0000-0000-000000000002",
        "    ; ledger-external-id: due:p2",
        "    ; ledger-name: Due %7C owed",
        "    ; accountType: LP",
        "",
        "2024-03-01 ! %28no) code%3B no comment",
        "    ; ledger-id: 00000000-0000-0000-0000-000000000003",
        "    ; ledger-external-id: t1",
        "    ; ledger-reverses: 00000000-0000-0000-0000-000000000004",
        "    ; loanID: L1%2C north",
        "    ; %74%79%70%65: x",
        "    ; %61%20%6B%65%79: a%3Bb%0Ac",
        "    Assets:Cash:GBP  -12345.67 GBP",
        "    Assets:Cash:GBP  12345.67 GBP",
        '    Liabilities:Due:P2-  3 "P2"',
        '    Liabilities:Due:P2-  -3 "P2"',
    ]
