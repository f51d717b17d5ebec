"""What the reading commands print: the API's own JSON documents, or aligned tables for a person."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAlias

from worker.commands.table import render
from worker.operations.documents import Document

CELL_LENGTH: Final = 60
"""Characters of one cell in a list; the rest of a long reason is for ``show``."""

Columns: TypeAlias = Mapping[str, str]
"""Headers, and the member of each item that is under them."""


class NobodyReadsError(Exception):
    """Standard output goes nowhere any more: whoever read it has seen enough."""


class Output(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


TABLE_OR_JSON: Final = (Output.TABLE, Output.JSON)


def add_output(parser: argparse.ArgumentParser, outputs: Sequence[Output]) -> None:
    """Declare ``--output``, with the ways a command has of printing its answer."""
    csv = ", csv one row per account or entry" if Output.CSV in outputs else ""
    parser.add_argument(
        "--output",
        type=Output,
        choices=outputs,
        default=Output.TABLE,
        help=f"table for people (times in UTC), json exactly as the API answers{csv} (default %(default)s)",
    )


def show_list(output: Output, title: str, document: Document, columns: Columns) -> None:
    """Print one page of a list, and how to get the next."""
    if output is Output.JSON:
        show_json(document)
        return
    print(list_table(title, [_cut(item) for item in document["data"]], columns))
    if document.get("next") is not None:
        print(f"\nMore: --after {document['next']}")


def show_one(output: Output, document: Document, tables: Mapping[str, Columns]) -> None:
    """Print one document: its own values as far as it has any, then its lists, one of ``tables`` each."""
    if output is Output.JSON:
        show_json(document)
        return
    values = list(_flat({name: value for name, value in document.items() if name not in tables}))
    width = max(len(name) for name, _ in values)
    print("\n".join(f"{name.ljust(width)}  {text}" for name, text in values))
    for name, columns in tables.items():
        if name in document:
            print(f"\n{list_table(_words(name).capitalize(), document[name], columns)}")


def write_piece(text: str) -> None:
    """Write a piece of an answer while the rest is still being read.

    Raises :class:`NobodyReadsError`: a broken pipe of this side's is not one of the database's.
    """
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        raise NobodyReadsError from None


def show_json(document: Document | Sequence[Document]) -> None:
    """Print a document as the API answers it, set out for reading."""
    print(json.dumps(document, indent=2))


def list_table(title: str, items: Sequence[Document], columns: Columns) -> str:
    """A titled table of one row per item."""
    if not items:
        return f"{title}: none"
    return render(title, list(columns), [[_text(key, item[key]) for key in columns.values()] for item in items])


def printable(text: str) -> str:
    """Text as a terminal may have it: what others sent must not steer it."""
    return "".join(one if one.isprintable() else " " for one in text)


def _flat(document: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in document.items():
        name = f"{prefix}{_words(key)}"
        if isinstance(value, Mapping):
            rows += _flat(value, f"{name}, ")
        else:
            rows.append((name, _text(key, value)))
    return [row for row in rows if row[1]]


def _cut(item: Document) -> Document:
    return {key: _shortened(value) if isinstance(value, str) else value for key, value in item.items()}


def _shortened(text: str) -> str:
    return text if len(text) <= CELL_LENGTH else f"{text[: CELL_LENGTH - 1]}…"


def _text(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_text(key, item) for item in value)
    if isinstance(value, Mapping):
        return " ".join(_text(name, item) for name, item in value.items())
    if key == "at" or key.endswith(("_at", "_since")):
        return str(value)[:19].replace("T", " ")
    return printable(str(value))


def _words(name: str) -> str:
    return name.replace("_", " ")
