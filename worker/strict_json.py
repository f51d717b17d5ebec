"""JSON read strictly and without loss: what the bytes say, or a refusal that names the field.

Stricter than the standard library where money and databases are concerned: numbers keep their digits, a key may
appear once, ``NaN`` and ``Infinity`` are not numbers, and no string may hold what PostgreSQL's ``text`` cannot.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NoReturn

from worker.errors import Rejected

MAX_NESTING: Final = 32
"""Levels of objects and arrays. Our own bodies use four; the rest is room for a sender's extra fields."""

SHOWN_KEY_CHARACTERS: Final = 60
"""How much of a sender's key a refusal repeats: enough to find it, too little to make the answer large."""

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""NUL and halves of surrogate pairs: PostgreSQL's text and UTF-8 have no way to hold them."""


class Number(str):
    """The digits of a JSON number exactly as they were sent."""

    __slots__ = ()


def decode_object(body: bytes) -> dict[str, object]:
    """The JSON object in ``body``: strings as ``str``, numbers as :class:`Number`, everything else as Python has it.

    Raises :class:`~worker.errors.Rejected` (400) for anything that is not one well-formed object (RFC 8259) in UTF-8
    without a byte order mark, repeats a key, nests deeper than :data:`MAX_NESTING` or holds an unstorable character.
    """
    try:
        text = body.decode()
        document = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise _malformed(f"is not UTF-8: byte {error.start} is invalid") from None
    except json.JSONDecodeError as error:
        raise _malformed(f"is not valid JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(document, dict):
        raise _malformed("must be a JSON object")
    if "\\u" in text or text.count("{") + text.count("[") > MAX_NESTING:
        _refuse_unstorable(document)
    return document


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeated, _ = Counter(key for key, _ in pairs).most_common(1)[0]
    raise Rejected(400, "a key may appear only once in an object", field=_printable(repeated), code="malformed_json")


def _no_constant(name: str) -> NoReturn:
    raise _malformed(f"holds {name}, which is not a JSON number")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=Number, parse_float=Number, parse_constant=_no_constant
)


def _refuse_unstorable(document: dict[str, object]) -> None:
    # A list of what is still to visit instead of recursion: the depth is the sender's choice until it is checked.
    waiting: list[tuple[str, int, object]] = [("", 1, document)]
    while waiting:
        path, depth, value = waiting.pop()
        if isinstance(value, str):
            if _UNSTORABLE.search(value):
                raise Rejected(
                    400, "a string may not hold NUL or half of a surrogate pair", field=path, code="malformed_json"
                )
            continue
        if depth > MAX_NESTING:
            raise _too_deep()
        for name, member in _members(value, path):
            waiting.append((name, depth + 1, member))


def _members(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, member in value.items():
            name = f"{path}.{_printable(key)}" if path else _printable(key)
            yield name, key
            yield name, member
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield f"{path}[{index}]", member


def _printable(key: str) -> str:
    shown = key[:SHOWN_KEY_CHARACTERS]
    return shown if shown.isprintable() else ascii(shown)


def _malformed(detail: str) -> Rejected:
    return Rejected(400, detail, field="body", code="malformed_json")


def _too_deep() -> Rejected:
    return _malformed(f"nests deeper than {MAX_NESTING} levels")
