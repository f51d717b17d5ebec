"""Every place a process can die at: the boundaries between the statements of a function, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def boundaries(path: str, *functions: str) -> list[str]:
    """``path:line`` of every statement of these functions (``name`` or ``Class.name``), in source order."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = dict(_functions(tree))
    missing = set(functions) - set(found)
    assert not missing, f"{path} has no {', '.join(sorted(missing))}"
    lines = sorted({line for name in functions for line in _statement_lines(found[name])})
    return [f"{path}:{line}" for line in lines]


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}.{member.name}", member


def _statement_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[int]:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.stmt):
                yield node.lineno
