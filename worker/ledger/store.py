"""The ledger's tables: making accounts, and reading what was written. Writing is the poster's."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from worker.database import Connection, query
from worker.errors import WritebackError
from worker.ledger.balance import Sums
from worker.ledger.book import midnight
from worker.ledger.content import metadata_text
from worker.ledger.guards import Guard
from worker.ledger.reading import (
    AUDIT_TIMEOUT_SECONDS,
    EVERY_ACCOUNT,
    AccountBalance,
    AccountFilter,
    ApartCount,
    Audit,
    Entry,
    Finding,
    Statement,
    StatementLine,
    Transaction,
)
from worker.ledger.transaction import AccountSpec, CategorySpec, Direction, Status
from worker.money import exponent_of, unit_label


class NotAdoptedError(WritebackError):
    """Somebody else's account or category has the external id of one that is needed, and another unit."""


async def ensure_ledger(connection: Connection, name: str) -> UUID:
    """The id of the worker's ledger of this name, which is created when it does not exist yet."""
    await connection.execute(query("ledger/create_ledger"), name)
    ledger_id: UUID = await connection.fetchval(query("ledger/find_ledger"), name)
    return ledger_id


async def ensure_accounts(connection: Connection, ledger_id: UUID, specs: Iterable[AccountSpec]) -> dict[str, UUID]:
    """The ids by external id of the accounts, which are created with their categories when they do not exist yet.

    Of several descriptions of one account the first holds. One read when nothing is missing. Safe against any number
    of others creating the same ones: call it once per database transaction, with everything the transaction needs,
    before any balance is locked. What somebody else created is taken over when it is of the same unit.
    Raises :class:`NotAdoptedError` when it is not, and :class:`worker.money.AmountError` for a currency that is not
    ISO 4217.
    """
    wanted: dict[str, AccountSpec] = {}
    for spec in specs:
        wanted.setdefault(spec.external_id, spec)
    found = await _find_accounts(connection, ledger_id, wanted)
    missing = [
        spec
        for external_id, spec in wanted.items()
        if external_id not in found or not {c.external_id for c in spec.categories} <= found[external_id][1]
    ]
    if missing:
        await _create_accounts(connection, ledger_id, missing)
        found = await _find_accounts(connection, ledger_id, wanted)
    return {external_id: account_id for external_id, (account_id, _) in found.items()}


async def balances(
    connection: Connection, ledger_id: UUID, external_ids: Collection[str], as_of: date | None = None
) -> dict[str, AccountBalance]:
    """Accounts with their sums by external id, now or over everything effective up to and on ``as_of``."""
    found = await trial_balance(connection, ledger_id, as_of, AccountFilter(external_ids))
    return {account.external_id: account for account in found if account.external_id is not None}


async def trial_balance(
    connection: Connection, ledger_id: UUID, as_of: date | None = None, which: AccountFilter = EVERY_ACCOUNT
) -> list[AccountBalance]:
    """Accounts of the ledger with their sums, now or over everything effective up to and on ``as_of``."""
    external_ids = None if which.external_ids is None else list(which.external_ids)
    metadata = None if which.metadata is None else metadata_text(which.metadata)
    asked = (ledger_id, external_ids, metadata, which.account_id)
    if as_of is None:
        rows = await connection.fetch(query("ledger/current_balances"), *asked)
    else:
        end = midnight(as_of + timedelta(days=1))
        rows = await connection.fetch(query("ledger/balances_before"), *asked, end)
    return [
        AccountBalance(
            row["id"],
            row["external_id"],
            row["name"],
            Direction(row["normal_balance"]),
            row["currency"],
            row["currency_exponent"],
            row["lock_version"],
            _sums(row),
        )
        for row in rows
    ]


async def count_dated_apart(connection: Connection, ledger_id: UUID, as_of: date | None) -> ApartCount:
    """Posted transactions with entries effective up to and on ``as_of`` and others after it; none without a day."""
    if as_of is None:
        return ApartCount(0)
    end = midnight(as_of + timedelta(days=1))
    try:
        async with connection.transaction():
            return ApartCount(await connection.fetchval(query("ledger/count_dated_apart"), ledger_id, end))
    except asyncpg.QueryCanceledError:
        return ApartCount(None)  # they are too many, and the balance is worth more than their number


