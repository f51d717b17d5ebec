"""The state machine of a step, the reading of refusals, and what must hold before sending."""

from __future__ import annotations

from collections import deque
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from worker.bearer import require_bearer
from worker.codat.platforms import Platform
from worker.codat.push_operation import ValidationItem
from worker.errors import Bug, Rejected
from worker.writeback.classify import Responsible, classify
from worker.writeback.plan import Purpose, StepKind
from worker.writeback.preflight import Hold, TooEarly, posting_day
from worker.writeback.situation import KnownConnection, Step
from worker.writeback.step import StepEvent, StepState, transition
from worker.writeback.timings import Timings, growing

ALLOWED = {
    (StepState.PLANNED, StepEvent.INTENDED): StepState.SENDING,
    (StepState.PLANNED, StepEvent.ADOPTED): StepState.SUCCEEDED,
    (StepState.SENDING, StepEvent.ACCEPTED): StepState.PENDING,
    (StepState.SENDING, StepEvent.CONFIRMED): StepState.SUCCEEDED,
    (StepState.SENDING, StepEvent.REFUSED): StepState.FAILED,
    (StepState.SENDING, StepEvent.LOST): StepState.UNKNOWN,
    (StepState.PENDING, StepEvent.CONFIRMED): StepState.SUCCEEDED,
    (StepState.PENDING, StepEvent.REFUSED): StepState.FAILED,
    (StepState.PENDING, StepEvent.LOST): StepState.UNKNOWN,
    (StepState.FAILED, StepEvent.LOST): StepState.UNKNOWN,
    (StepState.FAILED, StepEvent.RETRIED): StepState.PLANNED,
    (StepState.FAILED, StepEvent.CONFIRMED): StepState.SUCCEEDED,
    (StepState.UNKNOWN, StepEvent.ADOPTED): StepState.SUCCEEDED,
    (StepState.UNKNOWN, StepEvent.CONFIRMED): StepState.SUCCEEDED,
    (StepState.UNKNOWN, StepEvent.REFUSED): StepState.FAILED,
    (StepState.UNKNOWN, StepEvent.PROVEN_ABSENT): StepState.PLANNED,
}


@pytest.mark.parametrize("state", list(StepState))
@pytest.mark.parametrize("event", list(StepEvent))
def test_a_step_moves_only_along_the_drawn_arrows(state: StepState, event: StepEvent) -> None:
    if (state, event) in ALLOWED:
        assert transition(state, event) is ALLOWED[state, event]
    else:
        with pytest.raises(Bug):
            transition(state, event)


def test_every_state_can_be_reached_and_every_one_can_still_succeed() -> None:
    def reachable(start: StepState) -> set[StepState]:
        found, waiting = {start}, deque([start])
        while waiting:
            state = waiting.popleft()
            for (before, _), after in ALLOWED.items():
                if before is state and after not in found:
                    found.add(after)
                    waiting.append(after)
        return found

    assert reachable(StepState.PLANNED) == set(StepState)
    assert all(StepState.SUCCEEDED in reachable(state) for state in StepState)


@pytest.mark.parametrize(
    ("item_id", "message", "responsible"),
    [
        ("From.Amount", "must be greater than zero", Responsible.PERSON),
        ("LineItems[0].AccountRef", "The account is archived.", Responsible.MAPPING),
        ("ContactRef.Id", "Supplier 17 does not exist.", Responsible.MAPPING),
        (
            "AccountId",
            "has to be a source account; this platform takes lines through its bank feed",
            Responsible.MAPPING,
        ),
        (None, "The data connection was deauthorized by the user.", Responsible.CONNECTION),
        ("IssueDate", "The period is locked up to 2026-03-31.", Responsible.PERSON),
        (None, "Xero rate limit reached, try again later.", Responsible.NOBODY),
        (None, "The request to Xero timed out.", Responsible.PERSON),
        (None, "Something nobody has seen before", Responsible.PERSON),
    ],
)
def test_a_refusal_names_who_has_to_act(item_id: str | None, message: str, responsible: Responsible) -> None:
    refusal = classify([ValidationItem(item_id, message, "Validator")], None)

    assert (refusal.responsible, refusal.field) == (responsible, item_id)
    assert message in refusal.words


