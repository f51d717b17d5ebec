"""Whatever breaks, both sets of books end up right: real processes, killed, frozen, starved and misinformed."""

import pytest

pytest.register_assert_rewrite("tests.faults.story", "tests.faults.discretion")
