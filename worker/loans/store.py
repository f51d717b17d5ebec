"""The loans' tables, one function per statement. No function opens a transaction; callers do."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

import asyncpg

from worker.database import Connection, query
from worker.loans.batch import Decided, InvestorKey, Subject, SubjectKind
from worker.loans.decision import Apply, Duplicate, Hold, Refuse
from worker.loans.events import InterestRecognition, Investor
from worker.loans.investor import InvestorAccount
from worker.loans.loan import Amounts, Fact, FactKey, FactKind, FactState, Loan, Tender


class OutcomeState(StrEnum):
    """What became of an event; the migration draws the arrows between them."""

    APPLIED = "applied"
    HELD = "held"
    RELEASED = "released"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event. ``field`` is set for a refused one; ``needs`` and ``held_since`` for one that waits."""

    message_id: int
    subject: Subject
    state: OutcomeState
    reason: str | None
    field: str | None
    needs: tuple[str, ...]
    held_since: datetime | None
    ledger_transaction_id: UUID | None
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class HeldEvent:
    """An event that waits: for any of ``needs``, since when, and why in a sentence."""

    message_id: int
    event_id: str
    type: str
    subject: Subject
    reason: str
    needs: tuple[str, ...]
    held_since: datetime


@dataclass(frozen=True, slots=True)
class HeldCount:
    """How many events wait for others, and how long the oldest has waited (0 when none does)."""

    events: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class NewOutcome:
    """An answer to an event, to be kept."""

    message_id: int
    subject: Subject
    decision: Apply | Hold | Duplicate | Refuse
    ledger_transaction_id: UUID | None = None

    @classmethod
    def of(cls, decided: Decided, ledger_transaction_id: UUID | None) -> NewOutcome:
        one = decided.incoming
        return cls(one.message_id, one.subject, decided.decision, ledger_transaction_id)


async def get_loan(connection: Connection, loan_id: str) -> Loan | None:
    """One loan with its totals."""
    return (await load_loans(connection, [loan_id])).get(loan_id)


async def list_loans(connection: Connection, *, after: str = "", limit: int = 100) -> list[Loan]:
    """Loans with ids above ``after``, in id order."""
    return [_loan(row) for row in await connection.fetch(query("loans/list_loans"), after, limit)]


async def list_facts(connection: Connection, loan_id: str) -> list[Fact]:
    """Everything that happened to a loan, by kind and id."""
    return [_fact(row) for row in await connection.fetch(query("loans/list_facts"), loan_id)]


async def list_held(
    connection: Connection, subject: Subject | None = None, *, after: int = 0, limit: int = 100
) -> list[HeldEvent]:
    """Events that wait, with message ids above ``after`` in id order: all, or those about one subject."""
    kind, subject_id = subject or (None, None)
    rows = await connection.fetch(query("loans/list_held"), kind, subject_id, after, limit)
    return [
        HeldEvent(
            row["message_id"], row["event_id"], row["type"], _subject(row), row["reason"], tuple(row["needs"]),
            row["held_since"],
        )
        for row in rows
    ]  # fmt: skip


async def load_outcomes(connection: Connection, message_ids: Iterable[int]) -> dict[int, Outcome]:
    """What became of these messages; one that is missing is still queued."""
    rows = await connection.fetch(query("loans/load_outcomes"), list(message_ids))
    return {row["message_id"]: _outcome(row) for row in rows}


async def get_outcome(connection: Connection, message_id: int) -> Outcome | None:
    """What became of one message; None while it is still queued."""
    return (await load_outcomes(connection, [message_id])).get(message_id)


async def has_posted(connection: Connection) -> bool:
    """Whether any event was posted to the ledger in this database."""
    has: bool = await connection.fetchval(query("loans/has_posted"))
    return has


async def count_held(connection: Connection) -> HeldCount:
    """For a gauge: how many events wait, and the age of the oldest."""
    row = await connection.fetchrow(query("loans/count_held"))
    return HeldCount(*row) if row else HeldCount(0, 0)


async def load_loans(connection: Connection, loan_ids: Iterable[str]) -> dict[str, Loan]:
    """Those of the loans that exist, by id."""
    rows = await connection.fetch(query("loans/load_loans"), list(loan_ids))
    return {row["loan_id"]: _loan(row) for row in rows}


