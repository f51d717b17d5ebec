"""What must hold before a step may be sent, and the day its record is dated. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from worker.codat.platforms import FeedRules
from worker.writeback.mapping import Mapping
from worker.writeback.plan import StepKind
from worker.writeback.situation import KnownConnection, Situation, Step, WaitingFor


@dataclass(frozen=True, slots=True)
class Hold:
    """A step that must not be sent now: whose move it is, and why in plain words."""

    waiting_for: WaitingFor
    reason: str


@dataclass(frozen=True, slots=True)
class TooEarly:
    """A record the platform takes only from ``day`` on."""

    day: date


def usable_mapping(situation: Situation) -> Mapping | Hold:
    """The connection's current mapping when a writeback may use it."""
    mapping, saga = situation.current_mapping, situation.saga
    if mapping is None:
        return Hold(WaitingFor.MAPPING, "the connection has no mapping yet")
    if not mapping.enabled:
        return Hold(WaitingFor.MAPPING, "writeback is switched off in the connection's mapping")
    if mapping.currency != saga.currency:
        return Hold(WaitingFor.MAPPING, f"the mapping is in {mapping.currency}, the loan is in {saga.currency}")
    return mapping


def usable_connection(connection: KnownConnection) -> Hold | None:
    """None when the connection takes writes."""
    if connection.is_linked:
        return None
    if connection.status == "Missing":
        return Hold(WaitingFor.CONNECTION, "Codat does not know the company or its connection any more")
    words = f"the borrower's {connection.platform_name} connection is {connection.status}; it must be linked again"
    return Hold(WaitingFor.CONNECTION, words)


def posting_day(
    step: Step, effective: date, connection: KnownConnection, newest_line: date | None, today: date
) -> date | Hold | TooEarly:
    """The day to date a record: the effective date, moved only as far as the statement's rules force a line.

    Records dated on or before the books' lock date are refused by every platform, so a person is asked first.
    """
    day = effective
    if step.kind is StepKind.BANK_TRANSACTION:
        rules = connection.traits.feed
        day = _line_day(effective, rules, newest_line, today)
        if day > today and not rules.future_dates:
            return TooEarly(day)
    lock = connection.lock_date
    if lock is not None and day <= lock:
        words = f"the borrower's books are locked up to {lock.isoformat()} and this record is dated {day.isoformat()}"
        return Hold(WaitingFor.PERSON, f"{words}; ask their bookkeeper to move the lock date, then retry")
    return day


def _line_day(effective: date, rules: FeedRules, newest_line: date | None, today: date) -> date:
    day = effective
    if rules.oldest_days is not None:
        day = max(day, today - timedelta(days=rules.oldest_days))
    if rules.chronological and newest_line is not None:
        day = max(day, newest_line)
    return day
