"""What an orchestrator and a monitoring system ask, in the document. Pure."""

from __future__ import annotations

from typing import Final, Literal, TypedDict

from worker.openapi.document import JSON, Operation, Part, header, response
from worker.openapi.schemas import Schema, Schemas

TAG: Final = "Health"

_TEXT: Final[Schema] = {"type": "string"}


class Alive(TypedDict):
    """The process answers."""

    status: Literal["alive"]


class Ready(TypedDict):
    """Whether work can be taken; if not, every reason in words."""

    status: Literal["ready", "unavailable"]
    reasons: list[str]


def health_part(schemas: Schemas) -> Part:
    """Alive, ready, how are things, and this document."""
    ready = {
        200: response("Work can be taken.", schemas.of(Ready)),
        503: response(
            "No work should be sent just now.",
            schemas.of(Ready),
            {"Retry-After": header("Seconds to wait.", {"type": "integer"})},
        ),
    }
    alive = {200: response("The process answers.", schemas.of(Alive))}
    metrics = {200: response("Prometheus text.", _TEXT, media="text/plain")}
    document = {200: response("This document.", {"type": "object"}, media=JSON)}
    return Part(
        operations=[
            Operation("GET", "/livez", "Health.alive", TAG, "Whether the process answers.", alive),
            Operation("GET", "/readyz", "Health.ready", TAG, "Whether work can be taken.", ready),
            Operation("GET", "/healthz", "Health.healthy", TAG, "The same as `/readyz`.", ready),
            Operation("GET", "/metrics", "Health.metrics", TAG, "How things are, for Prometheus.", metrics),
            Operation("GET", "/openapi.json", "Health.openapi", TAG, "This document.", document),
        ],
        tags={TAG: "Whether this program is well, and what it answers."},
    )
