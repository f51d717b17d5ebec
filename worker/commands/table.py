"""Aligned plain-text tables."""

from __future__ import annotations

from collections.abc import Sequence


def render(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A titled table; columns whose cells all look like amounts are right-aligned."""
    cells = [list(header), *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    numeric = [all(_is_amount(row[column]) for row in cells[1:]) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        parts = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        )
        return "  " + "  ".join(parts).rstrip()

    rule = "  " + "  ".join("-" * width for width in widths)
    return "\n".join([title, line(cells[0]), rule, *[line(row) for row in cells[1:]]])


def _is_amount(cell: str) -> bool:
    return not cell or cell.lstrip("-").replace(".", "", 1).isdigit()


def beside(left: str, right: str, gap: int = 4) -> str:
    """Two blocks of text side by side."""
    lefts, rights = left.splitlines(), right.splitlines()
    height = max(len(lefts), len(rights))
    lefts += [""] * (height - len(lefts))
    rights += [""] * (height - len(rights))
    width = max(map(len, lefts), default=0) + gap
    return "\n".join((a.ljust(width) + b).rstrip() for a, b in zip(lefts, rights, strict=True))
