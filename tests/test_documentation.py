"""What the README promises, compared with what the program has."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from worker.codat.profiles import Profile
from worker.commands import COMMANDS
from worker.config import load_settings
from worker.loans.events import EVENT_TYPES
from worker.migrations import load_migrations

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


class Reading(Mapping[str, str]):
    """An empty environment that remembers what was looked up in it."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def commands() -> list[str]:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    for add in COMMANDS:
        add(subparsers)
    return list(subparsers.choices)


@pytest.mark.parametrize("command", commands())
def test_the_readme_explains_every_command(command: str) -> None:
    assert f"`writeback {command}" in README


def test_the_readme_explains_every_environment_variable() -> None:
    environment = Reading()
    load_settings(environment, at_terminal=False)
    names = {name for name in environment.names if not name.endswith("_FILE")}
    assert names == {name for name in names if f"`{name}`" in README}
    assert "NAME_FILE" in README


def test_the_readme_lists_every_event_and_profile() -> None:
    assert set(EVENT_TYPES) == {name for name in EVENT_TYPES if f"`{name}`" in README}
    assert set(Profile) == {profile for profile in Profile if f"`{profile}`" in README}


def test_the_gate_runs_the_readmes_two_commands_word_for_word() -> None:
    gate = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    demo, tests = (block.splitlines()[1] for block in re.findall(r"```sh\n.*?```", README, re.DOTALL)[:2])
    assert demo.endswith(".venv/bin/writeback demo")
    assert demo in gate
    assert gate[-1] == tests


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = [migration.version for migration in load_migrations(ROOT / "sql" / "migrations")]
    assert numbers == list(range(1, len(numbers) + 1))
