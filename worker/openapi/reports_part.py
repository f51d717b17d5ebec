"""``/v1/ledger`` in the document: trial balances and statements, as the operations show them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from worker.openapi.document import Document, Operation, Part
from worker.openapi.operator import day, named, reading, text
from worker.openapi.schemas import Schema, Schemas
from worker.operations.shapes import AccountStatement, AccountStatements, TrialBalance

TAG: Final = "Reports"

_REFUSALS: Final = (400, 404, 409)
"""409: the lender's ledger is kept at Modern Treasury and has to be read there."""


def reports_part(schemas: Schemas) -> Part:
    """What the lender's ledger says."""
    trial = schemas.of(TrialBalance)
    filters = [day("as_of"), text("loan_id"), text("investor_id")]
    statement, statements = schemas.of(AccountStatement), schemas.of(AccountStatements)
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
