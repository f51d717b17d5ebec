"""The ``writeback`` command: one subcommand per thing an engineer or a finance person does.

Exit codes: 0 done, 1 failed or drift, 2 usage, 5 unavailable. An error is one clear sentence on standard error.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from worker.commands import COMMANDS
from worker.commands.output import NobodyReadsError
from worker.errors import Unavailable, UsageError, WritebackError

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNAVAILABLE: Final = 5
EXIT_PIPE: Final = 141
"""What a shell makes of a program that wrote where nobody reads any more, as in ``writeback events list | head``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="writeback", description="Two sets of books, right at once.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(subparsers)
    arguments = parser.parse_args(argv)
    try:
        code = int(arguments.run(arguments))
        sys.stdout.flush()
    except UsageError as error:
        print(f"writeback: {error}", file=sys.stderr)
        return EXIT_USAGE
    except Unavailable as error:
        print(f"writeback: {error}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    except WritebackError as error:
        print(f"writeback: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return 130
    except (BrokenPipeError, NobodyReadsError):
        # The interpreter flushes once more when it ends, and must find somebody who listens.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE
    return code


if __name__ == "__main__":
    sys.exit(main())
