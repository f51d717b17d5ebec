"""Every waiting time of the writeback, in one place, each with its reason. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Timings:
    """How long the writeback waits for what. Rehearsals compress all of them by one divisor."""

    key_lifetime: timedelta = timedelta(minutes=80)
    """Codat remembers an Idempotency-Key for 90 minutes; ten of them are kept for clocks that disagree."""
    resend_first: timedelta = timedelta(seconds=2)
    """First wait before an unanswered request is sent again with the same key: a restart takes about as long."""
    resend_longest: timedelta = timedelta(minutes=1)
    """Longest wait between two sendings of one key: some 80 tries fit in the key's lifetime."""
    key_in_progress: timedelta = timedelta(seconds=5)
    """Codat is still working on this very key; its own requests time out within seconds."""
    poll_first: timedelta = timedelta(seconds=5)
    """First look at a pending push operation: its webhook usually comes sooner."""
    poll_longest: timedelta = timedelta(minutes=10)
    """Longest wait between two looks; an on-premise platform may keep a push pending for days, the quota is daily."""
    pending_patience: timedelta = timedelta(minutes=30)
    """Age from which a push operation that Codat has not finished is shown, and may be given up by a person who has
    looked: most end within seconds, but nothing says that one must ever end."""
    feed_busy: timedelta = timedelta(seconds=2)
    """Another loan's line on the same statement is in flight: about one push operation's time."""
    feed_patience: timedelta = timedelta(minutes=1)
    """Age from which a line in flight is said to hold up the others: most push operations end much sooner."""
    look_first: timedelta = timedelta(seconds=10)
    """Quiet time before looking for what an ambiguous request wrote, and the first wait between two looks."""
    look_longest: timedelta = timedelta(hours=4)
    """Longest wait between two looks for a write that may still come; a webhook shortens it. A look takes eight
    requests of a daily quota: the seventeen of the day in which a write may be late stay below 150."""
    late_write: timedelta = timedelta(hours=24)
    """How long after ``TimedOut`` a platform may still apply the write: an office computer is on again next day."""
    sync_poll: timedelta = timedelta(seconds=5)
    """How often a requested sync is asked after; small books are read within seconds."""
    clocks_differ: timedelta = timedelta(minutes=10)
    """How far Codat's clock and ours may differ when the push history is searched from the time of sending."""
    sync_patience: timedelta = timedelta(minutes=10)
    """A requested sync that has not finished by now is requested again."""
    connection_fresh: timedelta = timedelta(minutes=5)
    """How long a connection's status and lock date are believed; webhooks tell most changes sooner."""
    connection_recheck: timedelta = timedelta(minutes=15)
    """How often a disconnected connection is looked at in case its webhook was lost."""
    codat_recheck: timedelta = timedelta(minutes=5)
    """How often a refused credential or an exhausted account is tried again."""
    refusal_retry: timedelta = timedelta(seconds=30)
    """First wait before a refusal called temporary by the platform is tried with a new key; it doubles."""
    read_retry: timedelta = timedelta(seconds=10)
    """First wait after a read that Codat could not answer; ``codat_recheck`` is the longest."""
    shown_after: timedelta = timedelta(minutes=2)
    """A wait that should be over in seconds is shown with its reason once it has lasted this long."""

    def compressed(self, divisor: int) -> Timings:
        """The same waits, ``divisor`` times shorter. Raises :class:`ValueError` below one."""
        if divisor < 1:
            raise ValueError("a time scale is a whole number, one or more")
        return Timings(**{field.name: getattr(self, field.name) / divisor for field in fields(self)})


def growing(age: timedelta, *, first: timedelta, longest: timedelta) -> timedelta:
    """Wait as long again as has been waited already, within bounds: doubling that needs no counter."""
    return min(max(age, first), longest)
