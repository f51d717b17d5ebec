"""The README's walk-through of the ledger's API, run by bash as it stands there."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from uuid import UUID

import aiohttp
import asyncpg
import pytest

from tests.api import curl as stand_in
from tests.api.lendnow import BOOKS, CHART, END, STORY
from worker.demo.processes import free_port, running

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8080/"
"""Where the walk-through calls; the service under test is somewhere else on the same machine."""


def shown(language: str) -> str:
    """The one block of code in this language."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(block)


def curls() -> list[str]:
    """What the walk-through is run with: the stand-in, and curl itself where it is installed."""
    interpreted = shlex.join([sys.executable, stand_in.__file__])
    return [interpreted, *filter(None, [shutil.which("curl")])]


@pytest.mark.parametrize("curl", curls())
async def test_the_walk_through_ends_where_the_tutorial_ends(database_url: str, tmp_path: Path, curl: str) -> None:
    (tmp_path / "curl").write_text(f'#!/bin/sh\nexec {curl} "$@"\n')
    (tmp_path / "curl").chmod(0o755)
    port = free_port()
    environment = {
        "DATABASE_URL": database_url,
        "PORT": str(port),
        "CODAT_API_KEY": "test-only",
        "LEDGER_API_KEYS": "lendnow:sandbox",
    }
    script = shown("bash")
    assert script.count(ADDRESS) == 1
    async with running("service", ["serve", "--role=api"], environment, tmp_path) as process:
        async with aiohttp.ClientSession() as session:
            await process.answering(session, f"http://127.0.0.1:{port}/readyz")
        bash = await asyncio.create_subprocess_exec(
            "bash",
            "-euo",
            "pipefail",
            "-c",
            script.replace(ADDRESS, f"http://127.0.0.1:{port}/"),
            env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await bash.communicate()
    await was_told_in_the_tutorials_words(database_url)
    assert bash.returncode == 0, printed
    lines = printed.decode().splitlines()
    assert len({UUID(line) for line in lines[: len(STORY)]}) == len(STORY)
    assert lines[len(STORY) :] == shown("text").splitlines()


async def was_told_in_the_tutorials_words(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    ledgers = await connection.fetch("select name, description from ledgers")
    accounts = await connection.fetch("select name, description, normal_balance from ledger_accounts")
    told = await connection.fetch("select effective_date::text, description from ledger_transactions")
    await connection.close()
    assert BOOKS in map(tuple, ledgers)
    assert sorted(map(tuple, accounts)) == sorted(CHART.values())
    assert sorted(map(tuple, told)) == [(day, words) for day, words, _, _ in STORY]


def test_what_the_walk_through_prints_is_the_tutorials_end() -> None:
    ends = [f"{CHART[word][0]}: {debits} - {credits}: {amount}" for word, (debits, credits, amount) in END.items()]
    assert sorted(shown("text").splitlines()) == sorted(ends)
