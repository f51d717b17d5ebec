"""The loans told while things break: the events of each, what they must come to, and a sender who never gives up."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import aiohttp
import asyncpg

from tests.flow.borrower import Books, Borrower
from tests.flow.stack import Stack, eventually
from worker.database import prepare_connection
from worker.ledger.store import verify
from worker.loans.postings import LEDGER_NAME

REPAID = Decimal("40.00")
COST = Decimal("10.00")
FEE = Decimal("1.50")
"""Every story's one repayment; the drawdown is another amount for each, so that no two can be taken for each other."""

_numbers = count(1)


@dataclass(frozen=True)
class Story:
    """One loan: agreed, drawn, and one repayment with cost, that is reversed where the platform can delete the cost.

    ``length`` is how many of these events are told. After them it is charged ``fees``, each an event for the ledger
    alone.
    """

    borrower: Borrower
    day: str
    drawn: Decimal
    length: int = 3
    fees: int = 0

    @classmethod
    def about(cls, borrower: Borrower, length: int = 3, *, fees: int = 0) -> Story:
        """A new loan of this borrower, dated today, which every platform takes."""
        number = next(_numbers)
        loan = replace(borrower, loan_id=f"LN-{borrower.company['platform'][:2].upper()}-{number}")
        today = datetime.now(UTC).date().isoformat()
        return cls(loan, today, Decimal(100) + Decimal(number).scaleb(-2), length, fees)

    @property
    def loan_id(self) -> str:
        """The loan's own id."""
        return self.borrower.loan_id

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Webhook ids and bodies, in order."""
        day, company = self.day, self.borrower.company
        created = self.borrower.event(
            "loan.created",
            day,
            borrower_id="BR-1",
            company_id=company["id"],
            connection_id=company["connectionId"],
            interest_recognition="at_disbursement",
            investors=[],
        )
        drawdown = {"drawdown_id": "D1", "amount": str(self.drawn), "interest": str(COST)}
        disbursed = self.borrower.event("loan.disbursed", day, **drawdown)
        split = {"principal": str(REPAID), "interest": str(COST), "fees": "0"}
        settled = self.borrower.event("loan.repayment_settled", day, repayment_id="R1", **split)
        reversed_ = self.borrower.event("loan.repayment_reversed", day, repayment_id="R1", reason="returned unpaid")
        told = [created, disbursed, settled, reversed_][: self.length]
        for number in range(1, self.fees + 1):
            told.append(self.borrower.event("loan.fee_charged", day, fee_id=f"F{number}", amount=str(FEE), kind="late"))
        return [(f"msg-{self.loan_id}-{number}", event) for number, event in enumerate(told, 1)]

    @property
    def postings(self) -> list[str]:
        """The external ids of its ledger transactions."""
        loan_id = self.loan_id
        fees = [f"loan.fee_charged:{loan_id}:F{number}" for number in range(1, self.fees + 1)]
        kinds = {"loan.disbursed": "D1", "loan.repayment": "R1", "loan.repayment_reversed": "R1"}
        return [f"{kind}:{loan_id}:{own_id}" for kind, own_id in kinds.items()][: self.length - 1] + fees

    @property
    def owed(self) -> Decimal:
        """The principal that is left."""
        return {1: Decimal(0), 2: self.drawn, 3: self.drawn - REPAID, 4: self.drawn}[self.length]

    @property
    def transfers(self) -> list[Decimal]:
        """How each transfer moves the lender's account."""
        return [-self.drawn, REPAID + COST, -REPAID - COST][: self.length - 1]

    @property
    def direct_costs(self) -> list[Decimal]:
        """How each direct cost moves the lender's account."""
        return [-COST] if self.length == 3 else []

    @property
    def lines(self) -> list[Decimal]:
        """The lines on the lender's statement."""
        costs = {3: [-COST], 4: [-COST, COST]}.get(self.length, [])
        return [*self.transfers, *costs]

    async def tell(self, stack: Stack) -> None:
        """Send the events one after the other, each until it is acknowledged, as the lender's system does."""
        for webhook_id, event in self.events:
            await deliver(stack, webhook_id, event)


async def deliver(stack: Stack, webhook_id: str, event: Mapping[str, Any], *, url: str | None = None) -> int:
    """Send one webhook under the same id until it is acknowledged; answers how often it was sent."""
    for attempt in count(1):
        try:
            status = await stack.send(webhook_id, event, url=url)
        except aiohttp.ClientError:
            status = None  # nobody there, or the answer was cut off
        if status in (200, 202):
            return attempt
        assert status in (None, 503), f"{webhook_id} was answered {status}"
        await asyncio.sleep(0.02)
    raise AssertionError


