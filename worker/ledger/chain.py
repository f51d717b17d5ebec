"""A ledger's hash chain: what its links are made of. Pure.

Every state a transaction ever had has a digest of everything it says. The statement that writes a batch seals the
digests of its states in one link: the SHA-256 of the link before and of these digests in order. Whoever changes, adds
or removes anything later, every guard of the database aside, must forge all links from there on, and still fails
against anybody who kept a link. Not sealed, because they may change without a new version: names and metadata of
accounts, metadata of entries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from worker.ledger.content import NO_METADATA, hash_text, moment_text, text_field
from worker.ledger.reading import Audit, Finding
from worker.ledger.written import Written

FIRST_PREVIOUS: Final = bytes(32)
"""What the first link of a ledger follows."""

_DIGEST_BYTES: Final = 32

_METADATA: Final = msgspec.json.Decoder(dict[str, str])


class StateName(NamedTuple):
    """One state of a transaction: the transaction and which version of it."""

    transaction_id: UUID
    version: int


class Told(NamedTuple):
    """What the tables tell of a state now: its digest, and when it was written."""

    digest: bytes
    written_at: datetime


UNREADABLE: Final = Told(b"", datetime.max.replace(tzinfo=UTC))
"""What the tables tell when they hold what they never take, such as a moment beyond every calendar."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is stored: the states it seals, their digests one after the other, and its hash."""

    position: int
    states: tuple[StateName, ...]
    digests: bytes
    hash: bytes
    made_at: datetime | None
    """None when it is no moment that can be read."""


def digest_of(state: Written) -> bytes:
    """The digest of one state: of its own columns, of its entries and of what their accounts count in.

    Texts go with their lengths, what is not there is a dash, and metadata is in the order of its keys: two states that
    differ in anything never make the same text.
    """
    effective = moment_text(state.effective_at)
    ledgerable = state.ledgerable
    lines = [
        f"{state.id.hex} {state.ledger_id.hex} {state.version} {state.status}",
        f"{text_field(state.external_id)} {text_field(state.description)} {text_field(state.archived_reason)}",
        _metadata_line(state.metadata),
        f"{effective} {moment_text(state.posted_at) if state.posted_at else '-'}"
        f" {moment_text(state.created_at)} {moment_text(state.updated_at)}",
        f"{text_field(ledgerable.type)} {ledgerable.id.hex}" if ledgerable else "-",
        f"{state.reverses.hex if state.reverses else '-'}"
        f" {state.partially_posts.hex if state.partially_posts else '-'}",
    ]
    for entry in state.entries:
        moment = effective if entry.effective_at is state.effective_at else moment_text(entry.effective_at)
        lines.append(f"{entry.n} {entry.direction} {entry.amount} {entry.lock_version} {moment} {entry.account.sealed}")
    return hash_text("\n".join(lines))


def hash_of(previous: bytes, digests: bytes) -> bytes:
    """The hash of a link; ``sql/queries/ledger/write_round.sql`` computes the same under the lock of the chain."""
    return hashlib.sha256(previous + digests).digest()


class ChainAudit:
    """Follows a chain link by link, and finds what does not hold."""

    def __init__(self, ledger_id: UUID, kept: Mapping[int, bytes]) -> None:
        self._ledger_id = ledger_id
        self._kept = dict(kept)
        self.position = 0
        self.hash = FIRST_PREVIOUS

    def follow(self, link: Link, told: Mapping[StateName, Told]) -> list[Finding]:
        """What is wrong with the next link; ``told`` is what the tables have now."""
        found = []
        if link.position != self.position + 1:
            words = f"it is missing: link {link.position} follows link {self.position}"
            found.append(self._broken(self.position + 1, words))
        if link.hash != hash_of(self.hash, link.digests):
            found.append(self._broken(link.position, "its hash is not that of the link before it and its digests"))
        if len(link.digests) != _DIGEST_BYTES * len(link.states):
            found.append(self._broken(link.position, f"it has {len(link.states)} states and other digests"))
        sealed = [link.digests[at : at + _DIGEST_BYTES] for at in range(0, len(link.digests), _DIGEST_BYTES)]
        states = [told.get(state) for state in link.states]
        if UNREADABLE not in states and link.made_at not in {state.written_at for state in states if state}:
            found.append(self._broken(link.position, "it was not made when any of its states was written"))
        for name, state, digest in zip(link.states, states, sealed, strict=False):
            if state is None or state.digest != digest:
                found.append(_changed(name, link.position, is_there=state is not None))
        if self._kept.pop(link.position, link.hash) != link.hash:
            found.append(self._broken(link.position, "its hash is not the one that was kept"))
        self.position, self.hash = link.position, link.hash
        return found

    def end(self, head: tuple[int, bytes] | None) -> list[Finding]:
        """What is wrong with the head of the chain, which its last link must be; None when there is none.

        And the links that were kept and did not come.
        """
        found = [self._broken(one, f"it was kept and is gone, the last one is {self.position}") for one in self._kept]
        if head and head[0] > self.position:
            found.append(self._broken(self.position + 1, f"it is missing: the chain goes up to link {head[0]}"))
        if (head or (0, FIRST_PREVIOUS)) != (self.position, self.hash):
            row = f"ledger_chain_heads (ledger_id) = ({self._ledger_id})"
            words = f"it is at link {head[0] if head else 0}, the last one is {self.position}"
            found.append(Finding(Audit.CHAIN, self._ledger_id, row, words))
        return found

    def _broken(self, position: int, detail: str) -> Finding:
        row = f"ledger_chain (ledger_id, position) = ({self._ledger_id}, {position})"
        return Finding(Audit.CHAIN, self._ledger_id, row, detail)


def unsealed(states: Iterable[StateName]) -> list[Finding]:
    """States no link seals: somebody else than the poster wrote them."""
    return [Finding(Audit.CHAIN, state.transaction_id, _row(state), "no link seals it") for state in states]


def _changed(state: StateName, position: int, *, is_there: bool) -> Finding:
    what = "it or its entries are not what" if is_there else "it is missing that"
    return Finding(Audit.CHAIN, state.transaction_id, _row(state), f"{what} link {position} sealed")


def _row(state: StateName) -> str:
    return f"version {state.version} of ledger_transactions (id) = ({state.transaction_id})"


def _metadata_line(text: str) -> str:
    if text == NO_METADATA:
        return ""
    try:
        metadata = _METADATA.decode(text)
    except msgspec.ValidationError:
        return text  # nobody's but a foreign writer's: only texts are metadata
    return " ".join([f"{text_field(key)} {text_field(metadata[key])}" for key in sorted(metadata)])
