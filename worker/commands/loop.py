"""The event loop every command runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

try:
    from uvloop import new_event_loop
except ImportError:  # a platform uvloop does not build for; asyncio's own loop does the same, slower
    from asyncio import new_event_loop

T = TypeVar("T")


def run(main: Coroutine[None, None, T]) -> T:
    """Run a coroutine to its end on the fastest event loop there is."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)
