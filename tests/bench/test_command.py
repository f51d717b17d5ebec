"""``writeback bench ledger`` as a person runs it. How fast anything is is not judged here."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import asyncpg

from tests.bench.stand_in import write_stand_in
from worker.bench.cases import Reading, Variant


async def bench(database_url: str, *arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker.cli", "bench", "ledger", *arguments),
        env={**os.environ, "DATABASE_URL": database_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    return process.returncode or 0, out.decode(), error.decode()


async def test_the_bench_measures_every_case_beside_pgbench_and_leaves_nothing(
    database_url: str, tmp_path: Path
) -> None:
    connection = await asyncpg.connect(database_url)
    ledgers = await connection.fetchval("select count(*) from ledgers")
    tiny = ("--callers", "8", "--seconds", "0.5", "--repetitions", "1", "--entries", "5000")
    pgledger = [f"--pgledger={path}" for path in write_stand_in(tmp_path)]
    code, out, error = await bench(database_url, *tiny, *pgledger, "--output", "json")
    assert code == 0, error
    document = json.loads(out)
    assert document["conditions"]["repetitions"] == 1
    assert {figures["variant"] for figures in document["figures"]} == set(Variant)
    assert all(figures["per_second"] > 0 and figures["p99_ms"] >= figures["p50_ms"] for figures in document["figures"])
    assert all(ratio["ratio"] > 0 for ratio in document["ratios"] if "CPU" not in ratio["measure"])
    assert document["history"]["entries"] == 5000
    assert document["history"]["findings"] == []
    assert {one["read"] for one in document["history"]["reads"]} == set(Reading)
    assert await connection.fetchval("select count(*) from ledgers") == ledgers
    assert not await connection.fetch("select from pg_database where datname like 'writeback_bench%'")
    await connection.close()


async def test_a_table_is_for_people_and_a_history_can_be_left_out(database_url: str) -> None:
    tiny = ("--callers", "1", "--seconds", "0.2", "--repetitions", "1", "--entries", "0")
    code, out, error = await bench(database_url, *tiny)
    assert code == 0, error
    assert "Ratios, taken in each repetition" in out
    assert "Reading from" not in out
    assert "pgledger" not in out
    assert "repetition 1 of 1: product, 1 caller" in error


async def test_a_wrong_argument_is_named(database_url: str, tmp_path: Path) -> None:
    code, _, error = await bench(database_url, "--callers", "8,none")
    assert code == 2
    assert "--callers" in error
    code, _, error = await bench(database_url, "--seconds", "0")
    assert code == 2
    assert "--seconds" in error
    code, _, error = await bench(database_url, "--pgledger", str(tmp_path / "gone.sql"))
    assert code == 2
    assert "--pgledger" in error
    assert "gone.sql" in error
