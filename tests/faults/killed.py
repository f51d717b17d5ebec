"""Runs the service and kills or stops it right before one statement of its source, or notes the statements it runs.

The program knows nothing of this: it is the interpreter's tracing. Orders come as lines of JSON on standard input, one
after the other: ``{"environment": {...}, "log": path, "kill_at": place}``, or with ``stop_at`` or ``record_to`` (a
path). Each is carried out by a fork of this process, which has everything imported already; the fork's process id and,
once it has ended, its exit status are answered on standard output.

A place is ``worker/inbox/receiver.py:120``, where ``~`` in front of the number means leaving the ``with`` block that
begins there (its transaction commits next). A word after it tells what the process was about: the kind of a step, the
type of a loan event, or where a webhook came from. Without one, the process was about none of these.
"""

from __future__ import annotations

import ast
import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from worker.cli import main
from worker.inbox.messages import Source
from worker.treasury.posting import Posting
from worker.writeback.situation import Step

ROOT = Path(__file__).resolve().parents[2]

CRITICAL = (
    "worker/inbox/routes.py",
    "worker/inbox/receiver.py",
    "worker/loans/apply.py",
    "worker/ledger/poster.py",
    "worker/writeback/saga.py",
    "worker/writeback/sending.py",
    "worker/writeback/following.py",
    "worker/writeback/desk.py",
    "worker/writeback/settlement.py",
)
"""The webhook handler, the application of an event and its posting, and everything a step goes through."""

CONFIGURING = (
    "worker/writeback/routes.py",
    "worker/writeback/configure/service.py",
    "worker/writeback/configure/creation.py",
)
"""Taking a mapping, and creating what it asks for."""

LOOKING = (
    "worker/writeback/resolve.py",
    "worker/writeback/looking.py",
    "worker/writeback/history.py",
)
"""Finding out what became of a write whose answer was lost."""

DELIVERING = ("worker/treasury/deliver.py",)
"""Sending the outbox to a ledger that is kept elsewhere."""

WATCHED = (*CRITICAL, *CONFIGURING, *LOOKING, *DELIVERING)


@dataclass(frozen=True)
class Statement:
    """One statement of a function: where it begins, whether it waits for something, and whether it is left again."""

    line: int
    waits: bool
    is_block: bool


def watch(visit: Callable[[str, bool], None]) -> None:
    """Call ``visit`` with every place in the files watched right before its statement runs.

    Places are the statements that wait for the database, for Codat or for another task, and those right after them.
    The second argument tells whether the process really let go of the task since the task's last place: if it did not,
    nothing has happened in between that the world outside could see, and dying at either place is the same.
    """
    since: list[object] = []  # the task of the last place, until the process lets go of it

    def on_call(frame: FrameType, _event: str, _: Any) -> Any:
        relative = _NAMES.get(frame.f_code.co_filename)
        if relative is None:
            return None
        goes_on = frame.f_lineno != frame.f_code.co_firstlineno
        if goes_on or frame.f_back is None or frame.f_back.f_code.co_filename not in _NAMES:
            since.clear()
        statements = _STATEMENTS[relative]
        previous = statements.get(frame.f_lineno)

        def in_frame(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal previous
            statement = statements.get(frame.f_lineno)
            if event != "line" or statement is None or statement is previous:
                return in_frame
            leaving = previous is not None and statement.line < previous.line and statement.is_block
            if statement.waits or (previous is not None and previous.waits):
                about, task = _about(frame), asyncio.current_task()
                place = f"{relative}:{'~' if leaving else ''}{statement.line}{f' {about}' if about else ''}"
                visit(place, since != [task])
                since[:] = [task]
            previous = statement
            return in_frame

        return in_frame

    sys.settrace(on_call)


def _statements(relative: str) -> dict[int, Statement]:
    """The statement on every line of the file's functions; of one that holds others, only its own lines."""
    tree = ast.parse((ROOT / relative).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    nodes = [n for function in functions for s in function.body for n in ast.walk(s) if isinstance(n, ast.stmt)]
    found: dict[int, Statement] = {}
    for node in nodes:
        inner = [child for child in ast.walk(node) if isinstance(child, ast.stmt) and child is not node]
        last = min((child.lineno for child in inner), default=(node.end_lineno or node.lineno) + 1)
        own = set(ast.walk(node)).difference(*(ast.walk(child) for child in inner))
        waits = isinstance(node, ast.AsyncWith) or any(isinstance(part, ast.Await) for part in own)
        statement = Statement(node.lineno, waits, isinstance(node, ast.With | ast.AsyncWith))
        found.update(dict.fromkeys(range(node.lineno, max(last, node.lineno + 1)), statement))
    return found


_NAMES = {str(ROOT / relative): relative for relative in WATCHED}
_STATEMENTS = {relative: _statements(relative) for relative in WATCHED}


def _about(frame: FrameType | None) -> str:
    """What this function, or the nearest of its callers that knows, is about."""
    while frame is not None:
        for name in ("posting", "step", "before", "read", "source"):
            match frame.f_locals.get(name):
                case Step(kind=kind) | Posting(kind=kind):
                    return kind.value
                case Source() as source:
                    return source.value
                case value if incoming := getattr(value, "incoming", ()):
                    return str(incoming[0].event.type)
        frame = frame.f_back
    return ""


def run(order: dict[str, Any]) -> NoReturn:
    """Become the service the order asks for."""
    output = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    silence = os.open(os.devnull, os.O_RDONLY)
    for given, standard in ((silence, 0), (output, 1), (output, 2)):
        os.dup2(given, standard)
    os.environ.update(order["environment"])
    if "record_to" in order:
        watch(_note(Path(order["record_to"])))
    else:
        watch(_strike(order))
    os._exit(main(["serve"]))


def _note(path: Path) -> Callable[[str, bool], None]:
    """Write down, once, every place where something may have happened since the place before."""
    seen: set[str] = set()
    record = path.open("a", encoding="utf-8", buffering=1)

    def note(place: str, is_new: bool) -> None:
        if is_new and place not in seen:
            seen.add(place)
            record.write(f"{place}\n")

    return note


def _strike(order: dict[str, Any]) -> Callable[[str, bool], None]:
    """Send this very process the signal it is armed with, the first time it comes to the place."""
    number = signal.SIGKILL if "kill_at" in order else signal.SIGSTOP
    armed = {order.get("kill_at") or order["stop_at"]}

    def strike(place: str, _: bool) -> None:
        if place in armed:
            armed.clear()
            os.kill(os.getpid(), number)

    return strike


def obey() -> None:
    """Carry out orders until there are no more."""
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            run(order)
        _answer(child)
        _, status = os.waitpid(child, 0)
        _answer(os.waitstatus_to_exitcode(status))


def _answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    obey()
