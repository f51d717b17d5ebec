"""A worker process whose jobs never end by themselves: run as a program, it is there to be killed or frozen.

It prints one line for every job it begins. A line on its standard input makes it try to finish them all in a
transaction of its own, print how many it was allowed to finish, and leave.
"""

from __future__ import annotations

import asyncio
import os
import sys

from worker.database import Database
from worker.jobs import store
from worker.jobs.hints import Hints
from worker.jobs.job import Claim, Outcome, Registration
from worker.jobs.runner import Runner


async def main(url: str, kind: str) -> None:
    """Hold every job of the kind that can be claimed."""
    claims: list[Claim] = []

    async def hold(claim: Claim) -> list[Outcome]:
        claims.append(claim)
        say(f"begun {claim.jobs[0].id}")
        await asyncio.Event().wait()
        return []

    async with Database.open(url, application_name="hanging worker") as database:
        runner = Runner(database, [Registration(kind, hold, concurrency=100)], Hints(database))
        async with asyncio.TaskGroup() as group:
            group.create_task(runner.run(asyncio.Event()))
            await asyncio.to_thread(sys.stdin.readline)
            async with database.transaction() as connection:
                finished = [await store.finish_jobs(connection, c.worker_id, [c.jobs[0].id]) for c in claims]
            say(f"finished {sum(map(len, finished))}")
            os._exit(0)


def say(line: str) -> None:
    """One line to whoever started this process, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
