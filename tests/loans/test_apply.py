"""A batch of events: one transaction, one bad event never takes its neighbours with it, nothing happens twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date

import pytest

from tests.loans.books import POSTINGS
from tests.loans.events import COMPANY, CONNECTION, Delivery, LoanSystem
from tests.loans.rulebooks import guarded
from tests.loans.station import MAX_ATTEMPTS, Station
from worker.database import Connection, Database
from worker.inbox.messages import APPLY_EVENT
from worker.jobs.job import NewJob, Retry, Settled, lane
from worker.jobs.store import list_jobs, release_all, replay_dead_letter
from worker.ledger import poster
from worker.ledger.book import midnight
from worker.ledger.store import ensure_accounts, transactions_of
from worker.ledger.transaction import Create, Direction, NewEntry, NewTransaction, Status
from worker.loans.apply import EventHandler, OwnLedger
from worker.loans.batch import Subject, SubjectKind
from worker.loans.postings import Postings
from worker.loans.rulebook_file import default_rulebook
from worker.loans.rulebook_text import parse_rulebook
from worker.loans.store import OutcomeState, count_held, get_loan, list_facts, list_held, list_loans
from worker.writeback.movement import NewSaga
from worker.writeback.store import create_sagas


class Counting(Database):
    """Another database's transactions, with every statement written down."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.statements: list[str] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self.database.transaction() as connection:
            with connection.query_logger(lambda record: self.statements.append(record.query)):
                yield connection


def a_drawn_loan(loan_id: str = "L1", amount: int = 1_000_00) -> tuple[LoanSystem, list[Delivery]]:
    system = LoanSystem(loan_id)
    return system, [system.create(), system.tell("loan.disbursed", drawdown_id="D1", amount=amount)]


async def test_a_drawdown_becomes_a_ledger_transaction_and_a_saga(station: Station) -> None:
    _, told = a_drawn_loan()

    await station.play(*told)

    assert await station.balances() == {"Principal - Loan L1": 1_000_00, "Cash": -1_000_00}
    outcome = await station.outcome(told[1])
    assert outcome is not None
    assert outcome.state is OutcomeState.APPLIED
    async with station.database.connection() as connection:
        saga = await connection.fetchrow("select * from sagas")
        assert [job.kind for job in await list_jobs(connection)] == ["advance_saga"]
    assert saga is not None
    assert saga["ledger_transaction_id"] == outcome.ledger_transaction_id
    assert saga["event_id"] == told[1].webhook_id


async def test_a_lenders_metadata_is_kept_with_the_loans_accounts_and_its_transactions(station: Station) -> None:
    system = LoanSystem()
    about_loan = {"borrowerZIP": "94107", "debt_facilityID": "F7", "loanID": "not for the sender to say"}
    created = system.tell(
        "loan.created",
        borrower_id="B1",
        company_id=str(COMPANY),
        connection_id=str(CONNECTION),
        interest_recognition="accrual",
        metadata=about_loan,
    )
    drawn = {"drawdown_id": "D1", "amount": 1_00, "metadata": {"paymentMethod": "wire", "transactionType": "mine"}}

    await station.play(created, system.tell("loan.disbursed", **drawn))

    async with station.database.connection() as connection:
        accounts = await connection.fetch("select metadata from ledger_accounts where metadata ? 'loanID'")
        (drawdown,) = await transactions_of(connection, station.ledger_id, {"paymentMethod": "wire"})
    expected = {"accountType": "loan", "loanID": "L1", "borrowerID": "B1", "borrowerZIP": "94107"}
    assert [json.loads(row["metadata"]) for row in accounts] == [expected | {"debt_facilityID": "F7"}] * 3
    assert drawdown.metadata["transactionType"] == "loan.disbursed"


