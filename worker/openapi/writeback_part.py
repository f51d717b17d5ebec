"""``/v1`` of the writeback in the document: a connection's mapping, and what a person decides about a saga. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from worker.codat.profiles import Profile
from worker.openapi.document import Operation, Part, path_parameter, response
from worker.openapi.operator import SECURITY, SENTENCES, deciding, numbered, reading
from worker.openapi.problem_responses import OF_ANY_BODY, problems
from worker.openapi.schemas import Schema, Schemas, closed, nullable
from worker.writeback.configure.request import MAX_TEXT
from worker.writeback.mapping import LenderKind
from worker.writeback.shapes import MappingObject, SagaAbandoned, SagaRuns

PATH: Final = "/v1/companies/{company_id}/connections/{connection_id}/mapping"

_TEXT: Final[Schema] = {"type": "string", "pattern": r"\S", "maxLength": MAX_TEXT}
_ID: Final[Schema] = {"type": "string", "format": "uuid"}
_EXISTING: Final[Schema] = closed({"id": _TEXT})

_PLACE: Final = (path_parameter("company_id", _ID), path_parameter("connection_id", _ID))


def writeback_part(schemas: Schemas) -> Part:
    """Mappings, and the decisions about sagas."""
    wanted = schemas.define("MappingRequest", _mapping_request(schemas))
    members = {**schemas.members(MappingObject, "requested"), "requested": wanted}
    mapping = schemas.define("Mapping", closed(members, description=MappingObject.__doc__))
    return Part(
        operations=[
            reading(PATH, "Mappings.retrieve", "The newest version of a mapping.", mapping, _PLACE, 404),
            _put(mapping, wanted),
            *_decisions(schemas),
        ],
        tags={"Mappings": "Which accounts and which supplier of a borrower's books are written to."},
    )


def _put(mapping: Schema, wanted: Schema) -> Operation:
    refusals = (*OF_ANY_BODY, 401, 404, 409, 422, 502)
    return Operation(
        method="PUT",
        path=PATH,
        name="Mappings.put",
        tag="Mappings",
        summary="A new version of a mapping, unless it says what the newest one does.",
        responses={
            200: response("The version is ready.", mapping),
            202: response("Records of it are being created, or that failed.", mapping),
            **problems(*refusals),
        },
        parameters=_PLACE,
        body=wanted,
        security=[SECURITY],
    )


def _decisions(schemas: Schemas) -> list[Operation]:
    place, path, runs = numbered("saga_id"), "/v1/sagas/{saga_id}", schemas.of(SagaRuns)
    record = {"type": "object", "properties": {"record_id": SENTENCES}, "required": ["record_id"]}
    reason = {
        "type": "object",
        "properties": {
            "reason": SENTENCES,
            "absent": {"type": "boolean", "description": "The books were searched, and it is not there."},
        },
        "required": ["reason"],
    }
    adopt = "Say which record of the books a step wrote."
    bury, abandoned = "Give a saga up, so that its loan's next one may go.", {200: schemas.of(SagaAbandoned)}
    return [
        deciding(f"{path}/retry", "Sagas.retry", "Look now, and send again what was refused.", {202: runs}, place),
        deciding(f"{path}/adopt", "Sagas.adopt", adopt, {202: runs}, place, record),
        deciding(f"{path}/bury", "Sagas.bury", bury, abandoned, place, reason),
    ]


def _mapping_request(schemas: Schemas) -> Schema:
    expense = _create({"name": _TEXT}, nominal_code=_TEXT, category=_TEXT)
    return closed(
        {
            "profile": {**schemas.of(Profile), "default": Profile.MATCHED.value},
            "currency": {"type": "string", "description": "ISO 4217."},
            "enabled": {"type": "boolean", "default": True},
            "lender_account": {"oneOf": _lender_accounts()},
            "borrower_account": _EXISTING,
            "expense_account": {"oneOf": [_EXISTING, expense]},
            "supplier": {"oneOf": [_EXISTING, _create({"name": _TEXT})]},
            "tax_rate_id": nullable(_TEXT),
        },
        required=["currency", "lender_account", "borrower_account", "expense_account", "supplier"],
    )


def _lender_accounts() -> list[Schema]:
    bank = {"kind": _kind(LenderKind.BANK_ACCOUNT), "name": _TEXT}
    feed = {"kind": _kind(LenderKind.SOURCE_ACCOUNT), "name": _TEXT}
    mapped = {"source_account_id": _TEXT, "target_account_id": _TEXT}
    return [
        _EXISTING,
        closed({**mapped, "connection_id": nullable(_ID)}, required=list(mapped)),
        _create(bank, account_number=_TEXT, sort_code=_TEXT, nominal_code=_TEXT),
        _create(feed, account_number=_TEXT, sort_code=_TEXT, target_account_id=_TEXT, connection_id=_ID),
    ]


def _create(required: Mapping[str, Schema], **optional: Schema) -> Schema:
    members: dict[str, Any] = {**required, **{name: nullable(schema) for name, schema in optional.items()}}
    return closed({"create": closed(members, required=list(required))})


def _kind(kind: LenderKind) -> Schema:
    return {"type": "string", "const": kind.value}
