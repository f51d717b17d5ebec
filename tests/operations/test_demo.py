"""What a demo needs to itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.demo.processes import alone
from worker.errors import UsageError


def test_a_second_demo_does_not_clear_the_directory_of_a_running_one(tmp_path: Path) -> None:
    directory = tmp_path / "data" / "demo"
    with alone(directory):
        second = alone(directory)
        with pytest.raises(UsageError, match="another demo is running"):
            second.__enter__()

    with alone(directory):
        pass


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")

    with pytest.raises(UsageError, match="file cannot be used"), alone(tmp_path / "file" / "demo"):
        raise AssertionError
