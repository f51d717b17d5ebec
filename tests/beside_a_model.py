"""Any sequence of calls, drawn at random, on the real thing and on a model of it: what both come to has to be equal."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.effort import EFFORT

T = TypeVar("T")


class BesideAModel(RuleBasedStateMachine):
    """Rules run in a thread of their own and have the test's event loop do what waits for something."""

    loop: ClassVar[asyncio.AbstractEventLoop]

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()


async def try_sequences(machine: type[BesideAModel], examples: int, steps: int, **given: object) -> None:
    """Play so many examples of so many steps; ``given`` is what this test's machine has as its class' own."""
    of_this_test = type(f"{machine.__name__}OfThisTest", (machine,), {**given, "loop": asyncio.get_running_loop()})
    tries = settings(
        max_examples=examples * EFFORT,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, of_this_test, settings=tries)