async def statements(
    connection: Connection, openings: Sequence[AccountBalance], first: date, last: date
) -> list[Statement]:
    """Accounts from the business day ``first`` to ``last``, both included; ``openings`` are as of the day before.

    Read both in one REPEATABLE READ transaction when the ledger is being written to, so that its parts agree.
    """
    rows: dict[UUID, list[asyncpg.Record]] = {opening.account_id: [] for opening in openings}
    start, end = midnight(first), midnight(last + timedelta(days=1))
    for row in await connection.fetch(query("ledger/statement_lines"), list(rows), start, end):
        rows[row["account_id"]].append(row)
    return [_statement(opening, rows[opening.account_id]) for opening in openings]


async def transactions_of(connection: Connection, ledger_id: UUID, metadata: Mapping[str, str]) -> list[Transaction]:
    """The transactions that carry all of ``metadata`` (``{"loanID": …}`` for a loan's), in business order."""
    rows = await connection.fetch(query("ledger/transactions_with_metadata"), ledger_id, metadata_text(metadata))
    return [_transaction(row) for row in rows]


async def verify(connection: Connection, ledger_id: UUID) -> list[Finding]:
    """Everything in the ledger that breaks the books: empty unless somebody bypassed the tables' own checks.

    The ledger's chain is :func:`worker.ledger.chain_store.verify_chain`'s, and the guards are those of every ledger.
    """
    return [
        Finding(audit, row["id"], row["row"], row["detail"])
        for audit in Audit
        if audit not in (Audit.CHAIN, Audit.GUARDS)
        for row in await connection.fetch(query(f"ledger/verify_{audit}"), ledger_id, timeout=AUDIT_TIMEOUT_SECONDS)
    ]


async def verify_strays(connection: Connection) -> list[Finding]:
    """What belongs to no ledger at all, so that the audit of none finds it."""
    rows = await connection.fetch(query("ledger/verify_strays"), timeout=AUDIT_TIMEOUT_SECONDS)
    return [Finding(Audit.CHART, row["id"], row["row"], row["detail"]) for row in rows]


async def verify_guards(connection: Connection, guards: Sequence[Guard]) -> list[Finding]:
    """Those of the triggers on the ledger's tables that are missing, switched off or not on for every session."""
    relations, names = [guard.relation for guard in guards], [guard.name for guard in guards]
    rows = await connection.fetch(query("ledger/verify_guards"), relations, names)
    return [Finding(Audit.GUARDS, None, row["row"], row["detail"]) for row in rows]


async def list_ledgers(connection: Connection) -> list[tuple[UUID, str]]:
    """The id and name of every ledger."""
    return [(row["id"], row["name"]) for row in await connection.fetch(query("ledger/list_ledgers"))]


async def find_ledgers(connection: Connection, words: str) -> list[tuple[UUID, str]]:
    """The id and name of the ledger with this id, or else of every one with this name."""
    return [(row["id"], row["name"]) for row in await connection.fetch(query("ledger/find_ledgers"), words)]


async def begin_audit(connection: Connection) -> None:
    """Have no statement of this transaction cut short by the server."""
    await connection.execute(query("ledger/begin_audit"))


async def count_imbalances(connection: Connection) -> int:
    """Currencies whose debits and credits differ; a cheap look at the sums, where :func:`verify` reads every entry."""
    return int(await connection.fetchval(query("ledger/count_imbalances")))


async def _find_accounts(
    connection: Connection, ledger_id: UUID, external_ids: Iterable[str]
) -> dict[str, tuple[UUID, frozenset[str]]]:
    rows = await connection.fetch(query("ledger/find_accounts"), ledger_id, list(external_ids))
    return {row["external_id"]: (row["id"], frozenset(row["categories"])) for row in rows}


