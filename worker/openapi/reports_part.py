"""``/v1/ledger`` in the document: trial balances and statements, as the operations show them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from worker.ledger.transaction import Direction, Status
from worker.openapi.document import Document, Operation, Part
from worker.openapi.operator import MONEY, day, named, reading, text
from worker.openapi.schemas import Schema, Schemas, closed, nullable

TAG: Final = "Reports"

_TEXT: Final[Schema] = {"type": "string"}
_DAY: Final[Schema] = {"type": "string", "format": "date"}

_ACCOUNT: Final[dict[str, Schema]] = {
    "ledger_account_id": {"type": "string", "format": "uuid"},
    "external_id": nullable(_TEXT),
    "name": _TEXT,
}

_REFUSALS: Final = (400, 404, 409)
"""409: the lender's ledger is kept at Modern Treasury and has to be read there."""


def reports_part(schemas: Schemas) -> Part:
    """What the lender's ledger says."""
    trial = schemas.define("TrialBalance", _trial_balance(schemas))
    filters = [day("as_of"), text("loan_id"), text("investor_id")]
    statement = schemas.define("Statement", _statement(schemas))
    statements = schemas.define("Statements", closed({"statements": {"type": "array", "items": statement}}))
    return Part(
        operations=[
            reading(
                "/v1/ledger/trial-balance",
                "Reports.trialBalance",
                "Every account that is not zero, now or at the end of a business day.",
                trial,
                filters,
                *_REFUSALS,
            ),
            _over_a_period("accounts/{external_id}", "An account over a period.", statement),
            _over_a_period("loans/{loan_id}", "A loan's accounts over a period.", statements),
            _over_a_period("investors/{investor_id}", "An investor's accounts over a period.", statements),
        ],
        tags={TAG: "What the lender's ledger says."},
    )


def _over_a_period(place: str, summary: str, schema: Schema) -> Operation:
    noun, _, name = place.partition("/")
    parameters: Sequence[Document] = [named(name.strip("{}")), day("from", required=True), day("to", required=True)]
    path = f"/v1/ledger/{place}/statement"
    return reading(path, f"{TAG}.{noun}", summary, schema, parameters, *_REFUSALS)


def _trial_balance(schemas: Schemas) -> Schema:
    sides = {"debit": MONEY, "credit": MONEY}
    account = closed({**_ACCOUNT, "currency": _TEXT, **sides, "pending": MONEY})
    return closed(
        {
            "as_of": nullable(_DAY),
            "accounts": {"type": "array", "items": schemas.define("TrialBalanceAccount", account)},
            "totals": {"type": "array", "items": closed({"currency": _TEXT, **sides})},
        }
    )


def _statement(schemas: Schemas) -> Schema:
    line = closed(
        {
            "effective_date": _DAY,
            "description": nullable(_TEXT),
            "external_id": nullable(_TEXT),
            "ledger_transaction_id": {"type": "string", "format": "uuid"},
            "status": schemas.of(Status),
            "debit": nullable(MONEY),
            "credit": nullable(MONEY),
            "balance": MONEY,
        }
    )
    return closed(
        {
            **_ACCOUNT,
            "normal_balance": schemas.of(Direction),
            "currency": _TEXT,
            "from": _DAY,
            "to": _DAY,
            "opening_balance": MONEY,
            "lines": {"type": "array", "items": schemas.define("StatementLine", line)},
            "total_debit": MONEY,
            "total_credit": MONEY,
            "closing_balance": MONEY,
        }
    )
