"""Names that beancount and hledger accept, from ours and back: no two of ours become one of theirs.

An account's external id becomes its path below one of the five roots, part by part between colons. In a part ASCII
letters and digits stay, ``-`` is doubled, any other byte of its UTF-8 is ``-`` and two hexadecimal digits. A part must
begin with a capital or a digit, so a small first letter is made a capital: ``cash:GBP`` is ``Cash:GBP``. Reading back,
a part with a small letter in it began with one, and a part all in capitals did not; a part that began the other way
ends in ``-``. A part that begins with neither letter nor digit is given an ``X`` and ends in ``-X``.

An account without external id goes by the ASCII words of its name, which may change and need not be its own, by the
first digits of its id, which make it so, and by ``-I``: ``LendNow-Cash-20aebb77-I``. Nothing else ends that way.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from uuid import UUID

_TOKEN: Final = re.compile(r"--|-[0-9A-F]{2}|[A-Za-z0-9]")
_UNUSUAL_CASE: Final = "-"
_MADE_UP_START: Final = "-X"

SHORT_ID_DIGITS: Final = 8
"""Hexadecimal digits of an id that are still pleasant to read, and tell accounts of one name apart nearly always."""
WHOLE_ID_DIGITS: Final = 32
_NAMELESS: Final = "Account"
"""The name of an account whose own has no letter or digit of ASCII."""

_COMMODITY: Final = re.compile(r"(?!(?:TRUE|FALSE|NULL)\Z)[A-Z][A-Z0-9._-]*[A-Z0-9]")
"""A currency that is taken as it is; the three words mean something else to beancount."""
_ENCODED: Final = "X'"
_PLAIN_IN_COMMODITY: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def account_path(external_id: str) -> str:
    """The part of an account's name that follows its root."""
    return ":".join(_encode_part(part) for part in external_id.split(":"))


def path_by_name(name: str, account_id: UUID, id_digits: int) -> str:
    """The same for an account without external id: its name, and as many digits of its id."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one))
    words = re.findall("[A-Za-z0-9]+", bare)
    first, *others = words or [_NAMELESS]
    return "-".join([first[0].upper() + first[1:], *others, account_id.hex[:id_digits], "I"])


def read_account_path(path: str) -> str:
    """The external id that became ``path``; inverse of :func:`account_path`.

    Raises :class:`ValueError` for what no external id became.
    """
    return ":".join(_decode_part(part) for part in path.split(":"))


def commodity(currency: str) -> str:
    """A currency's name; one that the programs would not take is written out byte by byte behind ``X'``."""
    if _COMMODITY.fullmatch(currency):
        return currency
    return _ENCODED + "".join(
        chr(byte) if byte in _PLAIN_IN_COMMODITY else f"'{byte:02X}" for byte in currency.encode()
    )


def read_commodity(name: str) -> str:
    """The currency that became ``name``; inverse of :func:`commodity`."""
    if not name.startswith(_ENCODED):
        return name
    body = name.removeprefix(_ENCODED)
    return re.sub(r"'([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), body).encode("latin-1").decode()


def _encode_part(part: str) -> str:
    if not (part[:1].isascii() and part[:1].isalnum()):
        return f"X{_escaped(part)}{_MADE_UP_START}"
    name = part[0].upper() + part[1:]
    return _escaped(name) + ("" if _usual_case(name) == part else _UNUSUAL_CASE)


def _decode_part(part: str) -> str:
    text, mark = _unescaped(part)
    if mark == _MADE_UP_START:
        return text[1:]
    usual = _usual_case(text)
    if mark == _UNUSUAL_CASE:
        return text if usual != text else text[0].lower() + text[1:]
    return usual


def _usual_case(name: str) -> str:
    """What a part most likely was before its first letter became a capital."""
    return name[0].lower() + name[1:] if re.search("[a-z]", name) else name


def _escaped(text: str) -> str:
    return "".join(_escape(byte) for byte in text.encode())


def _escape(byte: int) -> str:
    one = chr(byte)
    if one == "-":
        return "--"
    return one if byte < 0x80 and one.isalnum() else f"-{byte:02X}"


def _unescaped(part: str) -> tuple[str, str]:
    """The text of a part, and the mark at its end."""
    content, position = bytearray(), 0
    while (token := _TOKEN.match(part, position)) is not None:
        position = token.end()
        word = token[0]
        content += b"-" if word == "--" else bytes.fromhex(word[1:]) if word[0] == "-" else word.encode()
    mark = part[position:]
    if not content or mark not in {"", _UNUSUAL_CASE, _MADE_UP_START}:
        raise ValueError(f"{part!r} is no part of an account's name")
    return content.decode(), mark