def test_of_several_complaints_the_one_to_be_settled_first_decides() -> None:
    errors = [
        ValidationItem(None, "Please try again later", None),
        ValidationItem("Date", "not a date", None),
        ValidationItem("AccountRef", "does not exist", None),
    ]

    refusal = classify(errors, None)

    assert refusal.responsible is Responsible.MAPPING
    assert refusal.words.count(";") == 2


def test_a_refusal_without_errors_says_what_the_operation_says() -> None:
    assert classify([], "The company file is locked by another user.").words.startswith("The company file")
    assert classify([], None).words == "the accounting platform gave no reason"


TODAY = date(2026, 3, 10)


def connection(platform: Platform = Platform.XERO, lock: date | None = None) -> KnownConnection:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    return KnownConnection(UUID(int=1), UUID(int=2), platform, platform.value, "Linked", lock, now)


def step(kind: StepKind) -> Step:
    return Step(1, 1, 1, kind, Purpose.REPAYMENT, StepState.PLANNED, "LW-A", 1, "GBP", 1)


@pytest.mark.parametrize(
    ("effective", "newest", "expected"),
    [
        (date(2026, 3, 5), None, date(2026, 3, 5)),
        (date(2026, 3, 5), date(2026, 3, 7), date(2026, 3, 7)),
        (date(2026, 3, 8), date(2026, 3, 7), date(2026, 3, 8)),
        (date(2026, 3, 11), None, TooEarly(date(2026, 3, 11))),
    ],
)
def test_a_line_is_moved_only_as_far_as_the_feed_forces_it(
    effective: date, newest: date | None, expected: date | TooEarly
) -> None:
    feed = connection(Platform.SAGE_BUSINESS_CLOUD)

    assert posting_day(step(StepKind.BANK_TRANSACTION), effective, feed, newest, TODAY) == expected


def test_a_line_too_old_for_the_feed_gets_the_oldest_day_it_takes() -> None:
    day = posting_day(step(StepKind.BANK_TRANSACTION), date(2024, 1, 1), connection(), None, TODAY)

    assert day == date(2025, 3, 10)


def test_a_transfer_keeps_its_own_date_whatever_the_feed_wants() -> None:
    day = posting_day(step(StepKind.TRANSFER), date(2024, 1, 1), connection(), date(2026, 3, 7), TODAY)

    assert day == date(2024, 1, 1)


@pytest.mark.parametrize(("lock", "is_held"), [(date(2026, 3, 4), False), (date(2026, 3, 5), True)])
def test_a_record_on_or_before_the_lock_date_is_held(lock: date, is_held: bool) -> None:
    day = posting_day(step(StepKind.TRANSFER), date(2026, 3, 5), connection(lock=lock), None, TODAY)

    assert isinstance(day, Hold) is is_held


def test_waits_grow_within_their_bounds_and_shrink_with_the_time_scale() -> None:
    second = timedelta(seconds=1)

    assert [growing(age * second, first=5 * second, longest=60 * second) / second for age in (0, 7, 500)] == [5, 7, 60]
    assert Timings().compressed(60).key_lifetime == timedelta(seconds=80)
    with pytest.raises(ValueError, match="whole number"):
        Timings().compressed(0)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic right", "right"])
def test_only_one_of_the_tokens_opens_the_door(header: str | None) -> None:
    with pytest.raises(Rejected) as refused:
        require_bearer(header, ("right", "other"))
    assert refused.value.status == 401

    require_bearer("Bearer right", ("right", "other"))
    require_bearer("bearer other", ("right", "other"))
    with pytest.raises(Rejected):
        require_bearer("Bearer ", ())
