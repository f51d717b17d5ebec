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
from worker.api.refusals import invalid, missing, not_found, unknown
from worker.api.statements_store import NewStatement
from worker.database import Connection, Database

NOUN: Final = "Ledger account statement"


class Statements:
    """Ledger account statements."""

    def __init__(self, database: Database, effects: Effects) -> None:
        self._database = database
        self._effects = effects

    async def create(self, call: Call) -> Answer:
        """A statement of what the account holds now."""
        new = _read_new(call.body)

        async def effect(connection: Connection) -> Answer:
            statement = await store.insert_statement(connection, new)
            if statement is None:
                raise unknown("ledger_account_id", "Ledger account")
            return answer(render_statement(statement), 201)

        return await self._effects.once(call, effect)

    async def retrieve(self, call: Call) -> Answer:
        """One statement."""
        call.query.finish()
        async with self._database.connection() as connection:
            statement = await store.find_statement(connection, call.id(NOUN))
        if statement is None:
            raise not_found(NOUN)
        return answer(render_statement(statement))


def _read_new(body: Body) -> NewStatement:
    lower, upper = body.moment("effective_at_lower_bound"), body.moment("effective_at_upper_bound")
    if lower is None:
        raise missing("effective_at_lower_bound")
    if upper is None:
        raise missing("effective_at_upper_bound")
    if lower >= upper:
        raise invalid("effective_at_upper_bound", "effective_at_upper_bound must be after effective_at_lower_bound")
    new = NewStatement(
        account_id=body.required_uuid("ledger_account_id"),
        description=body.text("description", MAX_DESCRIPTION),
        metadata=body.metadata(),
        lower_bound=lower,
        upper_bound=upper,
    )
    body.finish()
    return new
