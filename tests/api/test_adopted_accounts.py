"""Accounts and categories of a caller's own under external ids of the rulebook, which loan events then count on."""

from __future__ import annotations

from typing import Any

import pytest
from modern_treasury import AsyncModernTreasury
from modern_treasury.types import LedgerAccount

from tests.api.test_loans_own import refused
from tests.loans.events import LoanSystem
from tests.loans.station import Station
from worker.database import Database
from worker.operations.control import Control
from worker.operations.reader import Reader
from worker.operations.views import Party


async def made_first(client: AsyncModernTreasury, station: Station, **unit: Any) -> LedgerAccount:
    """A caller's account under the external id of a loan's."""
    said: Any = {"currency": "GBP", "normal_balance": "debit", **unit}
    return await client.ledger_accounts.create(
        name="Mine",
        external_id="loan:L1:principal:GBP",
        ledger_id=str(station.ledger_id),
        metadata={"investorID": "I9", "desk": "3"},
        **said,
    )


async def standing(database: Database, party: Party) -> list[str | None]:
    """The accounts of a party that are not zero."""
    return [one["external_id"] for one in (await Reader(database).trial_balance(None, party))["accounts"]]


async def test_what_loan_events_take_over_is_among_the_loans_accounts_whatever_is_edited(
    client: AsyncModernTreasury, database: Database
) -> None:
    station, loan = await Station.open(database), LoanSystem()
    mine = await made_first(client, station)
    await station.play(loan.create(), loan.tell("loan.disbursed", drawdown_id="D1", amount=5))

    theirs = await client.ledger_accounts.retrieve(mine.id)
    refusals_of = [
        await refused(client.ledger_accounts.update(mine.id, metadata=metadata))
        for metadata in ({"loanID": ""}, {"loanID": "L2"}, {"investorID": "I1"})
    ]
    edited = await client.ledger_accounts.update(mine.id, metadata={"loanID": "L1", "desk": "4", "borrowerID": ""})

    assert theirs.metadata == {"accountType": "loan", "loanID": "L1", "borrowerID": "B1", "desk": "3"}
    assert {blamed for blamed, _ in refusals_of} == {"metadata"}
    assert refusals_of[0][1].startswith("Loan events count on loan:L1:principal:GBP: loanID and investorID in its")
    assert edited.metadata == {"accountType": "loan", "loanID": "L1", "desk": "4"}
    assert await standing(database, Party.loan("L1")) == ["loan:L1:principal:GBP"]


@pytest.mark.parametrize(
    ("unit", "made"),
    [
        ({"normal_balance": "credit"}, "normal_balance credit in GBP"),
        ({"currency": "USD"}, "normal_balance debit in USD"),
        ({"currency_exponent": 3}, "normal_balance debit in GBP (exponent 3)"),
    ],
)
async def test_an_account_of_another_unit_is_not_taken_over_and_the_event_says_what_to_do(
    client: AsyncModernTreasury, database: Database, unit: dict[str, Any], made: str
) -> None:
    station, loan = await Station.open(database), LoanSystem()
    mine = await made_first(client, station, **unit)
    await station.play(loan.create(), loan.tell("loan.disbursed", drawdown_id="D1", amount=5))

    (letter,) = await station.dead_letters()
    renamed = await client.ledger_accounts.update(mine.id, external_id="mine", metadata={"investorID": ""})
    await Control(database, lambda: None).replay_dead_letter(letter.id)
    await (await station.worker()).drain()

    assert letter.reason_class == "ledger_refused"
    assert letter.reason == (
        "loan events need the ledger account loan:L1:principal:GBP with normal_balance debit in GBP, and somebody made "
        f"one with {made}: give that another external_id over /api, then replay this event"
    )
    assert (renamed.external_id, renamed.metadata) == ("mine", {"desk": "3"})
    assert await station.balances() == {"Cash": -5, "Principal - Loan L1": 5}


async def test_a_category_of_another_unit_is_not_taken_over(client: AsyncModernTreasury, database: Database) -> None:
    station, loan = await Station.open(database), LoanSystem()
    ledger_id = str(station.ledger_id)
    await client.ledger_account_categories.create(
        name="Mine", external_id="loan:L1:GBP", currency="USD", normal_balance="debit", ledger_id=ledger_id
    )

    await station.play(loan.create(), loan.tell("loan.disbursed", drawdown_id="D1", amount=5))

    (letter,) = await station.dead_letters()
    assert letter.reason_class == "ledger_refused"
    assert letter.reason.startswith("loan events need the ledger category loan:L1:GBP with normal_balance debit in GBP")
    assert await station.balances() == {}
