"""``/webhooks`` in the document. Pure."""

from __future__ import annotations

from typing import Final, Literal, TypedDict

from worker.inbox.signature import TOLERANCE_SECONDS, WEBHOOK_ID_WORDS
from worker.openapi.document import Document, Operation, Part, response
from worker.openapi.loan_events import loan_event
from worker.openapi.problem_responses import OF_ANY_BODY, problems
from worker.openapi.schemas import Schema, Schemas

TAG: Final = "Webhooks"

SIGNATURE: Final = "webhookSignature"
SVIX_SIGNATURE: Final = "svixSignature"
AGREED: Final = "agreedAuthorization"

_SCHEME_WORDS: Final = (
    "Standard Webhooks: HMAC-SHA256 over `{id}.{timestamp}.{body}` with a secret that is shared, next to "
    "`{spelling}-id` ({words}) and `{spelling}-timestamp` (seconds, at most {tolerance} away from now)."
)

_CODAT_WEBHOOK: Final[Schema] = {
    "type": "object",
    "description": "A webhook of Codat's new service or of its older rules; types nobody needs are kept and ignored.",
}


class Acknowledged(TypedDict):
    """The webhook is stored for good."""

    id: str
    status: Literal["accepted", "duplicate"]


def webhooks_part(schemas: Schemas) -> Part:
    """The ways in for loan events and for Codat."""
    acknowledged = schemas.of(Acknowledged)
    stored = {
        202: response("Stored; it will be acted on.", acknowledged),
        200: response("The same webhook was stored before.", acknowledged),
        **problems(*OF_ANY_BODY, 401, 409),
    }
    return Part(
        operations=[
            Operation(
                method="POST",
                path="/webhooks/loans",
                name="Webhooks.loans",
                tag=TAG,
                summary="A loan event.",
                responses={**stored, **problems(422)},
                body=loan_event(schemas),
                security=[SIGNATURE],
            ),
            Operation(
                method="POST",
                path="/webhooks/codat",
                name="Webhooks.codat",
                tag=TAG,
                summary="A webhook of Codat's.",
                responses=stored,
                body=_CODAT_WEBHOOK,
                security=[SIGNATURE, SVIX_SIGNATURE, AGREED],
            ),
        ],
        tags={TAG: "What others tell this program; acknowledged once it is stored."},
        security={
            SIGNATURE: _scheme("webhook"),
            SVIX_SIGNATURE: _scheme("svix"),
            AGREED: {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "The fixed value that Codat's older webhooks are set up to send.",
            },
        },
    )


def _scheme(spelling: str) -> Document:
    words = _SCHEME_WORDS.replace("{spelling}", spelling).replace("{words}", WEBHOOK_ID_WORDS)
    return {
        "type": "apiKey",
        "in": "header",
        "name": f"{spelling}-signature",
        "description": words.replace("{tolerance}", str(TOLERANCE_SECONDS)),
    }
