"""A ledger in which something was settled and stated, as the API does it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tests.ledger.books import CASH, DAY, REVENUE, Ledger, create, credit, debit, earn
from worker.api import settlements_store, statements_store
from worker.api.objects import SettlementStatus
from worker.api.settlements_store import Completion, NewSettlement
from worker.api.statements_store import NewStatement
from worker.database import Connection
from worker.ledger import poster
from worker.ledger.book import midnight
from worker.ledger.transaction import Archive, Create, Direction, Posted, Status, Update

NEXT = DAY + timedelta(days=1)
BOUND = midnight(NEXT)
"""Everything up to the end of the tests' day is settled."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A settlement, and the transaction that carries it out."""

    id: UUID
    transaction_id: UUID


async def settle(ledger: Ledger, status: Status) -> Settled:
    """Take what the revenue came to over to cash, with a settlement of this status."""
    first = Status.PENDING if status is Status.ARCHIVED else status
    async with ledger.database.transaction() as connection:
        settlement_id, amount = await draft(connection, ledger)
        transaction_id = await carry_out(connection, ledger, take_over(amount, first))
        completion = Completion(SettlementStatus(first), amount, Direction.DEBIT, transaction_id)
        await settlements_store.complete_settlement(connection, settlement_id, completion)
    if status is Status.ARCHIVED:
        await ledger.post(Update(transaction_id, Status.ARCHIVED))
    return Settled(settlement_id, transaction_id)


async def draft(connection: Connection, ledger: Ledger) -> tuple[UUID, int]:
    """A draft that holds all that is due, and what that comes to."""
    account_id, contra_id = [(await ledger.balance(account)).account_id for account in (REVENUE, CASH)]
    new = NewSettlement(account_id, contra_id, False, BOUND, None, {})
    settlement_id = await settlements_store.insert_settlement(connection, ledger.id, new)
    await settlements_store.hold_settling(connection, account_id)
    total = await settlements_store.claim_due_entries(connection, settlement_id, account_id)
    return settlement_id, -total


def take_over(amount: int, status: Status) -> Create:
    """A transaction that settles so much."""
    return create(f"settles {amount}", debit(REVENUE, amount), credit(CASH, amount), status=status, day=NEXT)


async def carry_out(connection: Connection, ledger: Ledger, operation: Create) -> UUID:
    """Write a transaction; its id."""
    (result,) = await poster.post(connection, ledger.id, [operation])
    assert isinstance(result, Posted)
    return result.transaction_id


async def settle_every_way(ledger: Ledger) -> dict[Status, Settled]:
    """A posted settlement, a pending one, and one that was archived and holds its entries yet; and three statements."""
    settled = {}
    for amount, status in ((50, Status.POSTED), (40, Status.PENDING), (30, Status.ARCHIVED)):
        await ledger.post(earn(f"to be {status}", amount), earn(f"to be {status} too", 7))
        settled[status] = await settle(ledger, status)
        await state(ledger)
        await ledger.post(earn(f"after {status}", 3, Status.PENDING))
    await ledger.post(Archive("after posted", "no"))
    return settled


async def state(ledger: Ledger) -> UUID:
    """A statement of the revenue over the tests' day."""
    account_id = (await ledger.balance(REVENUE)).account_id
    async with ledger.database.transaction() as connection:
        new = NewStatement(account_id, None, {}, midnight(DAY), BOUND)
        statement = await statements_store.insert_statement(connection, new)
    assert statement is not None
    return statement.id
