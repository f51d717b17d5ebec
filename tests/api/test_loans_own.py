"""What loan events wrote into the lender's own ledger, and what callers of the API may and may not do about it."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import asyncpg
import pytest
from modern_treasury import AsyncModernTreasury
from modern_treasury.types import LedgerAccount, LedgerAccountCategory, LedgerTransaction

from tests.api import refusals
from tests.api.test_bulk import ask, results_of, work
from tests.loans.events import Delivery, LoanSystem
from tests.loans.station import Station
from worker.database import Database
from worker.loans.postings import LEDGER_NAME

T = TypeVar("T")


@dataclass
class Lender:
    """A lender's own ledger, written by loan events and open to the API: a drawdown, a repayment, one on its way."""

    client: AsyncModernTreasury
    station: Station
    loan: LoanSystem = field(default_factory=LoanSystem)

    async def account(self, external_id: str) -> LedgerAccount:
        (found,) = await every(self.client.ledger_accounts.list(external_id=external_id))
        return found

    async def category(self, external_id: str) -> LedgerAccountCategory:
        (found,) = await every(self.client.ledger_account_categories.list(external_id=external_id))
        return found

    async def transaction(self, external_id: str) -> LedgerTransaction:
        (found,) = await every(self.client.ledger_transactions.list(external_id=external_id))
        return found

    async def pay(self, amount: int, **said: Any) -> LedgerTransaction:
        """A transaction of a caller's own between two accounts of the worker's."""
        cash, due = await self.account("cash:GBP"), await self.account("loan:L1:principal:GBP")
        return await self.client.ledger_transactions.create(
            ledger_entries=[
                {"ledger_account_id": cash.id, "direction": "debit", "amount": amount},
                {"ledger_account_id": due.id, "direction": "credit", "amount": amount},
            ],
            **said,
        )


async def every(page: AsyncIterable[T]) -> list[T]:
    """What a list has on all of its pages."""
    return [one async for one in page]


@pytest.fixture
async def lender(client: AsyncModernTreasury, database: Database) -> Lender:
    lender = Lender(client, await Station.open(database))
    loan = lender.loan
    drawn = loan.tell("loan.disbursed", drawdown_id="D1", amount=100_000)
    await lender.station.play(
        loan.create(), drawn, loan.initiate("R1", principal=30_000), loan.settle("R2", principal=40_000)
    )
    return lender


async def refused(call: Awaitable[Any]) -> tuple[str, str]:
    """The parameter and the sentence of a call that must be refused."""
    error = await refusals.refused(call)
    assert error["code"] == "parameter_invalid"
    return error["parameter"], error["message"]


Change = Callable[[AsyncModernTreasury, LedgerTransaction], Awaitable[Any]]


def replace_entries(client: AsyncModernTreasury, told: LedgerTransaction) -> Awaitable[Any]:
    entries: Any = [
        {"ledger_account_id": one.ledger_account_id, "direction": one.direction, "amount": 1}
        for one in told.ledger_entries
    ]
    return client.ledger_transactions.update(told.id, ledger_entries=entries)


def post_a_part(client: AsyncModernTreasury, told: LedgerTransaction) -> Awaitable[Any]:
    parts: Any = [
        {"ledger_account_id": one.ledger_account_id, "direction": one.direction, "amount": 1}
        for one in told.ledger_entries
    ]
    return client.ledger_transactions.create_partial_post(told.id, posted_ledger_entries=parts)


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        (lambda client, told: client.ledger_transactions.update(told.id, status="posted"), "status"),
        (lambda client, told: client.ledger_transactions.update(told.id, status="archived"), "status"),
        (lambda client, told: client.ledger_transactions.update(told.id, effective_at="2020-01-01"), "effective_at"),
        (lambda client, told: client.ledger_transactions.update(told.id, external_id="mine"), "external_id"),
        (lambda client, told: client.ledger_transactions.update(told.id, external_id=""), "external_id"),
        (replace_entries, "ledger_entries"),
        (post_a_part, "ledger_transaction"),
    ],
)
async def test_a_repayment_on_its_way_ends_by_the_matching_loan_event_only(
    lender: Lender, change: Change, parameter: str
) -> None:
    told = await lender.transaction("loan.repayment:L1:R1")

    blamed, why = await refused(change(lender.client, told))

    assert blamed == parameter
    assert why == (
        "The ledger transaction was written by the event msg_L1_3 (loan.repayment_initiated) of loan L1: send "
        "loan.repayment_settled or loan.repayment_failed instead. Its description and metadata may be edited"
    )
    settled = lender.loan.settle("R1", principal=30_000)
    await lender.station.play(settled)
    assert await lender.station.dead_letters() == []
    assert await lender.station.balances() == {"Cash": -30_000, "Principal - Loan L1": 30_000}


