"""What applied events write, as requests to Modern Treasury's Ledgers API. Pure.

Everything that can be decided when an event is applied is decided then, and kept: a request that is sent again is the
same request, under the same key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import NAMESPACE_OID, UUID, uuid5

from worker.errors import Bug
from worker.jobs.job import lane
from worker.ledger.transaction import AccountSpec, Archive, CategorySpec, Create, NewEntry, Operation, Post, Reverse
from worker.loans.batch import Decided, SubjectKind
from worker.money import exponent_of
from worker.treasury.posting import NewPosting, ObjectKind, PostingKind, Wanted
from worker.wire import JsonObject, children, text

ARCHIVED_REASON: Final = "archivedReason"
"""Metadata key under which a cancelled transaction keeps why: the API has no place of its own for a caller's reason."""


class _Request(NamedTuple):
    kind: PostingKind
    target: str | None
    body: JsonObject


def postings_of(decided: Sequence[Decided]) -> list[NewPosting]:
    """The outbox's rows for a batch of events, in order. An event that only opens accounts has one all the same."""
    return [posting for one in decided for posting in _postings_of(one)]


def with_account_ids(body: JsonObject, account_ids: Mapping[str, UUID]) -> JsonObject:
    """The body as it is sent: every entry's account by its id."""
    if "ledger_entries" not in body:
        return body
    return {**body, "ledger_entries": [_entry_sent(entry, account_ids) for entry in children(body, "ledger_entries")]}


def posting_key(ledger_id: UUID, event_id: str, place: int) -> UUID:
    """The Idempotency-Key of an event's request: the same whenever it is made, and another in any other ledger."""
    return uuid5(ledger_id, f"posting {place} of {event_id}")


def ledger_key(name: str) -> UUID:
    """The Idempotency-Key under which a ledger is created."""
    return uuid5(NAMESPACE_OID, f"ledger {name}")


def object_key(ledger_id: UUID, wanted: Wanted, follows: UUID | None = None) -> UUID:
    """The Idempotency-Key under which an account or category is created; ``follows`` is one that is gone."""
    after = f" after {follows}" if follows else ""
    return uuid5(ledger_id, f"{wanted.kind} {wanted.external_id}{after}")


def _postings_of(one: Decided) -> Iterator[NewPosting]:
    subject, incoming = one.incoming.subject, one.incoming
    loan_id = subject.id if subject.kind is SubjectKind.LOAN else None
    order = lane("treasury", subject.kind.value, subject.id)
    accounts = tuple(_account(spec) for spec in one.posting.accounts)
    requests = [_request(operation) for operation in one.posting.operations]
    if accounts and not requests:
        requests = [_Request(PostingKind.OPEN, None, {})]
    for place, (kind, target, body) in enumerate(requests):
        needed = accounts if kind in (PostingKind.OPEN, PostingKind.CREATE) else ()
        yield NewPosting(incoming.message_id, place, incoming.event_id, loan_id, order, kind, target, body, needed)


def _request(operation: Operation) -> _Request:
    match operation:
        case Create(transaction):
            body: JsonObject = {
                "external_id": transaction.external_id,
                "status": transaction.status.value,
                **_effective(transaction.effective_at),
                "description": transaction.description,
                "metadata": dict(transaction.metadata),
                "ledger_entries": [_entry(entry) for entry in transaction.entries],
            }
            return _Request(PostingKind.CREATE, transaction.external_id, body)
        case Post(transaction=key, effective_at=effective_at):
            return _Request(PostingKind.POST, str(key), {"status": "posted", **_effective(effective_at)})
        case Archive(transaction=key, reason=reason):
            body = {"status": "archived", "metadata": {ARCHIVED_REASON: reason}}
            return _Request(PostingKind.ARCHIVE, str(key), body)
        case Reverse():
            return _Request(PostingKind.REVERSE, str(operation.original), _reversal(operation))
        case _:
            raise Bug(f"no event of a loan writes a {type(operation).__name__}")


def _reversal(operation: Reverse) -> JsonObject:
    return {
        "external_id": operation.external_id,
        "status": operation.status.value,
        **_effective(operation.effective_at),
        "description": operation.description,
        "metadata": dict(operation.metadata),
    }


def _entry(entry: NewEntry) -> JsonObject:
    conditions: JsonObject = {
        f"{one.balance}_balance_amount": {one.comparison.value: one.amount} for one in entry.conditions
    }
    return {
        "ledger_account": str(entry.account),
        "direction": entry.direction.value,
        "amount": entry.amount,
        **conditions,
    }


def _account(spec: AccountSpec) -> Wanted:
    return Wanted(ObjectKind.ACCOUNT, spec.external_id, _described(spec), tuple(map(_category, spec.categories)))


def _category(spec: CategorySpec) -> Wanted:
    within = (_category(spec.parent),) if spec.parent else ()
    return Wanted(ObjectKind.CATEGORY, spec.external_id, _described(spec), within)


def _described(spec: AccountSpec | CategorySpec) -> JsonObject:
    return {
        "external_id": spec.external_id,
        "name": spec.name,
        "normal_balance": spec.normal_balance.value,
        "currency": spec.currency,
        "currency_exponent": exponent_of(spec.currency),
        "metadata": dict(spec.metadata),
    }


def _entry_sent(entry: JsonObject, account_ids: Mapping[str, UUID]) -> JsonObject:
    account = text(entry, "ledger_account") or ""
    rest = {name: value for name, value in entry.items() if name != "ledger_account"}
    return {"ledger_account_id": str(account_ids[account]), **rest}


def _effective(moment: datetime | None) -> JsonObject:
    return {} if moment is None else {"effective_at": moment.isoformat().replace("+00:00", "Z")}
