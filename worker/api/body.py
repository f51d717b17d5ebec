"""What a call asks for, out of its JSON body: strict, and without loss. Pure.

Every reader takes its member away; what is left when the body is finished is nobody's and refused: a misspelt condition
must not post money as if there were none. null counts as not given, except where :meth:`Body.change` tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Generic, TypeVar
from uuid import UUID

from worker.api.moments import MOMENT, read_moment
from worker.api.refusals import invalid, missing
from worker.api.texts import read_uuid, read_whole, shorten
from worker.errors import Rejected
from worker.ledger.transaction import MAX_METADATA_PAIRS
from worker.strict_json import Number

MAX_NAME: Final = 255
"""Characters of a name."""

MAX_DESCRIPTION: Final = 1000
"""Characters of a description: Modern Treasury's limit."""

MAX_EXTERNAL_ID: Final = 180
"""Characters of an external id: Modern Treasury's limit."""

MAX_METADATA_TEXT: Final = 1000
"""Characters of a key or value of metadata: identifiers and sentences, not documents."""

T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """What becomes of a field: left alone unless ``given``, then set to ``value``, which may be nothing."""

    given: bool = False
    value: T | None = None


class Body:
    """A JSON object being read. Readers raise :class:`~worker.errors.Rejected` (422) naming the member."""

    def __init__(self, members: Mapping[str, object], path: str = "") -> None:
        self._members = dict(members)
        self._path = path

    def finish(self) -> None:
        """Refuse whatever was not read."""
        for name in self._members:
            shown = self.path(shorten(name))
            raise invalid(shown, f"{shown} is not a parameter of this endpoint")

    def take_all(self) -> dict[str, object]:
        """All members as they were read."""
        members, self._members = self._members, {}
        return members

    def path(self, name: str) -> str:
        """A member's name from the outermost object on."""
        return f"{self._path}.{name}" if self._path else name

    def text(self, name: str, longest: int) -> str | None:
        """A text, None when it is not given."""
        value = self._members.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, str) or isinstance(value, Number):
            raise self._wrong(name, "must be a string")
        if len(value) > longest:
            raise self._wrong(name, f"may have at most {longest} characters")
        return value

    def some_text(self, name: str, longest: int) -> str | None:
        """A text that may be left out, but not be empty."""
        value = self.text(name, longest)
        if value is not None and not value.strip():
            raise self._wrong(name, "may not be empty")
        return value

    def required_text(self, name: str, longest: int) -> str:
        """A text that must be given and not be empty."""
        value = self.some_text(name, longest)
        if value is None:
            raise missing(self.path(name))
        return value

    def change(self, name: str, longest: int) -> Change[str]:
        """A new text, which may be null to remove the old one."""
        return Change(name in self._members, self.text(name, longest))

    def choice(self, name: str, choices: type[Choice]) -> Choice | None:
        """One of an enumeration's words."""
        value = self._members.pop(name, None)
        if value is None:
            return None
        if isinstance(value, str) and value in list(choices):
            return choices(value)
        raise self._wrong(name, f"must be one of {', '.join(choices)}")

    def required_choice(self, name: str, choices: type[Choice]) -> Choice:
        """One of an enumeration's words that must be given."""
        value = self.choice(name, choices)
        if value is None:
            raise missing(self.path(name))
        return value

    def uuid(self, name: str) -> UUID | None:
        """An id."""
        value = self._members.pop(name, None)
        return None if value is None else self._uuid(name, value)

    def required_uuid(self, name: str) -> UUID:
        """An id that must be given."""
        value = self.uuid(name)
        if value is None:
            raise missing(self.path(name))
        return value

    def uuids(self, name: str, most: int) -> list[UUID]:
        """An array of ids, empty when it is not given."""
        return [self._uuid(name, value) for value in self._array(name, most) or []]

    def required_uuids(self, name: str, most: int) -> list[UUID]:
        """An array of ids that must be there, but may be null or empty."""
        if name not in self._members:
            raise missing(self.path(name))
        return self.uuids(name, most)

    def flag(self, name: str) -> bool | None:
        """Yes or no, None when it is not given."""
        value = self._members.pop(name, None)
        if value is None or isinstance(value, bool):
            return value
        raise self._wrong(name, "must be true or false")

    def whole(self, name: str) -> int | None:
        """A whole number, None when it is not given."""
        value = self._members.pop(name, None)
        if value is None:
            return None
        if isinstance(value, Number) and (number := read_whole(value)) is not None:
            return number
        raise self._wrong(name, "must be a whole number")

    def required_whole(self, name: str) -> int:
        """A whole number that must be given."""
        value = self.whole(name)
        if value is None:
            raise missing(self.path(name))
        return value

    def required_amount(self) -> int:
        """``amount``, or ``amount_string`` that spells the same number; one of them must be given."""
        amount, spelt = self.whole("amount"), self.whole_text("amount_string")
        if amount is not None and spelt is not None and amount != spelt:
            raise invalid(self.path("amount_string"), "amount and amount_string must be the same number")
        if (value := spelt if amount is None else amount) is None:
            raise missing(self.path("amount"))
        return value

    def whole_text(self, name: str) -> int | None:
        """A whole number written as a string, None when it is not given."""
        value = self._members.pop(name, None)
        if value is None:
            return None
        if isinstance(value, str) and not isinstance(value, Number) and (number := read_whole(value)) is not None:
            return number
        raise self._wrong(name, "must be a string of digits")

    def moment(self, name: str) -> datetime | None:
        """A moment, or a day that stands for its midnight in UTC."""
        value = self._members.pop(name, None)
        if value is None:
            return None
        moment = read_moment(value) if isinstance(value, str) else None
        if moment is None:
            raise self._wrong(name, f"must be {MOMENT}")
        return moment

    def required_moment(self, name: str) -> datetime:
        """A moment that must be given."""
        value = self.moment(name)
        if value is None:
            raise missing(self.path(name))
        return value

    def metadata(self) -> dict[str, str]:
        """Metadata to begin with; a pair without a value is none."""
        return {key: value for key, value in self.metadata_changes().items() if value}

    def metadata_changes(self) -> dict[str, str | None]:
        """Pairs to add or replace; those without a value (null or empty) are to be removed."""
        value = self._members.pop("metadata", None)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._wrong("metadata", "must be an object of strings")
        if len(value) > MAX_METADATA_PAIRS:
            raise self._wrong("metadata", f"may have at most {MAX_METADATA_PAIRS} pairs")
        for key, text in value.items():
            if not key:
                raise self._wrong("metadata", "may not have an empty key")
            if text is not None and (not isinstance(text, str) or isinstance(text, Number)):
                raise self._wrong("metadata", f"must be an object of strings, which {shorten(key)} is not")
            if max(len(key), len(text or "")) > MAX_METADATA_TEXT:
                raise self._wrong(
                    "metadata", f"may have at most {MAX_METADATA_TEXT} characters in a key or value: see {shorten(key)}"
                )
        return {key: text or None for key, text in value.items()}

    def numbers(self, name: str, keys: type[Choice]) -> dict[Choice, int]:
        """Whole numbers by an enumeration's words, none when it is not given."""
        value = self._members.pop(name, None)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._wrong(name, "must be an object of whole numbers")
        if not value.keys() <= set(keys):
            raise self._wrong(name, f"has no members but {', '.join(keys)}")
        inner = Body(value, self.path(name))
        return {key: number for key in keys if (number := inner.whole(key)) is not None}

    def required_object(self, name: str) -> Body:
        """An object that must be given."""
        value = self._members.pop(name, None)
        if value is None:
            raise missing(self.path(name))
        if not isinstance(value, dict):
            raise self._wrong(name, "must be an object")
        return Body(value, self.path(name))

    def objects(self, name: str, most: int) -> list[Body] | None:
        """An array of objects, None when it is not given."""
        values = self._array(name, most)
        return None if values is None else list(self._bodies(name, values))

    def required_objects(self, name: str, most: int) -> list[Body]:
        """An array of objects that must be given."""
        values = self.objects(name, most)
        if values is None:
            raise missing(self.path(name))
        return values

    def _bodies(self, name: str, values: list[object]) -> Iterator[Body]:
        for index, value in enumerate(values):
            path = f"{name}[{index}]"
            if not isinstance(value, dict):
                raise self._wrong(path, "must be an object")
            yield Body(value, self.path(path))

    def _array(self, name: str, most: int) -> list[object] | None:
        value = self._members.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, list):
            raise self._wrong(name, "must be an array")
        if len(value) > most:
            raise self._wrong(name, f"may have at most {most} items")
        return value

    def _uuid(self, name: str, value: object) -> UUID:
        if isinstance(value, str) and (found := read_uuid(value)) is not None:
            return found
        raise self._wrong(name, "must be a UUID")

    def _wrong(self, name: str, complaint: str) -> Rejected:
        return invalid(self.path(name), f"{self.path(name)} {complaint}")
