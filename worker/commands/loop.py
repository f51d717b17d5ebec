"""The event loop every command runs on."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Final, TypeVar

COLLECTION_THRESHOLDS: Final = (20_000, 10, 100)
"""Objects made, and rounds gone by, before Python looks for cycles: by default a batch of postings sets off a dozen
looks, a seventh of all its work, and none finds anything."""

T = TypeVar("T")


def run(main: Coroutine[None, None, T]) -> T:
    """Run a coroutine to its end on the fastest event loop there is, with few breaks to look for garbage."""
    gc.freeze()  # what is imported stays
    gc.set_threshold(*COLLECTION_THRESHOLDS)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:  # a platform it is not built for; asyncio's own loop does the same, slower
        return asyncio.new_event_loop
    return uvloop.new_event_loop
