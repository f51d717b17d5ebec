"""``/api/ledgers``. A ledger is discarded only when it holds nothing; what was discarded is not found any more."""

from __future__ import annotations

from collections.abc import Sequence

from worker.api import ledgers_store as store
from worker.api.body import MAX_DESCRIPTION, MAX_NAME
from worker.api.call import Answer, Call, answer, list_answer
from worker.api.effects import Effects
from worker.api.ledgers_store import LedgerChange, LedgerFilter
from worker.api.metadata import require_few
from worker.api.reading_store import Listed, require_cursor, snapshot
from worker.api.refusals import invalid, not_found
from worker.api.render import render_ledger
from worker.api.shapes import LedgerObject
from worker.database import Connection, Database

NOUN = "Ledger"


class Ledgers:
    """Sets of books."""

    def __init__(self, database: Database, effects: Effects) -> None:
        self._database = database
        self._effects = effects

    async def list(self, call: Call) -> Answer[Sequence[LedgerObject]]:
        """A page of ledgers."""
        asked = call.query
        which = LedgerFilter(asked.uuids("id"), asked.metadata(), asked.moments("updated_at"))
        page = asked.page()
        asked.finish()
        async with snapshot(self._database) as connection:
            ledgers = await store.list_ledgers(connection, which, page)
            if not ledgers:
                await require_cursor(connection, Listed.LEDGERS, page)
        return list_answer([render_ledger(ledger) for ledger in ledgers], page)

    async def create(self, call: Call) -> Answer[LedgerObject]:
        """A new ledger."""
        body = call.body
        name, description = body.required_text("name", MAX_NAME), body.text("description", MAX_DESCRIPTION)
        metadata = body.metadata()
        body.finish()

        async def effect(connection: Connection) -> Answer[LedgerObject]:
            return answer(render_ledger(await store.insert_ledger(connection, name, description, metadata)), 201)

        return await self._effects.once(call, effect)

    async def retrieve(self, call: Call) -> Answer[LedgerObject]:
        """One ledger."""
        ledger_id = call.id(NOUN)
        call.query.finish()
        async with self._database.connection() as connection:
            ledger = await store.find_ledger(connection, ledger_id)
        if ledger is None:
            raise not_found(NOUN)
        return answer(render_ledger(ledger))

    async def update(self, call: Call) -> Answer[LedgerObject]:
        """Another name, description or metadata."""
        body, ledger_id = call.body, call.id(NOUN)
        change = LedgerChange(
            body.some_text("name", MAX_NAME), body.change("description", MAX_DESCRIPTION), body.metadata_changes()
        )
        body.finish()
        async with self._database.transaction() as connection:
            ledger = await store.update_ledger(connection, ledger_id, change)
            if ledger is None:
                raise not_found(NOUN)
            require_few(ledger.metadata, change.metadata)
        return answer(render_ledger(ledger))

    async def discard(self, call: Call) -> Answer[LedgerObject]:
        """Discard a ledger without accounts and categories that is not the worker's own."""
        ledger_id = call.id(NOUN)
        call.query.finish()
        async with self._database.transaction() as connection:
            if not await store.lock_ledger_alone(connection, ledger_id):
                raise not_found(NOUN)
            ledger = await store.discard_ledger(connection, ledger_id)
        if ledger is None:
            raise invalid("id", "The worker's own ledger, or one that has accounts or categories, may not be discarded")
        return answer(render_ledger(ledger))
