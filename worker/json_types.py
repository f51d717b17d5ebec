"""Texts in JSON that are more than texts: what a type cannot say is a keyword of JSON Schema beside it."""

from __future__ import annotations

from typing import Annotated, TypeAlias

Id: TypeAlias = Annotated[str, ("format", "uuid")]
Moment: TypeAlias = Annotated[str, ("format", "date-time")]
Day: TypeAlias = Annotated[str, ("format", "date")]
