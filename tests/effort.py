"""How long the tests that draw at random try."""

from __future__ import annotations

import os

import pytest

EFFORT = int(os.environ.get("WRITEBACK_TEST_EFFORT", "1"))
"""Multiplies their examples: 1 is the gate's few seconds, 100 a night."""

SHRINKING_SECONDS = 300
"""How long hypothesis may take to make a failure small; cut off before, it would tell nothing."""

patient = pytest.mark.timeout(300 * EFFORT + SHRINKING_SECONDS)
"""For tests that take longer with more effort; the seconds are those of any other test."""