async def _create_accounts(connection: Connection, ledger_id: UUID, specs: Sequence[AccountSpec]) -> None:
    categories = {category.external_id: category for spec in specs for category in _with_parents(spec.categories)}
    nestings = [(c.parent.external_id, c.external_id) for c in categories.values() if c.parent is not None]
    memberships = [(category.external_id, spec.external_id) for spec in specs for category in spec.categories]
    pair = ("outer", "inner")
    await connection.execute(query("ledger/lock_chart"), ledger_id)
    await connection.execute(query("ledger/create_categories"), ledger_id, *_spec_columns(categories.values()))
    await connection.execute(query("ledger/create_accounts"), ledger_id, *_spec_columns(specs))
    await _refuse_others(connection, ledger_id, {spec.external_id: spec for spec in specs}, categories)
    await connection.execute(query("ledger/nest_categories"), ledger_id, *_columns(nestings, pair))
    await connection.execute(query("ledger/join_categories"), ledger_id, *_columns(memberships, pair))


async def _refuse_others(
    connection: Connection,
    ledger_id: UUID,
    accounts: Mapping[str, AccountSpec],
    categories: Mapping[str, CategorySpec],
) -> None:
    found = await connection.fetchrow(query("ledger/find_not_adopted"), ledger_id, list(accounts), list(categories))
    if found is None:
        return
    noun, external_id, normal_balance, currency, exponent = found
    wanted = accounts[external_id] if noun == "account" else categories[external_id]
    raise NotAdoptedError(
        f"loan events need the ledger {noun} {external_id} with normal_balance {wanted.normal_balance} in "
        f"{unit_label(wanted.currency, exponent_of(wanted.currency))}, and somebody made one with normal_balance "
        f"{normal_balance} in {unit_label(currency, exponent)}: give that another external_id over /api, then replay "
        "this event"
    )


def _with_parents(categories: Iterable[CategorySpec]) -> Iterator[CategorySpec]:
    for category in categories:
        ancestor: CategorySpec | None = category
        while ancestor is not None:
            yield ancestor
            ancestor = ancestor.parent


def _spec_columns(specs: Iterable[AccountSpec | CategorySpec]) -> list[list[Any]]:
    rows = [
        (s.external_id, s.name, s.normal_balance, s.currency, exponent_of(s.currency), metadata_text(s.metadata))
        for s in specs
    ]
    return _columns(rows, ("external_id", "name", "normal_balance", "currency", "currency_exponent", "metadata"))


def _columns(rows: Sequence[tuple[Any, ...]], names: tuple[str, ...]) -> list[list[Any]]:
    """The rows turned into one list per column, as ``unnest`` takes them; empty lists when there are no rows."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in names]


def _statement(opening: AccountBalance, rows: Iterable[asyncpg.Record]) -> Statement:
    lines: list[StatementLine] = []
    sums = opening.sums
    for row in rows:
        status, direction = Status(row["status"]), Direction(row["direction"])
        posted = row["amount"] if status is Status.POSTED else 0
        sums = sums.moved(direction, posted=posted, pending=row["amount"])
        lines.append(
            StatementLine(
                row["transaction_id"],
                row["external_id"],
                row["description"],
                status,
                row["effective_date"],
                direction,
                row["amount"],
                sums,
            )
        )
    return Statement(opening, tuple(lines), replace(opening, sums=sums))


def _sums(row: asyncpg.Record) -> Sums:
    return Sums(row["posted_debits"], row["posted_credits"], row["pending_debits"], row["pending_credits"])


def _transaction(row: asyncpg.Record) -> Transaction:
    entries = zip(row["numbers"], row["accounts"], row["directions"], row["amounts"], strict=True)
    return Transaction(
        row["id"],
        row["external_id"],
        Status(row["status"]),
        row["effective_date"],
        row["description"],
        json.loads(row["metadata"]),
        row["reverses"],
        row["archived_reason"],
        tuple(Entry(n, account, Direction(direction), amount) for n, account, direction, amount in entries),
    )
