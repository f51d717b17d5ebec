"""Why a call is refused, in Modern Treasury's words: a code, a sentence, and the parameter to blame. Pure.

Conflicts that a repetition cannot solve are 422: the official client sends a 409 again.
"""

from __future__ import annotations

from enum import StrEnum

from worker.errors import Rejected


class Code(StrEnum):
    """The codes of error bodies; all but the last two are Modern Treasury's."""

    PARAMETER_INVALID = "parameter_invalid"
    PARAMETER_MISSING = "parameter_missing"
    RESOURCE_NOT_FOUND = "resource_not_found"
    NOT_FOUND = "not_found"
    INVALID_KEY = "invalid_key"
    HEADER_INVALID = "header_invalid"
    CONFLICT = "conflict"
    UNAVAILABLE = "unavailable"
    INTERNAL_ERROR = "internal_error"


def invalid(parameter: str, message: str) -> Rejected:
    """422: a value that cannot be accepted; ``message`` is a whole sentence."""
    return Rejected(422, message, field=parameter, code=Code.PARAMETER_INVALID)


def missing(parameter: str) -> Rejected:
    """422: a value that must be given."""
    return Rejected(422, f"{parameter} is required", field=parameter, code=Code.PARAMETER_MISSING)


def not_found(noun: str) -> Rejected:
    """404: the object of the path does not exist, or was discarded."""
    return Rejected(404, f"{noun} not found", code=Code.RESOURCE_NOT_FOUND)


def unknown(parameter: str, noun: str) -> Rejected:
    """422: the body names an object that does not exist."""
    return Rejected(422, f"{noun} not found", field=parameter, code=Code.RESOURCE_NOT_FOUND)


def conflict(parameter: str, message: str) -> Rejected:
    """409: the same call may succeed in a moment; the official client sends it again by itself."""
    return Rejected(409, message, field=parameter, code=Code.CONFLICT)


class LastingConflict(Rejected):
    """409 where the interface wants one although no repetition helps; the answer tells the client not to."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(409, message, field=parameter, code=Code.CONFLICT)
