"""``/api/ledger_account_categories``: sums of accounts and of other categories, never touching a transaction.

Adding what is already in a category, and removing what is not, change nothing and succeed. A discarded category is
taken apart: what was in it stays, what it was in goes on without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from worker.api import categories_store as store
from worker.api import ledgers_store, membership_store
from worker.api.body import MAX_DESCRIPTION, MAX_EXTERNAL_ID, MAX_NAME, Body
from worker.api.call import Answer, Call, answer, empty_answer, list_answer
from worker.api.categories_store import CategoryFilter, NewCategory
from worker.api.changes import MAX_CATEGORIES, ExternalIdTakenError, external_id_taken, read_change, read_unit
from worker.api.effects import Effects
from worker.api.loan_events import kept_category
from worker.api.metadata import require_few
from worker.api.objects import Category
from worker.api.query import Query, Window
from worker.api.reading_store import Listed, require_cursor, snapshot, steady
from worker.api.refusals import invalid, not_found, unknown
from worker.api.render import render_category
from worker.api.shapes import LedgerAccountCategoryObject
from worker.database import Connection, Database

NOUN: Final = "Ledger account category"


class Categories:
    """Ledger account categories."""

    def __init__(self, database: Database, effects: Effects) -> None:
        self._database = database
        self._effects = effects

    async def list(self, call: Call) -> Answer[Sequence[LedgerAccountCategoryObject]]:
        """A page of categories."""
        asked = call.query
        which, window, page = _read_filter(asked), asked.window(), asked.page()
        asked.finish()
        async with snapshot(self._database) as connection:
            categories = await store.list_categories(connection, which, window, page)
            if not categories:
                await require_cursor(connection, Listed.CATEGORIES, page)
        return list_answer([render_category(category) for category in categories], page)

    async def create(self, call: Call) -> Answer[LedgerAccountCategoryObject]:
        """A new category, nested in others at once."""
        body = call.body
        new, parents = _read_new(body), body.uuids("ledger_account_category_ids", MAX_CATEGORIES)
        body.finish()

        async def effect(connection: Connection) -> Answer[LedgerAccountCategoryObject]:
            if not await ledgers_store.lock_ledger(connection, new.ledger_id):
                raise unknown("ledger_id", "Ledger")
            if parents:
                await membership_store.lock_chart(connection, parents)
            if (category_id := await store.insert_category(connection, new)) is None:
                raise external_id_taken("ledger account category")
            if not await membership_store.has_categories(connection, parents):
                raise unknown("ledger_account_category_ids", NOUN)
            await _refuse_kept(connection, parents)
            if refusal := await membership_store.add_nestings(connection, parents, category_id):
                raise invalid("ledger_account_category_ids", refusal)
            category = await store.find_category(connection, category_id, Window())
            return answer(render_category(_existing(category)), 201)

        return await self._effects.once(call, effect)

    async def retrieve(self, call: Call) -> Answer[LedgerAccountCategoryObject]:
        """One category."""
        asked, category_id = call.query, call.id(NOUN)
        window = asked.window()
        asked.finish()
        async with steady(self._database) as connection:
            category = await store.find_category(connection, category_id, window)
        return answer(render_category(_existing(category)))

    async def update(self, call: Call) -> Answer[LedgerAccountCategoryObject]:
        """Another name, description, external id or metadata."""
        category_id, change = call.id(NOUN), read_change(call.body)
        async with self._database.transaction() as connection:
            try:
                await store.update_category(connection, category_id, change)
            except ExternalIdTakenError:
                raise external_id_taken("ledger account category") from None
            category = _existing(await store.find_category(connection, category_id, Window()))
            require_few(category.metadata, change.metadata)
        return answer(render_category(category))

    async def discard(self, call: Call) -> Answer[LedgerAccountCategoryObject]:
        """Discard a category.

        What it contained stays, and counts no longer in the categories it was nested in, unless it is there by another
        way.
        """
        category_id = call.id(NOUN)
        call.query.finish()
        async with self._database.transaction() as connection:
            await membership_store.lock_chart(connection, [category_id])
            category = _existing(await store.find_category(connection, category_id, Window()))
            discarded_at = await store.discard_category(connection, category_id)
        if discarded_at is None:
            raise not_found(NOUN)
        return answer(render_category(replace(category, discarded_at=discarded_at, updated_at=discarded_at)))

    async def add_account(self, call: Call) -> Answer[None]:
        """Put an account into a category.

        Both are of one ledger and one currency. An account that is in a category by several ways counts once.
        """
        category_id, account_id = call.id(NOUN), call.id("Ledger account", "ledger_account_id")
        call.query.finish()
        async with self._database.transaction() as connection:
            await membership_store.share_chart(connection, [category_id])
            if not await membership_store.has_categories(connection, [category_id]):
                raise not_found(NOUN)
            if not await membership_store.has_account(connection, account_id):
                raise not_found("Ledger account")
            await _refuse_kept(connection, [category_id])
            if refusal := await membership_store.add_members(connection, [category_id], account_id):
                raise invalid("ledger_account_id", refusal)
        return empty_answer()

    async def remove_account(self, call: Call) -> Answer[None]:
        """Take an account out of a category."""
        category_id, account_id = call.id(NOUN), call.id("Ledger account", "ledger_account_id")
        call.query.finish()
        async with self._database.transaction() as connection:
            await membership_store.share_chart(connection, [category_id])
            if not await membership_store.has_categories(connection, [category_id]):
                raise not_found(NOUN)
            if not await membership_store.has_account(connection, account_id):
                raise not_found("Ledger account")
            await _refuse_kept(connection, [category_id])
            await membership_store.remove_member(connection, category_id, account_id)
        return empty_answer()

    async def add_category(self, call: Call) -> Answer[None]:
        """Nest a category in another."""
        parent_id, child_id = call.id(NOUN), call.id(NOUN, "sub_category_id")
        call.query.finish()
        async with self._database.transaction() as connection:
            await membership_store.lock_chart(connection, [parent_id, child_id])
            if not await membership_store.has_categories(connection, [parent_id, child_id]):
                raise not_found(NOUN)
            await _refuse_kept(connection, [parent_id])
            if refusal := await membership_store.add_nestings(connection, [parent_id], child_id):
                raise invalid("sub_category_id", refusal)
        return empty_answer()

    async def remove_category(self, call: Call) -> Answer[None]:
        """Take a category out of another."""
        parent_id, child_id = call.id(NOUN), call.id(NOUN, "sub_category_id")
        call.query.finish()
        async with self._database.transaction() as connection:
            await membership_store.lock_chart(connection, [parent_id, child_id])
            if not await membership_store.has_categories(connection, [parent_id, child_id]):
                raise not_found(NOUN)
            await _refuse_kept(connection, [parent_id])
            await membership_store.remove_nesting(connection, parent_id, child_id)
        return empty_answer()


async def _refuse_kept(connection: Connection, category_ids: Sequence[UUID]) -> None:
    """Raise :class:`~worker.errors.Rejected` (422) when what is in one of these is loan events' to decide."""
    if kept := await membership_store.find_kept(connection, category_ids):
        raise kept_category(kept)


def _existing(category: Category | None) -> Category:
    if category is None:
        raise not_found(NOUN)
    return category


def _read_filter(asked: Query) -> CategoryFilter:
    name, names = asked.text("name"), asked.texts("name")
    return CategoryFilter(
        ids=asked.uuids("id"),
        names=[*(names or []), name] if name is not None else names,
        ledger_id=asked.uuid("ledger_id"),
        currency=asked.text("currency"),
        external_id=asked.text("external_id"),
        parent_id=asked.uuid("parent_ledger_account_category_id"),
        account_id=asked.uuid("ledger_account_id"),
        metadata=asked.metadata(),
    )


def _read_new(body: Body) -> NewCategory:
    return NewCategory(
        ledger_id=body.required_uuid("ledger_id"),
        external_id=body.some_text("external_id", MAX_EXTERNAL_ID),
        name=body.required_text("name", MAX_NAME),
        description=body.text("description", MAX_DESCRIPTION),
        unit=read_unit(body),
        metadata=body.metadata(),
    )