async def load_facts(connection: Connection, keys: Collection[tuple[str, FactKey]]) -> dict[str, dict[FactKey, Fact]]:
    """Those of the facts that are known, by loan and key."""
    rows = await connection.fetch(
        query("loans/load_facts"),
        [loan_id for loan_id, _ in keys],
        [key.kind.value for _, key in keys],
        [key.fact_id for _, key in keys],
    )
    facts: dict[str, dict[FactKey, Fact]] = {}
    for row in rows:
        fact = _fact(row)
        facts.setdefault(row["loan_id"], {})[fact.key] = fact
    return facts


async def find_needs_waited_for(connection: Connection, needs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of these needs of loans, those that an event is being held for."""
    loan_ids, words = [loan_id for loan_id, _ in needs], [need for _, need in needs]
    rows = await connection.fetch(query("loans/find_needs_waited_for"), loan_ids, words)
    return {(row["loan_id"], row["need"]) for row in rows}


async def find_applied(connection: Connection, message_ids: Iterable[int]) -> set[int]:
    """Those of the messages that have taken effect already."""
    rows = await connection.fetch(query("loans/find_applied"), list(message_ids))
    return {row["message_id"] for row in rows}


async def lock_investors(connection: Connection, keys: Sequence[InvestorKey]) -> dict[InvestorKey, InvestorAccount]:
    """Lock the accounts until the transaction ends, opening new ones; call it once, before balances are locked."""
    rows = await connection.fetch(
        query("loans/lock_investors"), [key.investor_id for key in keys], [key.currency for key in keys]
    )
    return {InvestorKey(row["investor_id"], row["currency"]): InvestorAccount(**row) for row in rows}


async def save_investors(connection: Connection, accounts: Collection[InvestorAccount]) -> None:
    """Write the totals of accounts locked by :func:`lock_investors`."""
    await connection.execute(
        query("loans/save_investors"),
        [account.investor_id for account in accounts],
        [account.currency for account in accounts],
        [account.contributed for account in accounts],
        [account.principal_distributed for account in accounts],
        [account.interest_earned for account in accounts],
        [account.interest_distributed for account in accounts],
    )


async def save_loans(connection: Connection, loans: Iterable[Loan]) -> None:
    """Write new loans, and the new totals of known ones."""
    await connection.execute(query("loans/save_loans"), json.dumps([_columns(loan) for loan in loans]))


async def save_facts(connection: Connection, facts: Mapping[str, Iterable[Fact]]) -> None:
    """Write the facts of each loan as they stand now."""
    rows = [(loan_id, fact) for loan_id, told in facts.items() for fact in told]
    await connection.execute(
        query("loans/save_facts"),
        [loan_id for loan_id, _ in rows],
        [fact.key.kind.value for _, fact in rows],
        [fact.key.fact_id for _, fact in rows],
        [fact.state.value for _, fact in rows],
        [fact.amounts.principal for _, fact in rows],
        [fact.amounts.interest for _, fact in rows],
        [fact.amounts.fees for _, fact in rows],
        [fact.amounts.overpayment for _, fact in rows],
        [fact.tender.unapplied_cash for _, fact in rows],
        [fact.tender.processing_cost for _, fact in rows],
    )


async def save_outcomes(connection: Connection, outcomes: Sequence[NewOutcome]) -> None:
    """Write what became of each event. One held again keeps the moment since when it waits."""
    said = [_said(outcome.decision) for outcome in outcomes]
    await connection.execute(
        query("loans/save_outcomes"),
        [outcome.message_id for outcome in outcomes],
        [outcome.subject.kind.value for outcome in outcomes],
        [outcome.subject.id for outcome in outcomes],
        [state.value for state, *_ in said],
        [reason for _, reason, *_ in said],
        [field for *_, field, _ in said],
        [json.dumps(sorted(needs)) for *_, needs in said],
        [outcome.ledger_transaction_id for outcome in outcomes],
    )


async def release_held(connection: Connection, news: Mapping[Subject, Iterable[str]]) -> list[tuple[int, Subject]]:
    """End the wait of held events that need any of the news; their messages, to be queued again in this order."""
    told = [(subject, need) for subject, needs in news.items() for need in needs]
    rows = await connection.fetch(
        query("loans/release_held"),
        [subject.kind.value for subject, _ in told],
        [subject.id for subject, _ in told],
        [need for _, need in told],
    )
    return [(row["message_id"], _subject(row)) for row in rows]


async def end_wait(connection: Connection, message_id: int) -> Subject | None:
    """End the wait of one held event without anything having come; what it is about, None when it is not held."""
    row = await connection.fetchrow(query("loans/end_wait"), message_id)
    return _subject(row) if row else None


def _said(decision: Apply | Hold | Duplicate | Refuse) -> tuple[OutcomeState, str | None, str | None, frozenset[str]]:
    match decision:
        case Apply():
            return OutcomeState.APPLIED, None, None, frozenset()
        case Duplicate(note):
            return OutcomeState.APPLIED, note, None, frozenset()
        case Hold(reason, needs):
            return OutcomeState.HELD, reason, None, needs
        case Refuse(field, reason):
            return OutcomeState.REFUSED, reason, field, frozenset()


def _columns(loan: Loan) -> dict[str, object]:
    repaid, bounced, given_up = loan.repaid, loan.reversed_repayments, loan.written_off
    return {
        "loan_id": loan.loan_id,
        "borrower_id": loan.borrower_id,
        "company_id": str(loan.company_id),
        "connection_id": str(loan.connection_id),
        "currency": loan.currency,
        "interest_recognition": loan.interest_recognition.value,
        "investors": [{**asdict(investor), "share": str(investor.share)} for investor in loan.investors],
        "disbursed": loan.disbursed,
        "interest_recognised": loan.interest_recognised,
        "interest_rebated": loan.interest_rebated,
        "fees_charged": loan.fees_charged,
        "fees_waived": loan.fees_waived,
        "principal_repaid": repaid.principal,
        "interest_repaid": repaid.interest,
        "fees_repaid": repaid.fees,
        "overpaid": repaid.overpayment,
        "principal_reversed": bounced.principal,
        "interest_reversed": bounced.interest,
        "fees_reversed": bounced.fees,
        "overpaid_reversed": bounced.overpayment,
        "refunded": loan.refunded,
        "principal_written_off": given_up.principal,
        "interest_written_off": given_up.interest,
        "fees_written_off": given_up.fees,
        "recovered": loan.recovered,
        "pending_repayments": loan.pending_repayments,
        "closed_on": loan.closed_on.isoformat() if loan.closed_on else None,
    }


def _loan(row: asyncpg.Record) -> Loan:
    return Loan(
        loan_id=row["loan_id"],
        borrower_id=row["borrower_id"],
        company_id=row["company_id"],
        connection_id=row["connection_id"],
        currency=row["currency"],
        interest_recognition=InterestRecognition(row["interest_recognition"]),
        investors=tuple(
            Investor(investor["investor_id"], Fraction(investor["share"])) for investor in json.loads(row["investors"])
        ),
        disbursed=row["disbursed"],
        interest_recognised=row["interest_recognised"],
        interest_rebated=row["interest_rebated"],
        fees_charged=row["fees_charged"],
        fees_waived=row["fees_waived"],
        repaid=Amounts(row["principal_repaid"], row["interest_repaid"], row["fees_repaid"], row["overpaid"]),
        reversed_repayments=Amounts(
            row["principal_reversed"], row["interest_reversed"], row["fees_reversed"], row["overpaid_reversed"]
        ),
        refunded=row["refunded"],
        written_off=Amounts(row["principal_written_off"], row["interest_written_off"], row["fees_written_off"]),
        recovered=row["recovered"],
        pending_repayments=row["pending_repayments"],
        closed_on=row["closed_on"],
    )


def _fact(row: asyncpg.Record) -> Fact:
    amounts = Amounts(row["principal"], row["interest"], row["fees"], row["overpayment"])
    tender = Tender(row["unapplied_cash"], row["processing_cost"])
    return Fact(FactKey(FactKind(row["kind"]), row["fact_id"]), FactState(row["state"]), amounts, tender)


def _subject(row: asyncpg.Record) -> Subject:
    return Subject(SubjectKind(row["subject_kind"]), row["subject_id"])


def _outcome(row: asyncpg.Record) -> Outcome:
    return Outcome(
        row["message_id"], _subject(row), OutcomeState(row["state"]), row["reason"], row["field"], tuple(row["needs"]),
        row["held_since"], row["ledger_transaction_id"], row["decided_at"],
    )  # fmt: skip
