"""A Codat with real books behind it."""

from __future__ import annotations

from worker.simulator.server import create_app, run
from worker.simulator.settings import HeaderStyle, SimulatorOptions, Span

__all__ = ["HeaderStyle", "SimulatorOptions", "Span", "create_app", "run"]