async def test_an_event_that_comes_too_early_is_held_with_reason_needs_and_since(station: Station) -> None:
    system, told = a_drawn_loan()
    repayment = system.settle("R1", principal=400_00)

    await station.play(repayment)

    async with station.database.connection() as connection:
        [held] = await list_held(connection)
        assert await list_held(connection, Subject(SubjectKind.LOAN, "L1")) == [held]
        assert await list_held(connection, Subject(SubjectKind.LOAN, "L2")) == []
        assert await list_jobs(connection) == []
        assert (await count_held(connection)).events == 1
        assert (await count_held(connection)).oldest_seconds >= 0
    assert (held.event_id, held.type) == (repayment.webhook_id, "loan.repayment_settled")
    assert held.reason == "loan L1 has not been created yet"
    assert held.needs == ("loan.created",)

    await station.play(told[0])
    async with station.database.connection() as connection:
        [held_again] = await list_held(connection)
    assert held_again.held_since == held.held_since
    assert held_again.reason == "nothing has been drawn on loan L1 yet"

    await station.play(told[1])
    assert await station.balances() == {"Principal - Loan L1": 600_00, "Cash": -600_00}
    async with station.database.connection() as connection:
        assert (await count_held(connection)).events == 0


async def test_a_held_event_lets_later_events_of_its_loan_pass(station: Station) -> None:
    system, told = a_drawn_loan()
    too_much, right = system.settle("R1", principal=1_200_00), system.settle("R2", principal=1_000_00)

    await station.play(*told, too_much, right)

    assert await station.balances() == {}
    async with station.database.connection() as connection:
        [held] = await list_held(connection)
    assert held.reason == "repayment R1 takes 1200.00 GBP of principal where 1000.00 GBP is outstanding"
    assert set(held.needs) == {"principal", "reversal:repayment:R1"}


async def test_an_impossible_event_becomes_a_dead_letter_that_names_the_field(station: Station) -> None:
    system, told = a_drawn_loan()
    dollars = LoanSystem("L1", currency="USD", sent=10)
    wrong, right = dollars.settle("R1", principal=400_00), system.settle("R2", principal=100_00)

    await station.play(*told, wrong, right)

    [letter] = await station.dead_letters()
    assert letter.kind == APPLY_EVENT
    assert letter.reason_class == "impossible_event"
    assert letter.reason == "data.currency: loan L1 is in GBP, the event is in USD"
    outcome = await station.outcome(wrong)
    assert outcome is not None
    assert (outcome.state, outcome.field) == (OutcomeState.REFUSED, "data.currency")
    assert await station.balances() == {"Principal - Loan L1": 900_00, "Cash": -900_00}


async def test_a_replayed_dead_letter_is_decided_again(station: Station) -> None:
    system, told = a_drawn_loan()
    second = system.settle("R1", principal=300_00)
    await station.play(*told, system.settle("R1", principal=400_00), second)
    [letter] = await station.dead_letters()
    assert (
        letter.reason == "data.principal: repayment R1 was already told with principal 400.00 GBP, now with 300.00 GBP"
    )

    async with station.database.transaction() as connection:
        assert await replay_dead_letter(connection, letter.id) is not None
    await (await station.worker()).drain()

    [again] = await station.dead_letters()
    assert (again.subject, again.reason) == (letter.subject, letter.reason)
    assert await station.balances() == {"Principal - Loan L1": 600_00, "Cash": -600_00}


async def test_an_applied_message_whose_job_runs_again_changes_nothing(station: Station) -> None:
    system, told = a_drawn_loan()
    await station.play(*told, system.settle("R1", principal=400_00))
    before = (await station.balances(), await station.movements())

    async with station.database.transaction() as connection:
        messages = await connection.fetch("select id from inbox_messages order by id")
        await connection.fetch(
            "select enqueue_jobs($1, $2, $3)",
            [APPLY_EVENT] * len(messages),
            [lane("loan", "L1")] * len(messages),
            [row["id"] for row in messages],
        )
    await (await station.worker()).drain()

    assert (await station.balances(), await station.movements()) == before
    assert await station.dead_letters() == []


