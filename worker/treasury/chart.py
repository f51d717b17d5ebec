"""The ledger, categories and accounts that postings need: found or created there once, then known."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

import structlog

from worker.config import TreasurySettings
from worker.database import Database
from worker.treasury import outbox_store as store
from worker.treasury.client import TreasuryClient
from worker.treasury.objects import ChartObject, noun, object_differences
from worker.treasury.payloads import ledger_key, object_key
from worker.treasury.posting import KnownObject, ObjectKind, Wanted, in_order
from worker.treasury.replies import Found, NeedsPersonError, Refused, RefusedError, TreasuryUnavailableError
from worker.wire import JsonValue

Known = dict[tuple[ObjectKind, str], KnownObject]

GONE: Final = 404
"""What is answered for an account or category that was discarded."""

_log: Final = structlog.get_logger(__name__)


class Chart:
    """What exists in the ledger there. What is known is kept, so that most postings ask for nothing."""

    def __init__(self, database: Database, client: TreasuryClient, settings: TreasurySettings) -> None:
        self._database = database
        self._client = client
        self._settings = settings
        self._ledger_id: UUID | None = None
        self._one_at_a_time = asyncio.Lock()

    async def ledger_id(self) -> UUID:
        """The ledger configured: by its id, or by its name, under which it is created when there is none.

        Raises :class:`NeedsPersonError` when there is no such id, or several of that name.
        """
        if self._ledger_id is None:
            async with self._one_at_a_time:
                self._ledger_id = self._ledger_id or await self._choose_ledger()
        return self._ledger_id

    async def account_ids(self, ledger_id: UUID, accounts: Iterable[Wanted]) -> dict[str, UUID]:
        """The ids of accounts by external id; they and their categories are created where they do not exist.

        Raises :class:`NeedsPersonError` when one exists with another normal balance or currency.
        """
        wanted = in_order(accounts)
        known = await self._known(ledger_id, wanted)
        if any(_is_missing(one, known) for one in wanted):
            # Loans share accounts: whoever waited here mostly finds what it wanted.
            async with self._one_at_a_time:
                known = await self._known(ledger_id, wanted)
                for one in wanted:
                    if _is_missing(one, known):
                        known[one.key] = await self._make(ledger_id, one, known)
        return {one.external_id: known[one.key].id for one in wanted if one.kind is ObjectKind.ACCOUNT}

    async def forget_missing(self, ledger_id: UUID, accounts: Iterable[Wanted]) -> bool:
        """Look whether all that is known of these accounts and their categories still exists; False when it does."""
        wanted = in_order(accounts)
        known = await self._known(ledger_id, wanted)
        forgotten = False
        for one in wanted:
            if one.key in known and not known[one.key].is_gone:
                forgotten |= await self._forget_if_gone(ledger_id, one, known[one.key].id)
        return forgotten

    async def _forget_if_gone(self, ledger_id: UUID, wanted: Wanted, object_id: UUID) -> bool:
        reply = await self._client.get_object(wanted.kind, object_id)
        is_gone = reply.status == GONE if isinstance(reply, Refused) else reply.value.is_discarded
        if is_gone:
            async with self._database.connection() as connection:
                await store.forget_object(connection, ledger_id, wanted, object_id)
            _log.warning("treasury_object_gone", kind=wanted.kind.value, object_id=str(object_id))
        return is_gone

    async def _choose_ledger(self) -> UUID:
        wanted = self._settings.ledger
        if isinstance(wanted, UUID):
            if isinstance(reply := await self._client.get_ledger(wanted), Refused):
                raise NeedsPersonError(
                    f"MODERN_TREASURY_LEDGER names the ledger {wanted}, which is not there ({reply})"
                )
            return reply.value.id
        place = (self._settings.base_url, self._settings.organization_id, wanted)
        async with self._database.connection() as connection:
            if (chosen := await store.find_ledger(connection, *place)) is not None:
                return chosen
        ledger_id = await self._ledger_named(wanted)
        async with self._database.transaction() as connection:
            await store.keep_ledger(connection, *place, ledger_id)
            chosen = await store.find_ledger(connection, *place)
        return chosen or ledger_id

    async def _ledger_named(self, name: str) -> UUID:
        found = [ledger.id for ledger in await self._client.list_ledgers() if ledger.name == name]
        if len(found) > 1:
            raise NeedsPersonError(
                f"{len(found)} ledgers are named {name}: set MODERN_TREASURY_LEDGER to the id of one"
            )
        if found:
            return found[0]
        reply = await self._client.create_ledger(name, ledger_key(name))
        if isinstance(reply, Refused):
            raise NeedsPersonError(f"the ledger {name} cannot be created: {reply}")
        _log.info("treasury_ledger_created", ledger_id=str(reply.value.id))
        return reply.value.id

    async def _known(self, ledger_id: UUID, wanted: Iterable[Wanted]) -> Known:
        async with self._database.connection() as connection:
            return await store.load_objects(connection, ledger_id, wanted)

    async def _make(self, ledger_id: UUID, wanted: Wanted, known: Known) -> KnownObject:
        """Have it exist, in all its categories, which exist already."""
        categories = {one.external_id: known[one.key].id for one in wanted.within}
        object_id, joined = await self._find_or_create(ledger_id, wanted, known, list(categories.values()))
        if not joined:
            for external_id, category_id in categories.items():
                await self._join(wanted, object_id, external_id, category_id)
        async with self._database.connection() as connection:
            await store.keep_object(connection, ledger_id, wanted, object_id)
        return KnownObject(object_id, frozenset(categories))

    async def _find_or_create(
        self, ledger_id: UUID, wanted: Wanted, known: Known, categories: list[UUID]
    ) -> tuple[UUID, bool]:
        """Its id, and whether it is certainly in its categories."""
        former = known.get(wanted.key)
        if former and not former.is_gone:
            return former.id, False
        if found := await self._client.find_objects(wanted.kind, ledger_id, wanted.external_id):
            return _agreed(wanted, found[0]).id, False
        within: list[JsonValue] = [str(category_id) for category_id in categories]
        body = {**wanted.body, "ledger_id": str(ledger_id), "ledger_account_category_ids": within}
        key = object_key(ledger_id, wanted, former.id if former else None)
        match await self._client.create_object(wanted.kind, body, key):
            case Found(created):
                return _agreed(wanted, created).id, True
            case Refused(is_external_id_taken=True) as refusal:
                # By another process, between the question and the creation; or by one that was discarded.
                raise TreasuryUnavailableError(f"{_name(wanted)} is neither found nor can it be created: {refusal}")
            case refusal:
                raise RefusedError(f"{_name(wanted)} cannot be created: {refusal}")

    async def _join(self, wanted: Wanted, object_id: UUID, external_id: str, category_id: UUID) -> None:
        reply = await self._client.add_to_category(wanted.kind, object_id, category_id)
        if isinstance(reply, Refused) and not await self._client.is_in_category(wanted.kind, object_id, category_id):
            raise RefusedError(f"{_name(wanted)} cannot be put into the category {external_id}: {reply}")


def _is_missing(wanted: Wanted, known: Mapping[tuple[ObjectKind, str], KnownObject]) -> bool:
    found = known.get(wanted.key)
    return found is None or found.is_gone or not {one.external_id for one in wanted.within} <= found.within


def _agreed(wanted: Wanted, found: ChartObject) -> ChartObject:
    if differences := object_differences(wanted, found):
        raise NeedsPersonError(f"{_name(wanted)} is not what the posting rules say: {differences}")
    return found


def _name(wanted: Wanted) -> str:
    return f"the {noun(wanted.kind)} {wanted.external_id}"
