"""The kills leave no kind of step out: each file asserts its own kinds, and this that they are all there are."""

from __future__ import annotations

from tests.faults import applicants, test_killed_anywhere, test_killed_while_reversing
from worker.writeback.plan import StepKind


def test_every_kind_of_step_is_killed_at_its_boundaries() -> None:
    killed = test_killed_anywhere.SUBJECTS | applicants.CREATIONS | test_killed_while_reversing.SUBJECTS
    assert killed >= set(StepKind)
