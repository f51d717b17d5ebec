"""The client of Modern Treasury's Ledgers API: one method per thing the outbox asks of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from worker.treasury.objects import (
    ChartObject,
    Ledger,
    Transaction,
    read_ledger,
    read_object,
    read_transaction,
)
from worker.treasury.operation import ACCOUNTS, CATEGORIES, LEDGERS, REVERSAL, TRANSACTIONS
from worker.treasury.posting import ObjectKind
from worker.treasury.replies import Found, Reply, TreasuryUnavailableError, read_refusal
from worker.treasury.transport import Request, Transport
from worker.wire import JsonObject, JsonValue, UnreadableReplyError, decode_json, encode_body

PER_PAGE: Final = 100
"""Objects of one page: the most there are."""

MAX_PAGES: Final = 100
"""Pages of one list: nobody keeps ten thousand ledgers, and every other list asked for has a handful of rows."""

T = TypeVar("T")


class TreasuryClient:
    """Every method answers what became of its request; see :mod:`worker.treasury.replies` for what raises."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list_ledgers(self) -> list[Ledger]:
        """Every ledger of the organization."""
        return await self._list(LEDGERS, {}, read_ledger)

    async def get_ledger(self, ledger_id: UUID) -> Reply[Ledger]:
        """One ledger."""
        return await self._send(Request("GET", f"{LEDGERS}/{ledger_id}"), read_ledger)

    async def create_ledger(self, name: str, key: UUID) -> Reply[Ledger]:
        """A new ledger. Nothing keeps two of them from having the same name."""
        return await self._send(_post(LEDGERS, {"name": name}, key), read_ledger)

    async def find_objects(self, kind: ObjectKind, ledger_id: UUID, external_id: str) -> list[ChartObject]:
        """The accounts or categories of a ledger with this external id: one or none that was not discarded."""
        asked = {"ledger_id": str(ledger_id), "external_id": external_id}
        found = await self._list(_path(kind), asked, read_object)
        return [one for one in found if not one.is_discarded]

    async def get_object(self, kind: ObjectKind, object_id: UUID) -> Reply[ChartObject]:
        """One account or category."""
        return await self._send(Request("GET", f"{_path(kind)}/{object_id}"), read_object)

    async def create_object(self, kind: ObjectKind, body: JsonObject, key: UUID) -> Reply[ChartObject]:
        """A new account or category, in its categories at once."""
        return await self._send(_post(_path(kind), body, key), read_object)

    async def add_to_category(self, kind: ObjectKind, object_id: UUID, category_id: UUID) -> Reply[None]:
        """Put an account or category into a category; Modern Treasury may refuse what is in it already."""
        request = Request("PUT", f"{CATEGORIES}/{category_id}/{_path(kind)}/{object_id}")
        return await self._send(request, _nothing)

    async def is_in_category(self, kind: ObjectKind, object_id: UUID, category_id: UUID) -> bool:
        """Whether an account or category is in a category."""
        of_category = (
            "parent_ledger_account_category_id" if kind is ObjectKind.CATEGORY else "ledger_account_category_id"
        )
        asked = {"id[]": str(object_id), of_category: str(category_id)}
        return bool(await self._list(_path(kind), asked, read_object))

    async def find_transactions(self, ledger_id: UUID, external_id: str) -> list[Transaction]:
        """The ledger's transactions with this external id: one that is pending or posted at most, and archived ones."""
        return await self._list(
            TRANSACTIONS, {"ledger_id": str(ledger_id), "external_id": external_id}, read_transaction
        )

    async def get_transaction(self, transaction_id: UUID) -> Reply[Transaction]:
        """One transaction."""
        return await self._send(Request("GET", f"{TRANSACTIONS}/{transaction_id}"), read_transaction)

    async def create_transaction(self, body: JsonObject, key: UUID) -> Reply[Transaction]:
        """A new transaction."""
        return await self._send(_post(TRANSACTIONS, body, key), read_transaction)

    async def change_transaction(self, transaction_id: UUID, body: JsonObject) -> Reply[Transaction]:
        """Change a pending transaction."""
        return await self._send(
            Request("PATCH", f"{TRANSACTIONS}/{transaction_id}", encode_body(body)), read_transaction
        )

    async def reverse_transaction(self, transaction_id: UUID, body: JsonObject, key: UUID) -> Reply[Transaction]:
        """Undo a posted transaction by a new one."""
        return await self._send(_post(f"{TRANSACTIONS}/{transaction_id}/{REVERSAL}", body, key), read_transaction)

    async def _send(self, request: Request, read: Callable[[JsonObject], T]) -> Reply[T]:
        reply = await self._transport.send(request)
        if reply.status >= 300:
            return read_refusal(reply.status, reply.body)
        return Found(_understood(reply.body, lambda document: read(_object(document))))

    async def _list(self, path: str, asked: dict[str, str], read: Callable[[JsonObject], T]) -> list[T]:
        items: list[T] = []
        cursor: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            query = urlencode({**asked, "per_page": str(PER_PAGE), **cursor})
            reply = await self._transport.send(Request("GET", f"{path}?{query}", is_list=True))
            if reply.status >= 300:
                raise TreasuryUnavailableError(f"{path} cannot be listed: {read_refusal(reply.status, reply.body)}")
            items += _understood(reply.body, lambda document: [read(_object(item)) for item in _array(document)])
            after = reply.headers.get("x-after-cursor")
            if not after:  # a page may be empty and yet not be the last
                return items
            cursor = {"after_cursor": after}
        raise TreasuryUnavailableError(f"{path} has more than {MAX_PAGES} pages")


def _post(path: str, body: JsonObject, key: UUID) -> Request:
    return Request("POST", path, encode_body(body), key)


def _path(kind: ObjectKind) -> str:
    return ACCOUNTS if kind is ObjectKind.ACCOUNT else CATEGORIES


def _understood(body: bytes, read: Callable[[JsonValue], T]) -> T:
    try:
        return read(decode_json(body) if body else None)
    except UnreadableReplyError as error:
        raise TreasuryUnavailableError(f"Modern Treasury's reply cannot be understood: {error}") from error


def _nothing(_: JsonObject) -> None:
    return None


def _object(value: JsonValue) -> JsonObject:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableReplyError("the reply is not a JSON object")
    return value


def _array(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise UnreadableReplyError("the reply is not a JSON array")
    return value
