"""Conditions on what a whole category comes to: judged in order, exactly, whoever else posts to the accounts in it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from typing import Never
from uuid import UUID

import pytest

from tests.ledger.books import NOBODYS, Ledger, create, credit, debit
from tests.ledger.own_audit import wrong
from worker.database import Database
from worker.ledger import poster, store
from worker.ledger.foresight import foresee
from worker.ledger.group_poster import GroupPoster
from worker.ledger.memory import Memory
from worker.ledger.transaction import (
    UNSET,
    AccountSpec,
    Archive,
    BalanceCondition,
    BalanceKind,
    CategoryLock,
    CategorySpec,
    Comparison,
    Create,
    Direction,
    NewEntry,
    Operation,
    Post,
    Posted,
    RefusalCode,
    Refused,
    Replayed,
    Result,
    Status,
    Unset,
    Update,
)

ALL = CategorySpec("all", "All cards", Direction.CREDIT, "GBP")
TEAM = CategorySpec("team", "A team's cards", Direction.CREDIT, "GBP", {}, ALL)
MIRROR = CategorySpec("mirror", "The same from the other side", Direction.DEBIT, "GBP")
DOLLARS = CategorySpec("dollars", "Dollars", Direction.CREDIT, "USD")

POSTED, AVAILABLE = BalanceKind.POSTED, BalanceKind.AVAILABLE
GTE, LTE, EQ = Comparison.GTE, Comparison.LTE, Comparison.EQ
CARDS = ("card 1", "card 2", "card 3", "card 4")
BANK = "bank"

CHART = (
    *(AccountSpec(card, card, Direction.CREDIT, "GBP", {}, (TEAM, ALL, MIRROR)) for card in CARDS[:2]),
    *(AccountSpec(card, card, Direction.CREDIT, "GBP", {}, (ALL,)) for card in CARDS[2:]),
    AccountSpec(BANK, "Bank", Direction.DEBIT, "GBP"),
    *(AccountSpec(f"bank of {card}", "Bank", Direction.DEBIT, "GBP") for card in CARDS),
    AccountSpec("dollar card", "Dollar card", Direction.CREDIT, "USD", {}, (DOLLARS,)),
)


@dataclass(frozen=True, slots=True)
class Programme:
    """Cards that share what was paid in for them; any card may go below zero on its own.

    Each is paid from a bank of its own: transactions on two cards have nothing in common but their categories.
    """

    ledger: Ledger
    ids: dict[str, UUID]

    @classmethod
    async def open(cls, database: Database, name: str) -> Programme:
        async with database.transaction() as connection:
            ledger_id = await store.ensure_ledger(connection, name)
            await store.ensure_accounts(connection, ledger_id, CHART)
            await connection.execute(NOBODYS)
            rows = await connection.fetch(
                "select external_id, id from ledger_account_categories where ledger_id = $1", ledger_id
            )
        return cls(Ledger(database, ledger_id), {row["external_id"]: row["id"] for row in rows})

    def lock(self, category: str, comparison: Comparison, amount: int, kind: BalanceKind = AVAILABLE) -> CategoryLock:
        """One condition on a category."""
        return CategoryLock(self.ids[category], (BalanceCondition(kind, comparison, amount),))

    def covered(self, category: str = "all") -> CategoryLock:
        """The category as a whole does not go below zero."""
        return self.lock(category, GTE, 0)

    def spend(self, name: str, card: str, amount: int, *locks: CategoryLock, status: Status = Status.POSTED) -> Create:
        """A card pays, as long as the locks let it."""
        return replace(
            create(name, debit(card, amount), credit(f"bank of {card}", amount), status=status), category_locks=locks
        )

    async def available(self, category: str) -> int:
        """What a credit-normal category has available."""
        async with self.ledger.database.connection() as connection:
            return int(
                await connection.fetchval(
                    "select posted_credits - pending_debits from ledger_category_balances where category_id = $1",
                    self.ids[category],
                )
            )


def pay_in(name: str, card: str, amount: int, status: Status = Status.POSTED) -> Create:
    """Money comes in for a card."""
    return create(name, debit(f"bank of {card}", amount), credit(card, amount), status=status)


def said(results: list[Result]) -> list[str]:
    """The results in words."""
    return [result.code if isinstance(result, Refused) else type(result).__name__ for result in results]


@pytest.fixture
async def cards(database: Database) -> Programme:
    """A programme with 100 paid in."""
    programme = await Programme.open(database, "cards")
    await programme.ledger.post(pay_in("paid in", "card 1", 100))
    return programme


async def test_each_transaction_of_a_batch_is_judged_on_those_accepted_before_it(cards: Programme) -> None:
    results = await cards.ledger.post(
        cards.spend("a", "card 2", 60, cards.covered()),
        cards.spend("b", "card 3", 50, cards.covered()),
        cards.spend("c", "card 4", 40, cards.covered("all")),
        cards.spend("d", "card 2", 1, cards.covered("team")),
        pay_in("more", "card 4", 5),
        cards.spend("e", "card 1", 5, cards.covered()),
        cards.spend("f", "card 1", 1, cards.covered()),
    )
    refused = RefusalCode.CATEGORY_CONDITION
    assert said(results) == ["Posted", refused, "Posted", "Posted", "Posted", refused, "Posted"]
    assert await cards.available("all") == 3
    assert await cards.ledger.findings() == []


async def test_an_account_that_is_reached_by_two_paths_counts_once(cards: Programme) -> None:
    exactly = cards.lock("all", EQ, 90)
    (result,) = await cards.ledger.post(cards.spend("a", "card 1", 10, exactly))
    assert isinstance(result, Posted)


async def test_a_category_is_seen_from_its_own_side(cards: Programme) -> None:
    results = await cards.ledger.post(
        cards.spend("a", "card 1", 10, cards.lock("mirror", EQ, 90)),
        cards.spend("b", "card 1", 10, cards.lock("mirror", EQ, -90), cards.lock("team", EQ, 90)),
    )
    assert said(results) == [RefusalCode.CATEGORY_CONDITION, "Posted"]


async def test_what_moves_within_a_category_leaves_its_balance(cards: Programme) -> None:
    within = create("a", debit("card 1", 500), credit("card 3", 500))
    results = await cards.ledger.post(
        replace(within, category_locks=(cards.lock("all", EQ, 100), cards.lock("team", EQ, -400)))
    )
    assert said(results) == ["Posted"]


async def test_the_lock_at_fault_is_named_and_says_what_the_balance_would_be(cards: Programme) -> None:
    (refused,) = await cards.ledger.post(
        cards.spend("a", "card 1", 101, cards.lock("team", LTE, 0), cards.lock("all", GTE, 0, POSTED))
    )
    assert refused == Refused(
        RefusalCode.CATEGORY_CONDITION,
        f"the posted balance of ledger account category {cards.ids['all']} would be -1, which is not gte 0",
        1,
    )
    assert await cards.available("all") == 100


@pytest.mark.parametrize(
    ("category", "code"),
    [
        ("elsewhere", RefusalCode.UNKNOWN_CATEGORY),
        ("nobody's", RefusalCode.UNKNOWN_CATEGORY),
        ("discarded", RefusalCode.UNKNOWN_CATEGORY),
        ("dollars", RefusalCode.UNTOUCHED_CATEGORY),
        ("team", RefusalCode.UNTOUCHED_CATEGORY),
    ],
)
async def test_a_category_exists_in_the_ledger_and_contains_an_account_of_the_transaction(
    cards: Programme, category: str, code: RefusalCode
) -> None:
    other = await Programme.open(cards.ledger.database, "other cards")
    async with cards.ledger.database.connection() as connection:
        discarded = await connection.fetchval(
            "update ledger_account_categories set discarded_at = now() where id = $1 returning id", cards.ids["mirror"]
        )
    ids = {**cards.ids, "elsewhere": other.ids["all"], "nobody's": UUID(int=7), "discarded": discarded}
    spend = cards.spend("a", "card 3", 1, cards.covered(), CategoryLock(ids[category], ()))
    for operation in (spend, replace(spend, archive_on_balance_lock_failure=True)):
        (refused,) = await cards.ledger.post(operation)
        assert isinstance(refused, Refused)
        assert (refused.code, refused.place) == (code, 1)


async def test_a_transaction_may_be_archived_where_its_category_falls_short(cards: Programme) -> None:
    bold = replace(cards.spend("a", "card 3", 101, cards.covered()), archive_on_balance_lock_failure=True)
    (archived,) = await cards.ledger.post(bold)
    assert isinstance(archived, Posted)
    assert (archived.status, archived.written.archived_reason) == (Status.ARCHIVED, "balance_lock_failure")
    assert await cards.available("all") == 100


@pytest.mark.parametrize(
    ("status", "entries", "balance"),
    [
        (Status.POSTED, UNSET, 70),
        (Status.ARCHIVED, UNSET, 100),
        (UNSET, UNSET, 70),
        (UNSET, (debit("card 3", 40), credit(BANK, 40)), 60),
        (Status.POSTED, (debit("bank", 40), credit("card 2", 40)), 140),
    ],
)
async def test_an_update_is_judged_on_what_it_leads_to(
    cards: Programme, status: Status | Unset, entries: tuple[NewEntry, ...] | Unset, balance: int
) -> None:
    await cards.ledger.post(cards.spend("a", "card 3", 30, status=Status.PENDING))
    wanted = Update("a", status, description="changed", entries=entries)
    results = await cards.ledger.post(
        replace(wanted, category_locks=(cards.lock("all", Comparison.LT, balance),)),
        replace(wanted, category_locks=(cards.lock("all", Comparison.GT, balance),)),
        replace(wanted, category_locks=(cards.lock("all", EQ, balance),)),
    )
    refused = RefusalCode.CATEGORY_CONDITION
    assert said(results) == [refused, refused, "Posted"]
    assert await cards.available("all") == balance
    assert await cards.ledger.findings() == []


async def test_metadata_of_a_final_transaction_changes_on_conditions_too(cards: Programme) -> None:
    await cards.ledger.post(cards.spend("a", "card 3", 30))
    note = Update("a", metadata={"seen": "yes"})
    results = await cards.ledger.post(
        replace(note, category_locks=(cards.lock("all", EQ, 71),)),
        replace(note, category_locks=(cards.lock("all", EQ, 70),)),
    )
    assert said(results) == [RefusalCode.CATEGORY_CONDITION, "Posted"]


async def test_being_told_what_it_already_is_is_no_question_of_balances(cards: Programme) -> None:
    again = Update("a", Status.POSTED, category_locks=(cards.covered(),))
    spend = cards.spend("a", "card 3", 100, cards.covered(), status=Status.PENDING)
    results = await cards.ledger.post(spend, again, cards.spend("b", "card 3", 1), again, spend)
    assert said(results) == ["Posted", "Posted", "Posted", "Replayed", "Replayed"]
    assert isinstance(results[-1], Replayed)


async def test_nothing_is_foreseen_of_a_batch_with_category_locks(cards: Programme) -> None:
    async with cards.ledger.database.connection() as connection:
        plain, locking = cards.spend("a", "card 1", 1), cards.spend("b", "card 1", 1, cards.covered())
        assert await foresee(connection, cards.ledger.id, [plain], None, Memory()) is not None
        assert await foresee(connection, cards.ledger.id, [plain, locking], None, Memory()) is None


async def test_who_decides_on_a_category_waits_for_whoever_is_changing_it(cards: Programme) -> None:
    async with cards.ledger.database.transaction() as connection:
        await poster.post(connection, cards.ledger.id, [cards.spend("first", "card 1", 100)])
        second = asyncio.create_task(cards.ledger.post(cards.spend("second", "card 3", 1, cards.covered())))
        while not await cards.ledger.waiting_for_locks():
            pass
    assert said(await second) == [RefusalCode.CATEGORY_CONDITION]


def whims(cards: Programme, name: str, chance: random.Random) -> list[Operation]:
    """Spendings that the cards have to cover together, on any of them; lives of several rounds; and plain payments."""
    card, other = chance.sample(CARDS, 2)
    amount = chance.randrange(1, 30)
    covered = cards.covered(chance.choice(("all", "all", "all", "team")) if card in CARDS[:2] else "all")
    both = (covered, cards.covered())
    possible: tuple[list[Operation], ...] = (
        [cards.spend(f"spend {name}", card, amount, *both)],
        [
            cards.spend(f"hold {name}", card, amount, *both, status=Status.PENDING),
            Update(f"hold {name}", Status.POSTED, category_locks=both),
        ],
        [
            cards.spend(f"free {name}", card, amount, *both, status=Status.PENDING),
            Archive(f"free {name}", "returned"),
            cards.spend(f"then {name}", other, amount, cards.covered()),
        ],
        [pay_in(f"pay in {name}", card, chance.randrange(1, 15))],
        [pay_in(f"flight {name}", card, 3, Status.PENDING), Post(f"flight {name}")],
    )
    return chance.choice(possible)


async def test_posters_processes_and_payers_on_the_same_cards_never_let_them_go_below_zero(
    cards: Programme, database_url: str
) -> None:
    async with Database.open(database_url) as second:
        groups = [GroupPoster[Never, Never](database) for database in (cards.ledger.database, second)]

        async def call(caller: int) -> list[Result]:
            chance = random.Random(caller)
            group = groups[caller % 2]
            return [
                await group.submit(cards.ledger.id, operation)
                for n in range(6)
                for operation in whims(cards, f"{caller}-{n}", chance)
            ]

        async def write(writer: int) -> list[Result]:
            chance = random.Random(-writer)
            return [
                result
                for n in range(12)
                for result in await cards.ledger.post(
                    *(each for part in "xyz" for each in whims(cards, f"{writer} {n} {part}", chance))
                )
            ]

        async def watch() -> int:
            lowest = 0
            while not over.is_set():
                lowest = min(lowest, await cards.available("all"))
                await asyncio.sleep(0)
            return lowest

        over = asyncio.Event()
        watching = asyncio.create_task(watch())
        answers = await asyncio.gather(*(call(n) for n in range(64)), *(write(1000 + n) for n in range(4)))
        over.set()
        assert await watching == 0
        for group in groups:
            await group.close()
    words = said([result for results in answers for result in results])
    assert words.count("Posted") > words.count(RefusalCode.CATEGORY_CONDITION) > 0
    assert await cards.ledger.findings() == []
    async with cards.ledger.database.connection() as connection:
        assert await wrong(connection) == {}
