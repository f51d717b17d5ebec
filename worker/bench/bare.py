"""The bare coalescing poster's decisions: what is left of posting when every guarantee but the balances goes. Pure.

It shows what the design can reach on this machine: whatever the product adds, it adds to this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from worker.bench.workload import AMOUNTS, SIDES, Disbursement


@dataclass(slots=True)
class BareBalance:
    """An account's sums as they move; ``lock_version`` counts its entries."""

    account_id: int
    debits: int
    credits: int
    lock_version: int
    currency: str


class BareEntry(NamedTuple):
    """A row to write; ``place`` is that of its transaction, from 1."""

    place: int
    n: int
    account_id: int
    side: int
    amount: int
    lock_version: int
    debits: int
    credits: int


@dataclass(slots=True)
class BareBatch:
    """What is to be written of a batch; ``accepted`` tells of each disbursement whether it is."""

    accepted: list[bool] = field(default_factory=list)
    external_ids: list[str] = field(default_factory=list)
    entries: list[BareEntry] = field(default_factory=list)
    moved: dict[int, BareBalance] = field(default_factory=dict)


def decide(batch: Sequence[Disbursement], balances: Iterable[BareBalance], known: Collection[str]) -> BareBatch:
    """Move the balances for every disbursement that is new and balances per currency."""
    by_account = {balance.account_id: balance for balance in balances}
    decided = BareBatch()
    for disbursement in batch:
        fits = disbursement.external_id not in known and _balances(disbursement, by_account)
        decided.accepted.append(fits)
        if fits:
            _accept(disbursement, by_account, decided)
    return decided


def _balances(disbursement: Disbursement, by_account: dict[int, BareBalance]) -> bool:
    differences: dict[str, int] = {}
    for account_id, side, amount in zip(disbursement.accounts, SIDES, AMOUNTS, strict=True):
        currency = by_account[account_id].currency
        differences[currency] = differences.get(currency, 0) + side * amount
    return not any(differences.values())


def _accept(disbursement: Disbursement, by_account: dict[int, BareBalance], decided: BareBatch) -> None:
    decided.external_ids.append(disbursement.external_id)
    place, moved, add = len(decided.external_ids), decided.moved, decided.entries.append
    for n, (account_id, side, amount) in enumerate(zip(disbursement.accounts, SIDES, AMOUNTS, strict=True), 1):
        balance = by_account[account_id]
        if side > 0:
            balance.debits += amount
        else:
            balance.credits += amount
        balance.lock_version += 1
        moved[account_id] = balance
        add(BareEntry(place, n, account_id, side, amount, balance.lock_version, balance.debits, balance.credits))
