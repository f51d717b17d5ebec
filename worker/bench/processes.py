"""Processor time, ours and the server's. The server's is seen where its processes are: on this machine, under /proc."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

_PROCESSES: Final = Path("/proc")
_PARENT, _USER, _REAPED_SYSTEM = 1, 11, 14
"""Places in ``/proc/<pid>/stat`` after the command's closing parenthesis, see proc_pid_stat(5)."""


class Meter:
    """Reads processor time that only grows."""

    def __init__(self, backend_pid: int | None) -> None:
        """``backend_pid`` is a session's process on this machine, None when the server is somewhere else."""
        self._postmaster = None if backend_pid is None else _postmaster_of(backend_pid)

    def server(self) -> float | None:
        """Seconds of the server's whole process tree, those that ended included; None where they cannot be seen."""
        if self._postmaster is None:
            return None
        ticks = 0
        for entry in _PROCESSES.iterdir():
            if entry.name.isdigit() and (fields := _stat(int(entry.name))):
                if int(entry.name) == self._postmaster:
                    ticks += sum(map(int, fields[_USER : _REAPED_SYSTEM + 1]))
                elif int(fields[_PARENT]) == self._postmaster:
                    ticks += sum(map(int, fields[_USER : _USER + 2]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def own(self) -> float:
        """Seconds of this process."""
        return time.process_time()

    def children(self) -> float:
        """Seconds of this process's children that have ended."""
        times = os.times()
        return times.children_user + times.children_system


def _postmaster_of(backend_pid: int) -> int | None:
    fields = _stat(backend_pid)
    parent = int(fields[_PARENT]) if fields else 0
    try:
        name = (_PROCESSES / str(parent) / "comm").read_text().strip()
    except OSError:
        return None
    return parent if name.startswith("postgres") else None


def _stat(pid: int) -> list[str]:
    try:
        return (_PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []  # it has just ended
