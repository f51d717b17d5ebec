"""Metrics in Prometheus' terms: what a process counts, and what is read from the database when asked.

Names and labels are bounded: a label only ever takes values this program chose, never a caller's text. Seconds are
base units; Prometheus stores binary floating point, which is fine here because no amount of money is a metric.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

FAST_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: a database round trip to the longest a webhook's sender waits."""

SLOW_BUCKETS: Final = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0)
"""Seconds: a push operation that completes at once to a borrower's connection away for a day."""


@dataclass(frozen=True, slots=True)
class Depths:
    """How much waits where, and for how long, read from the database at one moment. Ages are seconds."""

    jobs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By job kind and state."""
    job_oldest_age: Mapping[str, float] = field(default_factory=dict)
    """By job kind: how long the oldest job that could run now has been ready."""
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    """By class of reason."""
    dead_letter_oldest_age: Mapping[str, float] = field(default_factory=dict)
    events_held: int = 0
    event_held_oldest_age: float = 0
    sagas_waiting: Mapping[str, int] = field(default_factory=dict)
    """By what they wait for."""
    saga_waiting_oldest_age: Mapping[str, float] = field(default_factory=dict)
    push_pending: int = 0
    push_pending_oldest_age: Mapping[str, float] = field(default_factory=dict)
    """By accounting platform."""
    push_outcome_unknown: int = 0
    push_outcome_unknown_oldest_age: float = 0
    rate_limit_tokens: Mapping[str, int] = field(default_factory=dict)
    """By the limit's scope: requests that may still be made of Codat at this moment."""
    connections: Mapping[str, int] = field(default_factory=dict)
    """By state."""
    ledger_imbalance: int = 0
    """Currencies whose debits and credits differ; anything but zero is a fault."""
    ledger_outbox: int = 0
    """Postings that a ledger at Modern Treasury has not got yet."""
    ledger_outbox_oldest_age: float = 0
    oldest_xmin_age: float = 0
    schema_version: int = 0


