"""``/api/ledger_account_settlements``: takes what gathered on one account over to another.

A settlement holds posted entries of the settled account that no other settlement holds, effective before its bound, and
posts one transaction that brings their sum to zero. Everything happens in the call's own database transaction, so that
nobody ever sees it *processing* or *archiving*. A draft begins empty and takes the entries that it is given; posting it
decides its amount. Archiving gives the entries back. Posted settlements are undone by reversing their transaction,
whose entry then waits for the next settlement as any other does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias
from uuid import UUID

from worker.api import events_store
from worker.api import settlements_store as store
from worker.api.body import MAX_DESCRIPTION, Body
from worker.api.call import Answer, Call, answer, empty_answer, list_answer
from worker.api.documents import render_settlement
from worker.api.effects import Effects
from worker.api.metadata import require_few
from worker.api.objects import Settlement, SettlementStatus
from worker.api.query import Query
from worker.api.reading_store import Listed, require_cursor, snapshot
from worker.api.refusals import invalid, not_found, unknown
from worker.api.settlement_body import (
    Beginning,
    SettlementChange,
    net_of,
    read_change,
    read_entry_ids,
    refused_change,
    refused_posting,
    transaction_of,
)
from worker.api.settlements_store import Completion, NewSettlement, SettlementFilter
from worker.api.shapes import LedgerAccountSettlementObject
from worker.database import Connection, Database
from worker.ledger import poster, posting_store
from worker.ledger.posting_store import Names
from worker.ledger.transaction import Direction, Operation, Posted, RefusalCode, Refused, Replayed, Status, Update

NOUN: Final = "Ledger account settlement"
RESOURCE: Final = "ledger_account_settlement"

Edit: TypeAlias = Callable[[Connection, UUID, Sequence[UUID]], Awaitable[None]]
"""Takes entries into a draft, or out of it."""


class Settlements:
    """Ledger account settlements."""

    def __init__(self, database: Database, effects: Effects) -> None:
        self._database = database
        self._effects = effects

    async def list(self, call: Call) -> Answer[Sequence[LedgerAccountSettlementObject]]:
        """A page of settlements."""
        asked = call.query
        which, page = _read_filter(asked), asked.page()
        asked.finish()
        async with snapshot(self._database) as connection:
            settlements = await store.list_settlements(connection, which, page)
            if not settlements:
                await require_cursor(connection, Listed.SETTLEMENTS, page)
        return list_answer([render_settlement(settlement) for settlement in settlements], page)

    async def create(self, call: Call) -> Answer[LedgerAccountSettlementObject]:
        """A new settlement, pending unless it says otherwise."""
        body = call.body
        status = SettlementStatus(body.choice("status", Beginning) or Beginning.PENDING)
        skips = bool(body.flag("skip_settlement_ledger_transaction"))
        new = _read_new(body)

        async def effect(connection: Connection) -> Answer[LedgerAccountSettlementObject]:
            ledger_id = await _check_accounts(connection, new)
            settlement_id = await store.insert_settlement(connection, ledger_id, new)
            if status is not SettlementStatus.DRAFTING:
                total = await _claim(connection, ledger_id, settlement_id, new)
                await _complete(connection, settlement_id, status, total, skips_transaction=skips)
            settlement = await _find(connection, settlement_id)
            await _tell(connection, settlement, "created")
            return answer(render_settlement(settlement), 201)

        return await self._effects.once(call, effect)

    async def retrieve(self, call: Call) -> Answer[LedgerAccountSettlementObject]:
        """One settlement."""
        settlement_id = call.id(NOUN)
        call.query.finish()
        async with self._database.connection() as connection:
            settlement = await _find(connection, settlement_id)
        return answer(render_settlement(settlement))

    async def update(self, call: Call) -> Answer[LedgerAccountSettlementObject]:
        """Post or archive a settlement, or change its description or metadata."""
        settlement_id, change = call.id(NOUN), read_change(call.body)
        async with self._database.transaction() as connection:
            settlement = await _lock(connection, settlement_id)
            status = change.status if change.status is not settlement.status else None
            if status is not None:
                await _move(connection, settlement, status, change)
            # The status of a settlement with a transaction is told by that; its own is what it was last set to.
            await store.update_settlement(connection, settlement_id, status, change.description, change.metadata)
            settlement = await _find(connection, settlement_id)
            require_few(settlement.metadata, change.metadata)
            await _tell(connection, settlement, "updated")
        return answer(render_settlement(settlement))

    async def add_entries(self, call: Call) -> Answer[None]:
        """Take entries into a draft."""

        async def take(connection: Connection, settlement_id: UUID, entry_ids: Sequence[UUID]) -> None:
            if await store.claim_entries(connection, settlement_id, entry_ids) < len(entry_ids):
                raise invalid(
                    "ledger_entry_ids",
                    "Only posted entries of the settled ledger account that are effective before the bound and in no "
                    "other settlement can be added",
                )

        return await self._edit(call, take)

    async def remove_entries(self, call: Call) -> Answer[None]:
        """Take entries out of a draft; those it does not hold are passed over."""
        return await self._edit(call, store.release_entries)

    async def _edit(self, call: Call, edit: Edit) -> Answer[None]:
        settlement_id, entry_ids = call.id(NOUN), read_entry_ids(call.body)
        async with self._database.transaction() as connection:
            settlement = await _lock(connection, settlement_id)
            if settlement.status is not SettlementStatus.DRAFTING:
                raise invalid("id", "Only a drafting settlement takes ledger entries in or out")
            await store.hold_settling(connection, settlement.settled_account_id)
            await edit(connection, settlement_id, entry_ids)
        return empty_answer()


async def _check_accounts(connection: Connection, new: NewSettlement) -> UUID:
    """The ledger of both accounts, which must be different and of one currency."""
    settled_id, contra_id = new.settled_account_id, new.contra_account_id
    if settled_id == contra_id:
        raise invalid("contra_ledger_account_id", "A ledger account cannot be settled against itself")
    found = await store.find_accounts(connection, [settled_id, contra_id])
    if (settled := found.get(settled_id)) is None:
        raise unknown("settled_ledger_account_id", "Ledger account")
    if (contra := found.get(contra_id)) is None:
        raise unknown("contra_ledger_account_id", "Ledger account")
    if settled.ledger_id != contra.ledger_id:
        raise invalid("contra_ledger_account_id", "Both ledger accounts must be of one ledger")
    if (settled.unit.currency, settled.unit.currency_exponent) != (contra.unit.currency, contra.unit.currency_exponent):
        raise invalid("contra_ledger_account_id", "Both ledger accounts must be of one currency")
    return settled.ledger_id


async def _claim(connection: Connection, ledger_id: UUID, settlement_id: UUID, new: NewSettlement) -> int:
    """Take in all that is due; what it comes to.

    Twice: what there is, which may be years of entries, while others go on posting to the account; and then, with both
    accounts locked, what was posted meanwhile.
    """
    account_id = new.settled_account_id
    await store.hold_settling(connection, account_id)
    total = await store.claim_due_entries(connection, settlement_id, account_id)
    await _lock_balances(connection, ledger_id, account_id, new.contra_account_id)
    return total + await store.claim_due_entries(connection, settlement_id, account_id)


async def _lock_balances(connection: Connection, ledger_id: UUID, *account_ids: UUID) -> None:
    """Keep the accounts as they are, locked in the poster's own order: what is settled is what is summed."""
    await posting_store.lock_balances(connection, ledger_id, Names(ids=set(account_ids)))


