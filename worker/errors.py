"""Everything that can go wrong, split by what the one who meets it must do.

::

    WritebackError
    ├── UsageError              the operator: fix the command line or the configuration, then start again
    ├── Unavailable             wait: the database or a foreign system is away; nothing was lost
    │   ├── DatabaseUnavailable
    │   └── CredentialsRefused  the operator: another system does not accept this program's credentials
    ├── Rejected                the caller: the request is wrong and names its field and fix
    └── Bug                     us: a state that must not exist was met; stop rather than guess
"""

from __future__ import annotations


class WritebackError(Exception):
    """Root of every error this program raises on purpose."""


class UsageError(WritebackError):
    """A command or a configuration value is missing or malformed; the message names it and the fix."""


class Unavailable(WritebackError):
    """A system this program depends on cannot be reached now; trying again later is right."""


class DatabaseUnavailable(Unavailable):
    """PostgreSQL cannot be reached, is starting up or is shutting down."""


class CredentialsRefused(Unavailable):
    """Another system turns this program away, and will until its configuration is corrected; the message says which."""


class Rejected(WritebackError):
    """A request that can never succeed as sent. ``status`` is HTTP's, ``field`` a dotted path into the body."""

    def __init__(self, status: int, detail: str, *, field: str | None = None, code: str = "invalid_request") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field
        self.code = code


class Bug(WritebackError):
    """An invariant of this program does not hold. Nothing is written; a person has to look."""


def unforeseen(error: BaseException, event: str) -> str:
    """What a person is told of an error nobody foresaw: what it says, and which ``event`` of the log has all of it."""
    words = str(error).strip()
    return f"an unforeseen error, see {event} in the log{words and f': {words}'}"
