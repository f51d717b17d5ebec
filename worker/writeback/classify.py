"""Why Codat refused a write, who has to act, and what to tell them. Pure.

The words platforms use are not specified anywhere, so the classes are recognised by the nouns that every platform's
messages share; whatever is not recognised goes to a person, because trying again blindly cannot help.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from worker.codat.push_operation import ValidationItem
from worker.codat.replies import CodatError

FORBIDDEN: Final = 403
"""HTTP's status for what is also said of a connection that has just been lost."""


class Responsible(StrEnum):
    """Who has to act before a refused step can be sent again."""

    NOBODY = "nobody"
    """The refusal is temporary; trying again later is right."""
    PERSON = "person"
    MAPPING = "mapping"
    CONNECTION = "connection"
    CODAT = "codat"
    """The lender's own standing at Codat: a credential, a permission, a quota that was bought."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal in plain words. ``field`` is the path into the request that the platform complained about."""

    responsible: Responsible
    words: str
    field: str | None = None


_TEMPORARY: Final = re.compile(
    r"rate.?limit|too many requests|temporar|try again|unavailable|is busy|in use by another", re.I
)
_NO_ANSWER: Final = re.compile(r"timed? ?out", re.I)
_WHERE_TO_LOOK: Final = "it may have been written all the same, so look in the books before you retry"
_CONNECTION: Final = re.compile(
    r"deauthori[sz]ed|unlinked|not linked|disconnected|re-?connect|token (has )?expired|re-?authenticat|authorisation",
    re.I,
)
_CLOSED_PERIOD: Final = re.compile(
    r"lock(ed)? (date|period)|period .*(locked|closed)|locked|closed period|financial year", re.I
)
_MAPPED_THING: Final = re.compile(r"account(ref|id)?\b|contact(ref)?\b|supplier|vendor|currency|tax ?rate", re.I)
_UNUSABLE: Final = re.compile(
    r"not (be )?(found|exist|valid|active|supported|recogni)|does(n't| not) exist|no longer|archived|inactive|deleted"
    r"|invalid|unknown|(must|has to|have to) be (a|an|the|connected)\b|mismatch|differ|cannot be used",
    re.I,
)


def classify(errors: Sequence[ValidationItem], error_message: str | None) -> Refusal:
    """Read ``validation.errors`` (and the operation's own message when there are none)."""
    if not errors:
        return _classify_one(None, error_message or "the accounting platform gave no reason")
    ranked = sorted((_classify_one(e.item_id, e.message) for e in errors), key=lambda r: _PRECEDENCE[r.responsible])
    first = ranked[0]
    words = "; ".join(dict.fromkeys(refusal.words for refusal in ranked))
    return Refusal(first.responsible, words, first.field)


def classify_denial(status: int, error: CodatError) -> Refusal:
    """A write that was turned away with 401, 402 or 403, or a redirect."""
    # Reading the connection will tell which of the two it is.
    responsible = Responsible.CONNECTION if status == FORBIDDEN else Responsible.CODAT
    return Refusal(responsible, f"Codat refuses this write ({status}): {error.message}")


def classify_absence(error: CodatError) -> Refusal:
    """A write that was answered with 404."""
    responsible = Responsible.PERSON if error.names_unsupported else Responsible.CONNECTION
    return Refusal(responsible, f"Codat does not find what this write needs: {error.message}")


_PRECEDENCE: Final = {
    Responsible.CONNECTION: 0,
    Responsible.CODAT: 1,
    Responsible.MAPPING: 2,
    Responsible.PERSON: 3,
    Responsible.NOBODY: 4,
}
"""Of several complaints the one that must be settled first decides; temporary only when all of them are."""


def _classify_one(field: str | None, message: str) -> Refusal:
    message = " ".join(message.split()) or "no reason given"
    words = f"{field}: {message}" if field else message
    subject = f"{field or ''} {message}"
    if _CONNECTION.search(message):
        return Refusal(Responsible.CONNECTION, words, field)
    if _CLOSED_PERIOD.search(message):
        return Refusal(Responsible.PERSON, words, field)
    if _NO_ANSWER.search(message):
        return Refusal(Responsible.PERSON, f"{words} ({_WHERE_TO_LOOK})", field)
    if _TEMPORARY.search(message):
        return Refusal(Responsible.NOBODY, words, field)
    if _MAPPED_THING.search(subject) and _UNUSABLE.search(message):
        return Refusal(Responsible.MAPPING, words, field)
    return Refusal(Responsible.PERSON, words, field)
