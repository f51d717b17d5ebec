"""The layers of the program, enforced on its source.

A module of a station is **pure** unless it is listed below: it decides, from values to values, and reads no clock, no
chance, no file and no network. What is listed is named with its role::

    0  leaves      config, errors, money and the like
    1  pure        decides
    2  primitives  database, telemetry, */store, the client of a foreign system: they do
    3  services    bring 1 and 2 together: transactions, loops, handlers
    4  edges       HTTP in: routes, health, the simulator
    5  root        app, cli, commands, demo: build and wire everything

Nothing imports a higher layer; a store imports no store; a service no other station's service.
"""

from __future__ import annotations

import ast
import fnmatch
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "worker"

ROOT = (
    *("app", "lenders_ledger", "observed", "cli", "commands", "commands.*", "demo", "demo.*"),
    *("bench.history", "bench.posting", "bench.product", "bench.reading", "bench.run"),
)
EDGES = ("*.routes", "health", "problems", "inbox.body", "simulator", "simulator.*")
SERVICES = (
    "api.accounts",
    "api.bulk",
    "api.bulk_run",
    "api.categories",
    "api.deliveries",
    "api.effects",
    "api.entries",
    "api.events",
    "api.kept_answers",
    "api.ledgers",
    "api.monitors",
    "api.retention",
    "api.settlements",
    "api.statements",
    "api.transactions",
    "bench.draw",
    "bench.load",
    "bench.pgbench",
    "bench.pgledger",
    "bench.rivals",
    "depths",
    "inbox.receiver",
    "jobs.attempt",
    "jobs.crew",
    "jobs.hints",
    "jobs.lease",
    "jobs.maintenance",
    "jobs.runner",
    "jobs.outbox",
    "ledger.election",
    "ledger.memory",
    "ledger.foresight",
    "ledger.group_poster",
    "ledger.lane",
    "loans.apply",
    "operations.auditor",
    "operations.control",
    "operations.ledgers",
    "operations.reader",
    "treasury.chart",
    "treasury.deliver",
    "writeback.configure.creation",
    "writeback.configure.feeds",
    "writeback.configure.service",
    "writeback.configure.vetting",
    "writeback.connections",
    "writeback.desk",
    "writeback.following",
    "writeback.history",
    "writeback.looking",
    "writeback.operator",
    "writeback.preflight",
    "writeback.resolve",
    "writeback.saga",
    "writeback.sending",
    "writeback.settlement",
)
PRIMITIVES = (
    "*.store",
    "*_store",
    "bench.processes",
    "bench.scratch",
    "codat.client",
    "codat.gate",
    "codat.gate_session",
    "codat.places",
    "codat.transport",
    "config",
    "database",
    "embedded",
    "exchange",
    "jobs.patience",
    "ledger.poster",
    "loans.rulebook_file",
    "metrics",
    "migrations",
    "postgres",
    "telemetry",
    "treasury.client",
    "treasury.pace",
    "treasury.transport",
    "writeback.statements",
)
STORES = ("*.store", "*_store", "writeback.statements")
LAYERS = ((5, ROOT), (4, EDGES), (3, SERVICES), (2, PRIMITIVES))
PURE = 1

MAY_RUN_SQL = (*STORES, "database", "migrations", "ledger.poster", "jobs.hints")
"""``jobs.hints`` speaks LISTEN and NOTIFY, which are about its own connection and no table."""
MAY_IMPORT_ASYNCPG = (
    *MAY_RUN_SQL,
    *("app", "codat.gate_session", "jobs.lease", "jobs.maintenance", "jobs.patience", "jobs.runner"),
    "ledger.group_poster",
)
"""Those that are no store keep a session of their own, or outlive any failed statement and so name its exception."""
MAY_USE_FLOAT = ("metrics", "simulator.clock")
"""Prometheus stores binary floating point; the simulator's clock turns a time span into a sleep. Neither is money."""
MAY_USE_TENACITY = ("codat.transport", "treasury.transport")

SQL_METHODS = {"execute", "executemany", "fetch", "fetchrow", "fetchval", "fetchmany", "copy_records_to_table"}
IMPURE_MODULES = {
    *("asyncio", "concurrent", "ctypes", "http", "logging", "multiprocessing", "os", "pathlib", "random", "secrets"),
    *("select", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile"),
    *("threading", "time", "urllib.request"),
}
IMPURE_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "open", "print", "input"}
MODULE_LINES = 400
FUNCTION_LINES = 50


def is_one_of(module: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(module, pattern) for pattern in patterns)


def layer_of(module: str) -> int:
    return next((layer for layer, patterns in LAYERS if is_one_of(module, patterns)), PURE)


def imports_of(tree: ast.AST, modules: set[str]) -> Iterator[str]:
    """Every imported module, absolute; ``from worker.jobs import store`` is an import of ``worker.jobs.store``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner.removeprefix("worker.") in modules or inner == "aiohttp.web" else node.module


def calls_of(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """The last name of every call, and whether it is a method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr, True
            elif isinstance(node.func, ast.Name):
                yield node.func.id, False


def faults(module: str, source: str, modules: set[str]) -> Iterator[str]:
    """Every rule the source of ``module`` breaks; ``modules`` are the names of all modules of the package."""
    tree = ast.parse(source)
    imported = set(imports_of(tree, modules))
    own = {name.removeprefix("worker.") for name in imported if name.startswith("worker.")}
    yield from layer_faults(module, own)
    yield from library_faults(module, imported - {f"worker.{name}" for name in own})
    yield from call_faults(module, tree)
    yield from size_faults(source, tree)


