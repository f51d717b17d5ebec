"""``/api/ledger_account_statements``: what an account held at two moments, put down once and for all.

A statement counts what the books say when it is made. Entries that come later, however far back they take effect, are
not in it, and what it lists stays listed when it is archived or replaced afterwards.
"""

from __future__ import annotations

from typing import Final

from worker.api import statements_store as store
from worker.api.body import MAX_DESCRIPTION, Body
from worker.api.call import Answer, Call, answer
from worker.api.documents import render_statement
from worker.api.effects import Effects
from worker.api.refusals import invalid, not_found, unknown
from worker.api.shapes import LedgerAccountStatementObject
from worker.api.statements_store import NewStatement
from worker.database import Connection, Database

NOUN: Final = "Ledger account statement"


class Statements:
    """Ledger account statements."""

    def __init__(self, database: Database, effects: Effects) -> None:
        self._database = database
        self._effects = effects

    async def create(self, call: Call) -> Answer[LedgerAccountStatementObject]:
        """A statement of what the account holds now."""
        new = _read_new(call.body)

        async def effect(connection: Connection) -> Answer[LedgerAccountStatementObject]:
            statement = await store.insert_statement(connection, new)
            if statement is None:
                raise unknown("ledger_account_id", "Ledger account")
            return answer(render_statement(statement), 201)

        return await self._effects.once(call, effect)

    async def retrieve(self, call: Call) -> Answer[LedgerAccountStatementObject]:
        """One statement."""
        statement_id = call.id(NOUN)
        call.query.finish()
        async with self._database.connection() as connection:
            statement = await store.find_statement(connection, statement_id)
        if statement is None:
            raise not_found(NOUN)
        return answer(render_statement(statement))


def _read_new(body: Body) -> NewStatement:
    new = NewStatement(
        account_id=body.required_uuid("ledger_account_id"),
        description=body.text("description", MAX_DESCRIPTION),
        metadata=body.metadata(),
        lower_bound=body.required_moment("effective_at_lower_bound"),
        upper_bound=body.required_moment("effective_at_upper_bound"),
    )
    body.finish()
    if new.lower_bound >= new.upper_bound:
        raise invalid("effective_at_upper_bound", "effective_at_upper_bound must be after effective_at_lower_bound")
    return new