async def map_every_company(stack: Stack) -> list[Borrower]:
    """A new simulated world whose first five borrowers are mapped in the ``matched`` profile."""
    await stack.reset()
    world = await stack.look("world")
    borrowers = [Borrower(stack, company, "", company["baseCurrency"]) for company in world["companies"][:5]]
    for borrower in borrowers:
        await borrower.map()
    await stack.settled()
    return borrowers


async def assert_told_once(stack: Stack, stories: Sequence[Story]) -> None:
    """Every event applied once, every transaction posted once, every record written once, and nothing left to do."""
    await stack.settled()
    await assert_nothing_left(stack)
    await assert_applied_once(stack, stories)
    await assert_posted_once(stack, stories)
    borrowers = {story.borrower.company["id"]: story.borrower for story in stories}
    for company_id, borrower in borrowers.items():
        own = [story for story in stories if story.borrower.company["id"] == company_id]
        assert_written_once(await borrower.books(), own)


async def assert_nothing_left(stack: Stack) -> None:
    """No job, no dead letter, and no saga that is not finished.

    What one saga shows a person as doubtful may be another's, and its next look will tell: this waits for such looks,
    and for webhooks that come late.
    """
    left: list[asyncpg.Record] = []

    async def is_nothing_left() -> bool:
        left[:] = [
            *await stack.fetch("select kind, subject, state, attempt, reason from jobs"),
            *await stack.fetch("select kind, subject, reason from dead_letters"),
            *await stack.fetch("select id, loan_id, state, reason from sagas where state <> 'succeeded'"),
        ]
        return not left

    with suppress(TimeoutError):
        await eventually(is_nothing_left)
    assert not left, "\n".join(str(dict(row)) for row in left)


def loan_ids(stories: Iterable[Story]) -> list[str]:
    """The loans these stories are about."""
    return [story.loan_id for story in stories]


async def assert_applied_once(stack: Stack, stories: Iterable[Story]) -> None:
    """Every event told was stored once and took effect."""
    told = Counter(webhook_id for story in stories for webhook_id, _ in story.events)
    rows = await stack.fetch(
        "select m.webhook_id, o.state, o.reason from inbox_messages m left join event_outcomes o on o.message_id = m.id"
        " where m.loan_id = any($1)",
        loan_ids(stories),
    )
    assert Counter(row["webhook_id"] for row in rows) == told
    assert {(row["state"], row["reason"]) for row in rows} <= {("applied", None)}


async def assert_posted_once(stack: Stack, stories: Sequence[Story]) -> None:
    """The ledger holds each movement of money once, to the penny, and passes its own audit."""
    expected = Counter(name for story in stories for name in story.postings)
    rows = await stack.fetch(
        "select external_id from ledger_transactions where status = 'posted' and metadata->>'loanID' = any($1)",
        loan_ids(stories),
    )
    assert Counter(row["external_id"] for row in rows) == expected
    owed = {f"Principal - Loan {story.loan_id}": story.owed for story in stories}
    ledger = await stories[0].borrower.ledger()
    assert {name: ledger.get(name, Decimal(0)) for name in owed} == owed
    async with stack.connection() as connection:
        await prepare_connection(connection)
        ledger_id = await connection.fetchval("select id from ledgers where name = $1", LEDGER_NAME)
        assert await verify(connection, ledger_id) == []


def assert_written_once(books: Books, stories: Sequence[Story]) -> None:
    """One company's books hold exactly what its loans' stories come to."""
    borrower = books.borrower
    name = borrower.company["name"]
    for data_type in ("transfers", "directCosts"):
        moves = Counter(
            Decimal(move["amount"])
            for record in books.records(data_type)
            for move in record["moves"]
            if move["accountId"] == borrower.lender_account_id
        )
        wanted = [s.transfers if data_type == "transfers" else s.direct_costs for s in stories]
        assert moves == Counter(amount for amounts in wanted for amount in amounts), f"{data_type} of {name}"
    lines = books.lines
    assert Counter(Decimal(line["amount"]) for line in lines) == Counter(a for s in stories for a in s.lines), name
    assert [line["id"] for line in lines if line["duplicateOf"] is not None] == [], name
    assert books.lender == sum((a for s in stories for a in s.lines), Decimal(0)), name
    assert books.statement == books.lender, name
    assert books.bank == -sum((a for s in stories for a in s.transfers), Decimal(0)), name
    assert books.expense == -sum((a for s in stories for a in s.direct_costs), Decimal(0)), name