async def test_one_event_that_always_fails_does_not_take_its_neighbours_with_it(station: Station) -> None:
    told = [delivery for n in range(8) for delivery in a_drawn_loan(f"L{n}")[1]]

    async def fail_for_l3(connection: Connection, sagas: Sequence[NewSaga]) -> Sequence[NewJob]:
        if any(saga.loan_id == "L3" for saga in sagas):
            raise ValueError("poison")
        return await create_sagas(connection, sagas)

    await station.receive(*told)
    worker = await station.worker(fail_for_l3)
    await worker.handle(await worker.claim())
    claim = await worker.claim()
    outcomes = await worker.handle(claim)
    by_loan = {job.lane: outcome for job, outcome in zip(claim.jobs, outcomes, strict=True)}
    assert by_loan.pop(lane("loan", "L3")) == Retry("an unforeseen error, see events_not_applied in the log: poison")
    assert set(by_loan.values()) == {Settled()}
    assert len(by_loan) == 7

    await worker.drain()
    [letter] = await station.dead_letters()
    assert (letter.reason_class, letter.attempt) == ("exhausted", MAX_ATTEMPTS)
    assert {f"Principal - Loan L{n}" for n in range(8) if n != 3} == (await station.balances()).keys() - {"Cash"}


async def test_a_transaction_the_ledger_refuses_buries_its_event_alone(station: Station) -> None:
    cash, expenses = (default_rulebook().account(key, {"currency": "GBP"}) for key in ("cash", "expenses"))
    _, told = a_drawn_loan()
    _, other = a_drawn_loan("L2")
    entries = (
        NewEntry(expenses.external_id, Direction.DEBIT, 1),
        NewEntry(cash.external_id, Direction.CREDIT, 1),
    )
    taken = NewTransaction(
        "loan.disbursed:L1:D1", Status.POSTED, midnight(date(2026, 3, 2)), "somebody else's", {}, entries
    )
    async with station.database.transaction() as connection:
        await ensure_accounts(connection, station.ledger_id, [cash, expenses])
        await poster.post(connection, station.ledger_id, [Create(taken)])

    await station.play(*told, *other)

    [letter] = await station.dead_letters()
    assert letter.reason_class == "ledger_refused"
    assert "Principal - Loan L2" in await station.balances()
    async with station.database.connection() as connection:
        loan = await get_loan(connection, "L1")
    assert loan is not None
    assert loan.disbursed == 0


async def test_a_distribution_takes_effect_once_there_is_the_cash_that_its_rule_demands(station: Station) -> None:
    lender, told = a_drawn_loan()
    paid_out = lender.tell("capital.distributed", investor_id="MoneyNow", principal=100_00, interest=0)
    await station.play(lender.tell("capital.contributed", investor_id="MoneyNow", amount=1_000_00), *told)
    worker = await station.worker(postings=Postings(parse_rulebook(guarded("capital.distributed", "cash"))))

    await station.receive(paid_out)
    await worker.drain()

    assert await station.outcome(paid_out) is None
    [letter] = await station.dead_letters()
    assert "the available balance of cash:GBP would be -10000, which is not gte 0" in letter.reason
    assert letter.attempt == MAX_ATTEMPTS

    await station.receive(lender.settle("R1", principal=100_00))
    await worker.drain()
    async with station.database.transaction() as connection:
        await replay_dead_letter(connection, letter.id)
    await worker.drain()

    balances = {"Principal - Loan L1": 900_00, "Principal Due - MoneyNow": 900_00}
    assert await station.balances() == balances


async def test_a_worker_that_lost_its_jobs_changes_nothing(station: Station) -> None:
    _, told = a_drawn_loan()
    await station.receive(told[0])
    frozen = await station.worker()
    claim = await frozen.claim()
    async with station.database.transaction() as connection:
        await release_all(connection, frozen.id)
    await (await station.worker()).drain()
    await station.receive(told[1])
    after = await station.worker()
    drawn = await after.claim()

    assert list(await frozen.handler(claim)) == [Settled()]
    assert list(await frozen.handler(type(claim)(frozen.id, drawn.jobs))) == [Settled()]
    assert await station.movements() == []

    await after.handle(drawn)
    assert len(await station.movements()) == 1


async def test_no_wake_up_of_a_distribution_is_lost_to_interest_earned_at_the_same_moment(station: Station) -> None:
    system = LoanSystem()
    first, second = await station.worker(), await station.worker()
    await station.receive(system.create("accrual", MoneyNow="0.5"))
    await first.drain()
    for n in range(20):
        await station.receive(
            system.tell("loan.interest_accrued", accrual_id=f"A{n}", amount=50_00),
            system.tell("capital.distributed", investor_id="MoneyNow", principal=0, interest=25_00),
        )
        claims = [await first.claim(1), await second.claim(1)]
        assert [len(claim.jobs) for claim in claims] == [1, 1]
        await asyncio.gather(first.handle(claims[0]), second.handle(claims[1]))
        await first.drain()
        await second.drain()

    await first.drain()
    async with station.database.connection() as connection:
        assert await list_held(connection) == []
    assert (await station.balances())["Revenue from Interest"] == 20 * 25_00
    assert "Interest Due - MoneyNow" not in await station.balances()


