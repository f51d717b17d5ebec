"""``/api/ledger_accounts``.

An account is found by its id or by its external id in any ledger; an external id that two ledgers share is refused. One
that has entries is never discarded, and a discarded one is not found any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final
from uuid import UUID

from worker.api import accounts_store as store
from worker.api import ledgers_store, membership_store
from worker.api.accounts_store import AccountFilter, NewAccount
from worker.api.body import MAX_DESCRIPTION, MAX_EXTERNAL_ID, MAX_NAME, Body
from worker.api.call import Answer, Call, answer, list_answer
from worker.api.changes import (
    MAX_CATEGORIES,
    ExternalIdTakenError,
    ObjectChange,
    external_id_taken,
    read_change,
    read_ledgerable,
    read_unit,
)
from worker.api.effects import Effects
from worker.api.loan_events import kept_category
from worker.api.metadata import require_few
from worker.api.objects import Account
from worker.api.query import Query, Window
from worker.api.reading_store import Listed, require_cursor, snapshot, steady
from worker.api.refusals import invalid, not_found, unknown
from worker.api.render import render_account
from worker.api.shapes import LedgerAccountObject
from worker.database import Connection, Database
from worker.ledger.transaction import Direction

NOUN: Final = "Ledger account"

LOCK_VERSION: Final = "as_of_lock_version"
"""A bound that only the balances of one account can have."""


class LedgerableType(StrEnum):
    """What an account may stand for."""

    COUNTERPARTY = "counterparty"
    EXTERNAL_ACCOUNT = "external_account"
    INTERNAL_ACCOUNT = "internal_account"
    VIRTUAL_ACCOUNT = "virtual_account"


class Accounts:
    """Ledger accounts."""

    def __init__(self, database: Database, effects: Effects) -> None:
        self._database = database
        self._effects = effects

    async def list(self, call: Call) -> Answer[Sequence[LedgerAccountObject]]:
        """A page of accounts."""
        asked = call.query
        which, window, page = _read_filter(asked), asked.window(), asked.page()
        asked.finish()
        async with snapshot(self._database) as connection:
            accounts = await store.list_accounts(connection, which, window, page)
            if not accounts:
                await require_cursor(connection, Listed.ACCOUNTS, page)
        return list_answer([render_account(account, window) for account in accounts], page)

    async def create(self, call: Call) -> Answer[LedgerAccountObject]:
        """A new account, in its categories at once."""
        new, categories = read_new(call.body)

        async def effect(connection: Connection) -> Answer[LedgerAccountObject]:
            account = await create_account(connection, new, categories)
            return answer(render_account(account, Window()), 201)

        return await self._effects.once(call, effect)

    async def retrieve(self, call: Call) -> Answer[LedgerAccountObject]:
        """One account, now, over a window of time, or as of one of its versions.

        `balances[effective_at]` takes in entries at that very moment, `balances[effective_at_upper_bound]` does not.
        """
        asked, key = call.query, call.key()
        version, window = asked.whole(f"balances[{LOCK_VERSION}]"), asked.window(LOCK_VERSION)
        asked.finish()
        if version is not None and window != Window():
            raise invalid("balances", "balances[as_of_lock_version] cannot be combined with other bounds")
        async with steady(self._database) as connection:
            account = await _find(connection, key, window)
            if version is not None:
                if not 0 <= version <= account.lock_version:
                    words = f"The ledger account has no balance at lock_version {version}"
                    raise invalid(f"balances[{LOCK_VERSION}]", words)
                account = replace(account, sums=await store.sums_at_version(connection, account.id, version))
        return answer(render_account(account, window))

    async def update(self, call: Call) -> Answer[LedgerAccountObject]:
        """Another name, description, external id or metadata."""
        account_id, change = call.id(NOUN), read_change(call.body)
        async with self._database.transaction() as connection:
            account = await change_account(connection, account_id, change)
        return answer(render_account(account, Window()))

    async def discard(self, call: Call) -> Answer[LedgerAccountObject]:
        """Discard an account that has no entries.

        One that has is refused, whatever became of them.
        """
        account_id = call.id(NOUN)
        call.query.finish()
        async with self._database.transaction() as connection:
            account = await discard_account(connection, account_id)
        return answer(render_account(account, Window()))


async def create_account(connection: Connection, new: NewAccount, categories: Sequence[UUID]) -> Account:
    """Open an account in its categories; raises :class:`~worker.errors.Rejected`, here and below, to be rolled back."""
    if not await ledgers_store.lock_ledger(connection, new.ledger_id):
        raise unknown("ledger_id", "Ledger")
    if categories:
        await membership_store.share_chart(connection, categories)
    if (account := await store.insert_account(connection, new)) is None:
        raise external_id_taken("ledger account")
    if not await membership_store.has_categories(connection, categories):
        raise unknown("ledger_account_category_ids", "Ledger account category")
    if kept := await membership_store.find_kept(connection, categories):
        raise kept_category(kept)
    if refusal := await membership_store.add_members(connection, categories, account.id):
        raise invalid("ledger_account_category_ids", refusal)
    return account


async def change_account(connection: Connection, account_id: UUID, change: ObjectChange) -> Account:
    """Change what may change about an account."""
    try:
        changed = await store.update_account(connection, account_id, change)
    except ExternalIdTakenError:
        raise external_id_taken("ledger account") from None
    if not changed:
        raise not_found(NOUN)
    account = await _find(connection, str(account_id), Window())
    require_few(account.metadata, change.metadata)
    return account


async def discard_account(connection: Connection, account_id: UUID) -> Account:
    """Discard an account that has no entries."""
    version = await store.lock_account(connection, account_id)
    if version is None:
        raise not_found(NOUN)
    if version:
        raise invalid("id", "A ledger account that has ledger entries may not be discarded")
    return await store.discard_account(connection, account_id)


async def _find(connection: Connection, key: str, window: Window) -> Account:
    found = await store.find_accounts(connection, key, window)
    if not found:
        raise not_found(NOUN)
    if len(found) > 1:
        raise invalid("id", "Several ledgers have a ledger account with this external ID: use its id")
    return found[0]


def _read_filter(asked: Query) -> AccountFilter:
    return AccountFilter(
        ids=asked.uuids("id"),
        names=asked.texts("name"),
        ledger_id=asked.uuid("ledger_id"),
        external_id=asked.text("external_id"),
        currency=asked.text("currency"),
        normal_balance=asked.choice("normal_balance", Direction),
        created_at=asked.moments("created_at"),
        updated_at=asked.moments("updated_at"),
        category_id=asked.uuid("ledger_account_category_id"),
        metadata=asked.metadata(),
        pending=asked.balance("pending_balance_amount"),
        posted=asked.balance("posted_balance_amount"),
        available=asked.balance("available_balance_amount"),
    )


def read_new(body: Body) -> tuple[NewAccount, list[UUID]]:
    """A new account and its categories out of a body, which it finishes."""
    new = NewAccount(
        ledger_id=body.required_uuid("ledger_id"),
        external_id=body.some_text("external_id", MAX_EXTERNAL_ID),
        name=body.required_text("name", MAX_NAME),
        description=body.text("description", MAX_DESCRIPTION),
        unit=read_unit(body),
        metadata=body.metadata(),
        ledgerable=read_ledgerable(body, LedgerableType),
    )
    categories = body.uuids("ledger_account_category_ids", MAX_CATEGORIES)
    body.finish()
    return new, categories