async def _complete(
    connection: Connection,
    settlement_id: UUID,
    status: SettlementStatus,
    debits_less_credits: int,
    *,
    skips_transaction: bool,
) -> None:
    """Decide what a settlement of these entries comes to and post it, unless that happened elsewhere."""
    settlement = await _find(connection, settlement_id)
    net = net_of(settlement, debits_less_credits)
    transaction_id = None
    if not skips_transaction:
        posted = await _post(connection, settlement, transaction_of(settlement, net, Status(status)))
        transaction_id = posted.transaction_id
    completion = Completion(status, net.amount, net.direction, transaction_id)
    await store.complete_settlement(connection, settlement_id, completion)


async def _move(
    connection: Connection, settlement: Settlement, status: SettlementStatus, change: SettlementChange
) -> None:
    """Bring a drafted or pending settlement to its end."""
    match settlement.status:
        case SettlementStatus.DRAFTING if status is SettlementStatus.POSTED:
            # Entries that are posted stay as they are, and the draft is held: its sum needs no account to be locked.
            total = await store.drafted_sum(connection, settlement.id)
            await _complete(connection, settlement.id, status, total, skips_transaction=change.skips_transaction)
        case SettlementStatus.PENDING if settlement.transaction_id is not None:
            await _post(connection, settlement, Update(settlement.transaction_id, Status(status)))
        case SettlementStatus.DRAFTING | SettlementStatus.PENDING:
            pass
        case SettlementStatus.POSTED | SettlementStatus.ARCHIVED:
            raise refused_change(settlement.status)


async def _post(connection: Connection, settlement: Settlement, operation: Operation) -> Posted | Replayed:
    (result,) = await poster.post(connection, settlement.ledger_id, [operation])
    if isinstance(result, Refused):
        if result.code is RefusalCode.NOT_PENDING:  # it ended while this waited for it
            raise refused_change((await _find(connection, settlement.id)).status)
        raise refused_posting(result)
    return result


async def _find(connection: Connection, settlement_id: UUID) -> Settlement:
    settlement = await store.find_settlement(connection, settlement_id)
    if settlement is None:
        raise not_found(NOUN)
    return settlement


async def _lock(connection: Connection, settlement_id: UUID) -> Settlement:
    settlement = await store.lock_settlement(connection, settlement_id)
    if settlement is None:
        raise not_found(NOUN)
    return settlement


async def _tell(connection: Connection, settlement: Settlement, event_name: str) -> None:
    document = render_settlement(settlement)
    await events_store.insert_event(connection, RESOURCE, event_name, settlement.id, document)


def _read_filter(asked: Query) -> SettlementFilter:
    return SettlementFilter(
        ids=asked.uuids("id"),
        settled_account_id=asked.uuid("settled_ledger_account_id"),
        direction=asked.choice("settlement_entry_direction", Direction),
        transaction_id=asked.uuid("ledger_transaction_id"),
        ledger_id=asked.uuid("ledger_id"),
        created_at=asked.moments("created_at"),
        updated_at=asked.moments("updated_at"),
        metadata=asked.metadata(),
    )


def _read_new(body: Body) -> NewSettlement:
    new = NewSettlement(
        settled_account_id=body.required_uuid("settled_ledger_account_id"),
        contra_account_id=body.required_uuid("contra_ledger_account_id"),
        allow_either_direction=bool(body.flag("allow_either_direction")),
        upper_bound=body.moment("effective_at_upper_bound"),
        description=body.text("description", MAX_DESCRIPTION),
        metadata=body.metadata(),
    )
    body.finish()
    return new