async def test_a_distribution_waits_for_capital_and_interest(station: Station) -> None:
    system = LoanSystem()
    paid_out = system.tell("capital.distributed", investor_id="MoneyNow", principal=100_00, interest=5_00)

    await station.play(paid_out, system.tell("capital.contributed", investor_id="MoneyNow", amount=60_00))

    async with station.database.connection() as connection:
        [held] = await list_held(connection, Subject(SubjectKind.INVESTOR, "MoneyNow"))
    assert held.needs == ("capital:GBP", "earned_interest:GBP")
    assert held.reason == (
        "the distribution pays 100.00 GBP of principal where 60.00 GBP is due"
        " and 5.00 GBP of interest where 0.00 GBP is due"
    )


async def test_a_batch_takes_the_same_number_of_statements_whatever_its_size(station: Station) -> None:
    counting = Counting(station.database)
    worker = await station.worker()
    worker.handler = EventHandler(counting, OwnLedger(station.ledger_id), POSTINGS, create_sagas, lambda: None)
    taken = []
    for first, loans in ((0, 1), (100, 2), (200, 60)):
        told = [a_drawn_loan(f"L{first + n}")[1] for n in range(loans)]
        await station.play(*(created for created, _ in told))
        await station.receive(*(drawn for _, drawn in told))
        claim = await worker.claim()
        assert len(claim.jobs) == loans
        counting.statements.clear()
        await worker.handle(claim)
        taken.append([statement.splitlines()[0] for statement in counting.statements])

    assert len(await station.movements()) == 63
    assert taken[1] == taken[2]


async def test_the_consoles_read_loans_and_their_facts(station: Station) -> None:
    system, told = a_drawn_loan()
    _, other = a_drawn_loan("L2")
    await station.play(*told, *other, system.settle("R1", principal=400_00))

    async with station.database.connection() as connection:
        loans = await list_loans(connection)
        facts = await list_facts(connection, "L1")
        assert await list_loans(connection, after="L1") == loans[1:]
        assert await get_loan(connection, "L3") is None
    assert [loan.loan_id for loan in loans] == ["L1", "L2"]
    assert loans[0].outstanding.principal == 600_00
    assert [(fact.key.kind, fact.key.fact_id, fact.state) for fact in facts] == [
        ("drawdown", "D1", "recorded"),
        ("repayment", "R1", "settled"),
    ]


async def test_an_event_says_when_it_was_told_before(station: Station) -> None:
    system, told = a_drawn_loan()
    again = system.tell("loan.disbursed", drawdown_id="D1", amount=1_000_00)

    await station.play(*told, again)

    outcome = await station.outcome(again)
    assert outcome is not None
    assert outcome.state is OutcomeState.APPLIED
    assert outcome.reason == "drawdown D1 was already told with the same amounts"
    assert len(await station.movements()) == 1


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 1), ("KWD", 1), ("GBP", 10**36 - 1)])
async def test_amounts_are_exact_from_one_minor_unit_to_the_largest(
    station: Station, currency: str, amount: int
) -> None:
    system = LoanSystem(currency=currency)
    drawn = [system.tell("loan.disbursed", drawdown_id=f"D{n}", amount=amount) for n in (1, 2)]
    bounced = [system.settle(f"R{n}", principal=amount) for n in (1, 2)]

    await station.play(system.create(), *drawn, *bounced, system.reverse("R1"))

    assert await station.balances() == {"Principal - Loan L1": amount, "Cash": -amount}
    async with station.database.connection() as connection:
        loan = await get_loan(connection, "L1")
    assert loan is not None
    assert loan.disbursed == 2 * amount


async def test_workers_are_nudged_after_the_commit(station: Station) -> None:
    _, told = a_drawn_loan()
    await station.receive(told[0])
    worker = await station.worker()

    await worker.handle(await worker.claim())

    assert len(worker.nudges) == 1
