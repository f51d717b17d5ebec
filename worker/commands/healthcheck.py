"""``writeback healthcheck``: asks this machine's service whether it is ready; a container's health command."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Final

import aiohttp

from worker.commands.loop import run
from worker.config import load_settings
from worker.errors import Unavailable

if TYPE_CHECKING:
    from worker.commands import Subparsers

TIMEOUT_SECONDS: Final = 5.0
"""Longest wait for the answer: a service that needs longer to look at its database is not healthy."""


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    subparsers.add_parser("healthcheck", help="exit 0 when the service on this machine is ready").set_defaults(run=_run)


def _run(_: argparse.Namespace) -> int:
    port = load_settings(os.environ, at_terminal=sys.stderr.isatty()).port
    return run(_ask(f"http://127.0.0.1:{port}/readyz"))


async def _ask(url: str) -> int:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            answer = await response.text()
            ready = response.status == 200
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(f"nothing answers at {url}: {type(error).__name__}") from error
    if not ready:
        raise Unavailable(f"the service is not ready: {answer}")
    return 0
