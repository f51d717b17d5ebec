"""The options of ``writeback simulator``."""

from __future__ import annotations

import argparse
from fractions import Fraction

from worker.errors import UsageError
from worker.simulator.settings import DEFAULT_PORT, REQUESTS_PER_MINUTE, SimulatorOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port, 0 for any (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same companies and ids (default %(default)s)")
    parser.add_argument("--api-key", help="the one API key accepted (default: any that is not empty)")
    parser.add_argument("--webhook-url", help="where signed webhooks are sent")
    parser.add_argument("--webhook-secret", help="the secret they are signed with, whsec_...")
    parser.add_argument("--legacy-webhook-url", help="where the older service's alerts are sent")
    parser.add_argument("--legacy-authorization", help="the Authorization header of those alerts")
    parser.add_argument("--daily-quota", type=int, help="requests allowed a day (default: Codat's own sum)")
    parser.add_argument(
        "--requests-per-minute",
        type=int,
        default=REQUESTS_PER_MINUTE,
        help="requests one address may send a minute (default %(default)s)",
    )
    parser.add_argument("--speed", type=Fraction, default=Fraction(1), help="simulated seconds per real second")


def options_from(namespace: argparse.Namespace) -> SimulatorOptions:
    """The options those arguments mean; raises :class:`UsageError` for a combination that makes no sense."""
    if namespace.speed <= 0:
        raise UsageError("--speed has to be above zero")
    return SimulatorOptions(
        host=namespace.host,
        port=namespace.port,
        seed=namespace.seed,
        api_key=namespace.api_key,
        webhook_url=namespace.webhook_url,
        webhook_secret=namespace.webhook_secret,
        legacy_webhook_url=namespace.legacy_webhook_url,
        legacy_authorization=namespace.legacy_authorization,
        speed=namespace.speed,
        daily_quota=namespace.daily_quota,
        requests_per_minute=namespace.requests_per_minute,
    )
