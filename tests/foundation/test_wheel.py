"""What is installed is complete: the SQL files travel inside the wheel and are found there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from worker.database import sql_directory

PROJECT = Path(__file__).parents[2]

LOAD_EVERYTHING = """
import json
from worker.database import query, sql_directory
from worker.migrations import load_migrations

queries = sql_directory() / "queries"
names = sorted(str(path.relative_to(queries).with_suffix("")) for path in queries.rglob("*.sql"))
migrations = [migration.file_name for migration in load_migrations(sql_directory() / "migrations")]
print(json.dumps([str(sql_directory()), {name: query(name) for name in names}, migrations]))
"""


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


def test_every_query_and_migration_is_loaded_from_an_installed_copy(tmp_path: Path) -> None:
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path / "dist", PROJECT)
    (wheel,) = (tmp_path / "dist").glob("loan_writeback_worker-*.whl")
    pip("install", "--no-deps", "--no-index", "--target", tmp_path / "installed", wheel)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    command = [sys.executable, "-P", "-c", LOAD_EVERYTHING]
    printed = subprocess.run(command, check=True, capture_output=True, cwd=tmp_path, env=environment).stdout
    directory, queries, migrations = json.loads(printed)
    assert directory == str(tmp_path / "installed" / "worker" / "sql")
    checkout = sql_directory()
    expected = sorted((checkout / "queries").rglob("*.sql"))
    assert queries == {
        str(path.relative_to(checkout / "queries").with_suffix("")): path.read_text() for path in expected
    }
    assert migrations == [path.name for path in sorted((checkout / "migrations").glob("*.sql"))]