def layer_faults(module: str, own: set[str]) -> Iterator[str]:
    layer, station = layer_of(module), module.partition(".")[0]
    for other in sorted(own - {module}):
        theirs = other.partition(".")[0]
        if layer_of(other) > layer:
            yield f"imports {other}, which is of a higher layer"
        if is_one_of(module, STORES) and is_one_of(other, STORES):
            yield f"is a store and imports the store {other}"
        if layer == 3 and layer_of(other) == 3 and theirs != station:
            yield f"imports the service {other} of another station"
        if station == "jobs" and theirs in {"codat", "inbox", "ledger", "loans", "writeback"}:
            yield f"imports {other}, but the queue knows no loans"
        if station == "simulator" and theirs not in {"simulator", "errors", "money"}:
            yield f"imports {other}, but the simulator must not share code with what it judges"


def library_faults(module: str, libraries: set[str]) -> Iterator[str]:
    for library in sorted(libraries):
        top = library.partition(".")[0]
        if layer_of(module) == PURE and top not in sys.stdlib_module_names | {"msgspec"}:
            yield f"is pure and imports {library}"
        if layer_of(module) == PURE and {top, library} & IMPURE_MODULES:
            yield f"is pure and imports {library}"
        if library.startswith("aiohttp.web") and layer_of(module) < 4:
            yield "imports aiohttp.web, which is for the edges"
        if top == "asyncpg" and not is_one_of(module, MAY_IMPORT_ASYNCPG):
            yield "imports asyncpg, which is for stores"
        if top == "tenacity" and module not in MAY_USE_TENACITY:
            yield "imports tenacity, which is for requests to foreign systems: the queue retries everything else"


def call_faults(module: str, tree: ast.AST) -> Iterator[str]:
    for name, is_method in calls_of(tree):
        if layer_of(module) == PURE and name in IMPURE_CALLS:
            yield f"is pure and calls {name}()"
        if is_method and name in SQL_METHODS and not is_one_of(module, MAY_RUN_SQL):
            yield f"calls {name}(), but only stores run SQL"
        if name == "float" and not is_one_of(module, MAY_USE_FLOAT):
            yield "calls float(), which has no place near money"
        if name.startswith(("retry_if_not", "retry_unless")):
            yield f"calls {name}(), which would retry a cancellation: name what to retry"


def size_faults(source: str, tree: ast.AST) -> Iterator[str]:
    if (lines := len(source.splitlines())) > MODULE_LINES:
        yield f"has {lines} lines, more than {MODULE_LINES}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            if (length := (node.end_lineno or 0) - body[0].lineno + 1) > FUNCTION_LINES:
                yield f"{node.name}() has {length} lines, more than {FUNCTION_LINES}"


def sources() -> dict[str, str]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__") if parts != ("__init__",) else ""] = path.read_text()
    return found


SOURCES = sources()


@pytest.mark.parametrize("module", SOURCES)
def test_a_module_keeps_to_its_layer(module: str) -> None:
    assert not list(faults(module, SOURCES[module], set(SOURCES)))


@pytest.mark.parametrize("pattern", [p for _, patterns in LAYERS for p in patterns])
def test_every_role_named_here_is_played_by_a_module(pattern: str) -> None:
    assert any(is_one_of(module, (pattern,)) for module in SOURCES)


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("loans.decide", "import asyncio", "is pure and imports asyncio"),
        ("loans.decide", "import urllib.request", "is pure and imports urllib.request"),
        ("loans.decide", "import structlog", "is pure and imports structlog"),
        ("loans.decide", "from worker.loans import store", "imports loans.store, which is of a higher layer"),
        ("loans.decide", "now = datetime.now(UTC)", "is pure and calls now()"),
        ("loans.decide", "key = uuid4()", "is pure and calls uuid4()"),
        ("loans.store", "from worker.jobs.store import enqueue_jobs", "is a store and imports the store jobs.store"),
        ("loans.store", "from worker.jobs import runner", "imports jobs.runner, which is of a higher layer"),
        ("inbox.receiver", "from worker.jobs import runner", "imports the service jobs.runner of another station"),
        ("jobs.job", "from worker.loans.events import LoanEvent", "imports loans.events, but the queue knows no loans"),
        ("simulator.books", "from worker import wire", "imports wire, but the simulator must not share"),
        ("jobs.runner", "from aiohttp import web", "imports aiohttp.web, which is for the edges"),
        ("inbox.receiver", "import asyncpg", "imports asyncpg, which is for stores"),
        ("jobs.runner", "import tenacity", "imports tenacity, which is for requests to foreign"),
        ("codat.transport", "retry_if_not_exception_type(ValueError)", "calls retry_if_not_exception_type()"),
        ("jobs.runner", "connection.execute('select 1')", "calls execute(), but only stores run SQL"),
        ("money", "float('1.5')", "calls float(), which has no place near money"),
        ("money", "\n" * 401, "has 401 lines"),
        ("money", "def f():\n" + "    x = 1\n" * 51, "f() has 51 lines"),
    ],
)
def test_a_planted_fault_is_found(module: str, source: str, fault: str) -> None:
    assert any(fault in found for found in faults(module, source, set(SOURCES)))


def test_a_clean_module_has_no_fault() -> None:
    source = "from decimal import Decimal\nimport msgspec\nfrom worker.money import Money\n"
    assert list(faults("loans.decide", source, set(SOURCES))) == []
