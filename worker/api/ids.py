"""Ids that are made of others, and read back without asking the database. Pure.

The last 16 bits of a transaction's id are zero. An entry's id is its transaction's plus the entry's number; the id of a
version is its transaction's plus the version's number, told apart by the UUID version 8 instead of 7.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

_NUMBER: Final = 0xFFFF
_VERSION_MARK: Final = (0x7 ^ 0x8) << 76


def split_entry_id(entry_id: UUID) -> tuple[UUID, int]:
    """The transaction's id and the entry's number."""
    return UUID(int=entry_id.int & ~_NUMBER), entry_id.int & _NUMBER


def entry_id_of(transaction_id: UUID, n: int) -> UUID:
    """The id of a transaction's entry."""
    return UUID(int=transaction_id.int + n)


def version_id_of(transaction_id: UUID, version: int) -> UUID:
    """The id of a version of a transaction."""
    return UUID(int=(transaction_id.int ^ _VERSION_MARK) + version)


def split_version_id(version_id: UUID) -> tuple[UUID, int]:
    """The transaction's id and the version's number."""
    return UUID(int=(version_id.int & ~_NUMBER) ^ _VERSION_MARK), version_id.int & _NUMBER