@pytest.mark.parametrize(
    ("external_id", "why"),
    [
        ("loan.repayment:L1:R2", "msg_L1_4 (loan.repayment_settled) of loan L1: send loan.repayment_reversed instead"),
        ("loan.disbursed:L1:D1", "msg_L1_1 (loan.disbursed) of loan L1: send the loan event that corrects it instead"),
    ],
)
async def test_what_a_loan_event_posted_is_reversed_by_loan_events_only(
    lender: Lender, external_id: str, why: str
) -> None:
    told = await lender.transaction(external_id)

    blamed, sentence = await refused(lender.client.ledger_transactions.create_reversal(told.id))

    assert (blamed, why in sentence) == ("ledger_transaction", True)
    assert await lender.station.balances() == {"Cash": -60_000, "Principal - Loan L1": 60_000}


@pytest.mark.parametrize(
    ("tell", "about"),
    [
        (lambda loan: loan.tell("capital.contributed", investor_id="I1", amount=5), " of investor I1: send"),
        (lambda loan: loan.tell("expense.incurred", amount=5, kind="rent"), "(expense.incurred): send"),
    ],
)
async def test_whom_an_event_is_about_is_said(
    lender: Lender, tell: Callable[[LoanSystem], Delivery], about: str
) -> None:
    delivery = tell(lender.loan)
    await lender.station.play(delivery)
    (told,) = await every(lender.client.ledger_transactions.list(metadata={"event_id": delivery.webhook_id}))

    _, sentence = await refused(lender.client.ledger_transactions.create_reversal(told.id))

    assert about in sentence


async def test_a_repayment_that_settled_is_its_last_events(lender: Lender) -> None:
    await lender.station.play(lender.loan.settle("R1", principal=30_000))
    told = await lender.transaction("loan.repayment:L1:R1")

    _, sentence = await refused(lender.client.ledger_transactions.create_reversal(told.id))

    assert "msg_L1_5 (loan.repayment_settled) of loan L1: send loan.repayment_reversed" in sentence


async def test_words_and_metadata_of_loan_events_transactions_may_be_edited(lender: Lender) -> None:
    pending, posted = [await lender.transaction(f"loan.repayment:L1:{which}") for which in ("R1", "R2")]
    update = lender.client.ledger_transactions.update

    said = await update(pending.id, description="By cheque", metadata={"event_id": "", "cheque": "7"})
    same = await update(posted.id, status="posted", metadata={"cheque": "8"})

    assert (said.description, said.metadata["cheque"], said.status) == ("By cheque", "7", "pending")
    assert (same.metadata["cheque"], same.status) == ("8", "posted")
    blamed, why = await refused(update(pending.id, status="archived"))
    assert (blamed, "msg_L1_3" in why) == ("status", True)


async def test_callers_have_transactions_of_their_own_in_the_same_ledger(lender: Lender) -> None:
    calls = lender.client.ledger_transactions
    archived = await calls.update((await lender.pay(5, status="pending")).id, status="archived")
    posted = await calls.update((await lender.pay(5, status="pending", external_id="mine")).id, status="posted")
    undone = await calls.create_reversal(posted.id)
    part = await post_a_part(lender.client, await lender.pay(5, status="pending"))

    assert [one.status for one in (archived, posted, undone, part)] == ["archived", "posted", "posted", "posted"]


async def test_accounts_of_loan_events_keep_their_external_ids(lender: Lender) -> None:
    cash, fees = await lender.account("cash:GBP"), await lender.account("loan:L1:fees:GBP")
    calls = lender.client.ledger_accounts

    renamed, none, gone = [
        await refused(call)
        for call in (
            calls.update(cash.id, external_id="renamed"),
            calls.update(cash.id, external_id=""),
            calls.delete(fees.id),
        )
    ]
    edited = await calls.update(cash.id, name="House bank", metadata={"bank": "B"}, external_id="cash:GBP")
    await lender.station.play(lender.loan.settle("R3", principal=1))

    assert (renamed[0], none[0], gone[0]) == ("external_id", "external_id", "id")
    assert renamed[1] == none[1] == gone[1].replace("loan:L1:fees:GBP", "cash:GBP")
    assert renamed[1].startswith("Loan events find cash:GBP by its external_id: it may neither be renamed there nor")
    assert (edited.name, edited.metadata["bank"]) == ("House bank", "B")
    assert await lender.station.balances() == {"House bank": -59_999, "Principal - Loan L1": 59_999}


