"""Runs ``writeback`` and kills it with SIGKILL right before one line of its source runs, or records the lines it runs.

``KILL_AT`` is ``worker/inbox/receiver.py:120``, or ``worker/writeback/sending.py:77 transfer`` to count the line only
while one of its function's variables is a step of that kind. ``RECORD_TO`` names a file to which every such place in
the files of ``RECORD_IN`` is written at the end. The program knows nothing of this: it is the interpreter's tracing.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from worker.cli import main
from worker.writeback.plan import StepKind

ROOT = Path(__file__).resolve().parents[2]


def arm(place: str) -> None:
    """Die at ``place`` the first time it is reached."""
    location, _, kind = place.partition(" ")
    relative, _, number = location.rpartition(":")
    path, line = str(ROOT / relative), int(number)

    def in_frame(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line" and frame.f_lineno == line and kind in ("", kind_of(frame)):
            os.kill(os.getpid(), signal.SIGKILL)
        return in_frame

    def on_call(frame: FrameType, _event: str, _: Any) -> Any:
        return in_frame if frame.f_code.co_filename == path else None

    sys.settrace(on_call)


def record(relative_paths: list[str], places: set[str]) -> None:
    """Add every line of these files that runs to ``places``."""
    names = {str(ROOT / relative): relative for relative in relative_paths}

    def in_frame(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            kind = kind_of(frame)
            places.add(f"{names[frame.f_code.co_filename]}:{frame.f_lineno}{f' {kind}' if kind else ''}")
        return in_frame

    def on_call(frame: FrameType, _event: str, _: Any) -> Any:
        return in_frame if frame.f_code.co_filename in names else None

    sys.settrace(on_call)


def kind_of(frame: FrameType) -> str:
    """The kind of the step this function is about, if it is about one."""
    for name in ("step", "before"):
        kind = getattr(frame.f_locals.get(name), "kind", None)
        if isinstance(kind, StepKind):
            return kind.value
    return ""


def run() -> int:
    """Run the command line under the trace the environment asks for."""
    if "KILL_AT" in os.environ:
        arm(os.environ["KILL_AT"])
        return main()
    places: set[str] = set()
    record(os.environ["RECORD_IN"].split(","), places)
    status = main()
    sys.settrace(None)
    Path(os.environ["RECORD_TO"]).write_text("\n".join(sorted(places)), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(run())
