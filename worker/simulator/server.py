"""The simulator as an HTTP server."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress

import structlog
from aiohttp import web

from worker.errors import UsageError
from worker.simulator import controls
from worker.simulator.api import companies, consumers, data, feeds, push
from worker.simulator.api import options as option_models
from worker.simulator.gateway import SIMULATOR, codat_door
from worker.simulator.settings import SimulatorOptions
from worker.simulator.simulator import Simulator

_log = structlog.get_logger(__name__)


def create_app(options: SimulatorOptions) -> web.Application:
    """The application; its simulated clock starts now."""
    app = web.Application(middlewares=[codat_door])
    app[SIMULATOR] = Simulator(options)
    for part in (companies, data, push, feeds, option_models, consumers, controls):
        part.add_routes(app)
    app.cleanup_ctx.append(_timetable)
    return app


async def run(options: SimulatorOptions) -> None:
    """Serves until SIGTERM or SIGINT; logs one line with its address when ready.

    Raises :class:`~worker.errors.UsageError` when the port cannot be had.
    """
    runner = web.AppRunner(create_app(options), access_log=None)
    await runner.setup()
    try:
        await _listen(runner, options)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        host, port = runner.addresses[0][:2]
        _log.info("simulator ready", url=f"http://{host}:{port}", seed=options.seed)
        await stop.wait()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, options: SimulatorOptions) -> None:
    try:
        await web.TCPSite(runner, options.host, options.port).start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise UsageError(f"{options.host} and --port {options.port} cannot be listened on: {reason}") from error


async def _timetable(app: web.Application) -> AsyncIterator[None]:
    simulator = app[SIMULATOR]
    task = asyncio.create_task(simulator.timetable.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await simulator.post.close()