async def test_an_account_that_loan_events_found_under_their_external_id_is_theirs_from_then_on(
    client: AsyncModernTreasury, database: Database
) -> None:
    station, loan = await Station.open(database), LoanSystem()
    ledger_id = str(station.ledger_id)
    common: Any = {"external_id": "cash:GBP", "currency": "GBP", "normal_balance": "debit", "ledger_id": ledger_id}
    cash = await client.ledger_accounts.create(name="My cash", **common)
    category = await client.ledger_account_categories.create(name="All my cash", **common)
    before = await client.ledger_accounts.update(cash.id, external_id="cash:GBP", name="Our cash")

    await station.play(loan.create(), loan.tell("loan.disbursed", drawdown_id="D1", amount=5))

    assert before.name == "Our cash"
    assert await station.balances() == {"Our cash": -5, "Principal - Loan L1": 5}
    blamed, _ = await refused(client.ledger_accounts.update(cash.id, external_id="mine"))
    assert blamed == "external_id"
    blamed, _ = await refused(client.ledger_account_categories.update(category.id, external_id="mine"))
    assert blamed == "external_id"


async def test_categories_of_loan_events_are_changed_by_nobody_else(lender: Lender) -> None:
    calls = lender.client.ledger_account_categories
    loan, borrower = await lender.category("loan:L1:GBP"), await lender.category("borrower:B1:GBP")
    principal, cash = await lender.account("loan:L1:principal:GBP"), await lender.account("cash:GBP")
    common: Any = {"currency": "GBP", "normal_balance": "debit", "ledger_id": loan.ledger_id}
    mine = await calls.create(name="Mine", **common)

    renamed, gone, *contents = [
        await refused(call)
        for call in (
            calls.update(loan.id, external_id="mine"),
            calls.delete(loan.id),
            calls.remove_ledger_account(principal.id, id=loan.id),
            calls.add_ledger_account(cash.id, id=loan.id),
            calls.remove_nested_category(loan.id, id=borrower.id),
            calls.add_nested_category(mine.id, id=borrower.id),
            calls.create(name="Another", ledger_account_category_ids=[loan.id], **common),
            lender.client.ledger_accounts.create(name="Another", ledger_account_category_ids=[loan.id], **common),
        )
    ]

    assert (renamed[0], gone[0]) == ("external_id", "id")
    assert {blamed for blamed, _ in contents} == {"ledger_account_category_id"}
    assert all(" accounts into the ledger account category " in sentence for _, sentence in contents)
    assert (await calls.update(loan.id, name="The loan")).name == "The loan"
    assert (await calls.retrieve(borrower.id)).balances.posted_balance.amount == 60_000


async def test_callers_put_what_is_loan_events_into_categories_of_their_own(lender: Lender) -> None:
    calls = lender.client.ledger_account_categories
    loan, cash = await lender.category("loan:L1:GBP"), await lender.account("cash:GBP")
    mine = await calls.create(name="Mine", currency="GBP", normal_balance="debit", ledger_id=loan.ledger_id)

    await calls.add_ledger_account(cash.id, id=mine.id)
    await calls.add_nested_category(loan.id, id=mine.id)
    together = (await calls.retrieve(mine.id)).balances.posted_balance.amount
    await calls.remove_ledger_account(cash.id, id=mine.id)

    assert (together, (await calls.retrieve(mine.id)).balances.posted_balance.amount) == (0, 60_000)


@pytest.mark.parametrize(
    ("resource_type", "action", "external_id", "change", "parameter"),
    [
        ("ledger_transaction", "update", "loan.repayment:L1:R1", {"status": "archived"}, "status"),
        ("ledger_account", "update", "cash:GBP", {"external_id": "mine"}, "external_id"),
        ("ledger_account", "delete", "loan:L1:fees:GBP", {}, "id"),
    ],
)
async def test_a_bulk_request_does_not_get_around_it(
    lender: Lender, resource_type: str, action: str, external_id: str, change: dict[str, str], parameter: str
) -> None:
    find = lender.transaction if resource_type == "ledger_transaction" else lender.account
    resource = {"id": (await find(external_id)).id, **change}

    request = await ask(lender.client, action, resource_type, [resource])
    await work(lender.station.database)

    (result,) = await results_of(lender.client, request)
    assert refusals.bulk_error(result).parameter == parameter


async def test_the_workers_own_ledger_stays(client: AsyncModernTreasury, database: Database) -> None:
    station = await Station.open(database)

    blamed, why = await refused(client.ledgers.delete(str(station.ledger_id)))

    assert (blamed, why) == (
        "id",
        "The worker's own ledger, or one that has accounts or categories, may not be discarded",
    )
    assert (await client.ledgers.retrieve(str(station.ledger_id))).name == LEDGER_NAME


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger_accounts set external_id = 'mine' where external_id = 'cash:GBP'",
        "update ledger_accounts set discarded_at = now() where external_id = 'loan:L1:fees:GBP'",
        "update ledger_accounts set for_loans = false",
        "update ledger_account_categories set external_id = null",
    ],
)
async def test_the_tables_themselves_keep_what_loan_events_find(lender: Lender, statement: str) -> None:
    async with lender.station.database.connection() as connection:
        with pytest.raises(asyncpg.PostgresError) as refusal:
            await connection.execute(statement)
    assert refusal.value.sqlstate == "LW009"
