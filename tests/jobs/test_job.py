"""The pure part of the queue: names of lanes, waits, and what each outcome asks of the queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.jobs.job import (
    EXHAUSTED,
    FIRST_BACKOFF,
    LONGEST_BACKOFF,
    REASON_LENGTH,
    Acknowledgement,
    Answer,
    Bury,
    HandBack,
    Job,
    Park,
    Retry,
    Snooze,
    acknowledge,
    backoff,
    batches,
    lane,
    storable,
)

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
JITTER = st.floats(0, 1, exclude_max=True)


def job(id_: int = 1, attempt: int = 1) -> Job:
    return Job(id_, "apply_event", 5, 6, attempt, NOON, NOON)


def test_a_lane_keeps_its_number_between_releases() -> None:
    assert lane("loan", "L1") == -6755660079754554898


@given(st.lists(st.text(), min_size=1))
def test_every_lane_fits_a_bigint(parts: list[str]) -> None:
    assert -(2**63) <= lane(*parts) < 2**63


def test_lanes_differ_when_their_parts_are_cut_differently() -> None:
    assert lane("ab", "c") != lane("a", "bc")


@given(st.integers(1, 32767), JITTER)
def test_a_backoff_never_exceeds_its_ceiling(attempt: int, jitter: float) -> None:
    assert timedelta(0) <= backoff(attempt, jitter) <= min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempt - 1, 30))


def test_the_ceiling_doubles_with_each_failure_until_it_is_reached() -> None:
    assert [backoff(attempt, 0.5).total_seconds() for attempt in (1, 2, 3, 4, 30)] == [0.5, 1, 2, 4, 450]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Snooze(timedelta(minutes=3)), Acknowledgement(1, Answer.SNOOZE, timedelta(minutes=3))),
        (Park("the mapping"), Acknowledgement(1, Answer.PARK, reason="the mapping")),
        (Retry("503"), Acknowledgement(1, Answer.RETRY, timedelta(seconds=2), reason="503")),
        (HandBack(timedelta(seconds=1)), Acknowledgement(1, Answer.HAND_BACK, timedelta(seconds=1))),
        (Bury("bad", "worse"), Acknowledgement(1, Answer.BURY, reason_class="bad", reason="worse")),
    ],
)
def test_each_outcome_asks_one_thing_of_the_queue(
    outcome: Snooze | Park | Retry | HandBack | Bury, expected: Acknowledgement
) -> None:
    assert acknowledge(job(attempt=3), outcome, max_attempts=4, jitter=0.5) == expected


def test_the_last_allowed_failure_is_a_burial() -> None:
    buried = Acknowledgement(1, Answer.BURY, reason_class=EXHAUSTED, reason="503")
    assert acknowledge(job(attempt=4), Retry("503"), max_attempts=4, jitter=0.5) == buried


def test_jobs_that_failed_before_are_handed_over_alone() -> None:
    jobs = [job(1), job(2, attempt=2), job(3), job(4), job(5, attempt=9)]
    assert [[j.id for j in batch] for batch in batches(jobs, 2)] == [[1, 3], [4], [2], [5]]


@given(st.text(st.characters()))
def test_a_reason_can_always_be_stored(text: str) -> None:
    kept = storable(text)
    assert "\x00" not in kept
    assert len(kept.encode("utf-8")) <= 4 * REASON_LENGTH


def test_lone_surrogates_do_not_stop_a_burial() -> None:
    assert storable("a\ud800b\x00") == "a?b\N{REPLACEMENT CHARACTER}"