class Metrics:
    """Everything this process exports, in a registry of its own."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._declare_counts()
        self._declare_durations()
        self._declare_process_gauges()
        self._declare_depths()
        self._gauge("build_info", "Always 1; the label is the program's version.", "version").labels(version).set(1)

    def render(self) -> bytes:
        """The text exposition format; see :data:`CONTENT_TYPE`."""
        return generate_latest(self.registry)

    def show(self, depths: Depths | None) -> None:
        """Take over what was read from the database; None when it cannot be reached: old numbers must not linger."""
        self.database_up.set(0 if depths is None else 1)
        for gauge in self._labelled:
            gauge.clear()
        known = depths or Depths()
        for (kind, state), number in known.jobs.items():
            self._jobs.labels(kind, state).set(number)
        for gauge, values in (
            (self._job_oldest_age, known.job_oldest_age),
            (self._dead_letters, known.dead_letters),
            (self._dead_letter_oldest_age, known.dead_letter_oldest_age),
            (self._rate_limit_tokens, known.rate_limit_tokens),
            (self._sagas_waiting, known.sagas_waiting),
            (self._saga_waiting_oldest_age, known.saga_waiting_oldest_age),
            (self._push_pending_oldest_age, known.push_pending_oldest_age),
            (self._connections, known.connections),
        ):
            for label, value in values.items():
                gauge.labels(label).set(value)
        unknown = float("nan") if depths is None else None
        for gauge, value in (
            (self._events_held, known.events_held),
            (self._event_held_oldest_age, known.event_held_oldest_age),
            (self._push_pending, known.push_pending),
            (self._push_outcome_unknown, known.push_outcome_unknown),
            (self._push_outcome_unknown_oldest_age, known.push_outcome_unknown_oldest_age),
            (self._ledger_imbalance, known.ledger_imbalance),
            (self._ledger_outbox, known.ledger_outbox),
            (self._ledger_outbox_oldest_age, known.ledger_outbox_oldest_age),
            (self._oldest_xmin_age, known.oldest_xmin_age),
            (self._schema_version, known.schema_version),
        ):
            gauge.set(value if unknown is None else unknown)

    def _declare_counts(self) -> None:
        self.webhooks_received = self._counter(
            "webhook_received_total", "Webhooks by sender, type and what became of them.", "source", "type", "outcome"
        )
        self.job_attempts = self._counter("job_attempts_total", "Attempts at jobs by outcome.", "kind", "outcome")
        self.lease_lost = self._counter("lease_lost_total", "Leases of this process that others took over.")
        self.codat_requests = self._counter(
            "codat_requests_total", "Requests to Codat by operation and status.", "operation", "status"
        )

        self.treasury_requests = self._counter(
            "treasury_requests_total", "Requests to Modern Treasury by operation and status.", "operation", "status"
        )

    def _declare_durations(self) -> None:
        self.webhook_ack = self._histogram(
            "webhook_ack_seconds", "From a webhook's arrival to its answer.", FAST_BUCKETS
        )
        self.event_apply_lag = self._histogram(
            "event_apply_lag_seconds", "From a loan event's arrival to its effect in the ledger.", SLOW_BUCKETS
        )
        self.event_to_books = self._histogram(
            "event_to_books_seconds",
            "From a loan event's arrival to its last record in the borrower's books.",
            SLOW_BUCKETS,
        )
        self.job_duration = self._histogram("job_duration_seconds", "Time in a job's handler.", FAST_BUCKETS, "kind")
        self.codat_request = self._histogram(
            "codat_request_seconds", "Time of one request to Codat.", FAST_BUCKETS, "operation"
        )
        self.treasury_request = self._histogram(
            "treasury_request_seconds", "Time of one request to Modern Treasury.", FAST_BUCKETS, "operation"
        )

    def _declare_process_gauges(self) -> None:
        self.database_up = self._gauge("database_up", "1 when the database answered the last time it was asked.")
        self.pool_in_use = self._gauge("db_pool_in_use", "Database connections in use by this process.")
        self.listener_connected = self._gauge("listener_connected", "1 while hints of new jobs can arrive.")
        self.codat_quota_remaining = self._gauge(
            "codat_quota_remaining", "Requests Codat allows until midnight UTC, as its last reply told."
        )

    def _declare_depths(self) -> None:
        self._jobs = self._gauge("jobs", "Jobs by kind and state.", "kind", "state")
        self._job_oldest_age = self._gauge(
            "job_oldest_age_seconds", "Longest wait of a job that could run now.", "kind"
        )
        self._dead_letters = self._gauge("dead_letters", "Jobs given up on that nobody has dealt with.", "class")
        self._dead_letter_oldest_age = self._gauge(
            "dead_letter_oldest_age_seconds", "Age of the oldest of them.", "class"
        )
        self._events_held = self._gauge("events_held", "Loan events that came too early.")
        self._event_held_oldest_age = self._gauge("event_held_oldest_age_seconds", "Age of the oldest held event.")
        self._sagas_waiting = self._gauge("sagas_waiting", "Writebacks that cannot go on by themselves.", "waiting_for")
        self._saga_waiting_oldest_age = self._gauge(
            "saga_waiting_oldest_age_seconds", "Age of the oldest such writeback.", "waiting_for"
        )
        self._push_pending = self._gauge("push_pending", "Push operations Codat has not completed.")
        self._push_pending_oldest_age = self._gauge(
            "push_pending_oldest_age_seconds", "Age of the oldest of them.", "platform"
        )
        self._push_outcome_unknown = self._gauge("push_outcome_unknown", "Writes whose effect is being looked up.")
        self._push_outcome_unknown_oldest_age = self._gauge(
            "push_outcome_unknown_oldest_age_seconds", "Time since the oldest of them was sent."
        )
        self._rate_limit_tokens = self._gauge(
            "rate_limit_tokens", "Requests all replicas together may still make of Codat now.", "scope"
        )
        self._connections = self._gauge("connections", "Accounting connections by state.", "state")
        self._ledger_imbalance = self._gauge("ledger_imbalance", "Currencies whose debits and credits differ.")
        self._ledger_outbox = self._gauge("ledger_outbox", "Postings not yet delivered to Modern Treasury.")
        self._ledger_outbox_oldest_age = self._gauge("ledger_outbox_oldest_age_seconds", "Age of the oldest of them.")
        self._oldest_xmin_age = self._gauge(
            "db_oldest_xmin_age_seconds", "Age of the oldest snapshot that keeps vacuum from the database's dead rows."
        )
        self._schema_version = self._gauge("schema_version", "Number of the newest migration applied.")
        self._labelled = (
            self._jobs,
            self._job_oldest_age,
            self._dead_letters,
            self._dead_letter_oldest_age,
            self._rate_limit_tokens,
            self._sagas_waiting,
            self._saga_waiting_oldest_age,
            self._push_pending_oldest_age,
            self._connections,
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"writeback_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"writeback_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"writeback_{name}", text, labels, buckets=buckets, registry=self.registry)


CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
"""Media type of :meth:`Metrics.render`."""
