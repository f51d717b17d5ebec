"""``writeback send``: signs a loan event and posts it, as a loan system would."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from typing import TYPE_CHECKING

import aiohttp

from worker.commands.loop import run
from worker.commands.operating import read_input
from worker.config import Settings, load_settings
from worker.errors import Unavailable, UsageError
from worker.inbox.routes import LOANS_PATH
from worker.inbox.signature import WEBHOOK_ID_WORDS, is_webhook_id, sign

if TYPE_CHECKING:
    from worker.commands import Subparsers

SECONDS_TO_ANSWER = 15
"""How long to wait for the acknowledgement: what webhook senders commonly allow."""


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("send", help="sign a loan event and post it")
    parser.add_argument("file", metavar="FILE|-", help="the event's JSON body; - reads standard input")
    parser.add_argument("--url", help="the service (default http://HOST:PORT from the environment)")
    parser.add_argument(
        "--id", help="the webhook-id (default: derived from the body, so a file sent twice is one event)"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings(os.environ, at_terminal=sys.stderr.isatty())
    body = read_input(arguments.file)
    if arguments.id is not None and not is_webhook_id(arguments.id):
        raise UsageError(f"--id must be {WEBHOOK_ID_WORDS}")
    return run(_send(settings, arguments.url or f"http://{settings.host}:{settings.port}", arguments.id, body))


async def _send(settings: Settings, url: str, webhook_id: str | None, body: bytes) -> int:
    if not settings.loan_webhook_secrets:
        raise UsageError("LOAN_WEBHOOK_SECRETS is missing: set it to the secret the service verifies with")
    identity = webhook_id or f"msg_{hashlib.sha256(body).hexdigest()[:32]}"
    headers = signed_headers(settings.loan_webhook_secrets[0], identity, body, int(time.time()))
    timeout = aiohttp.ClientTimeout(total=SECONDS_TO_ANSWER)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url.rstrip("/") + LOANS_PATH, data=body, headers=headers) as response,
        ):
            answer = await response.text()
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise UsageError(f"--url must look like http://127.0.0.1:8080, not {url!r}") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(f"{url} does not answer: {type(error).__name__}") from error
    print(answer, file=sys.stdout if response.ok else sys.stderr)
    return 0 if response.ok else 1


def signed_headers(secret: bytes, webhook_id: str, body: bytes, timestamp: int) -> dict[str, str]:
    """The headers a genuine sender puts on a webhook (Standard Webhooks 1.0)."""
    return {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, webhook_id, timestamp, body),
    }
