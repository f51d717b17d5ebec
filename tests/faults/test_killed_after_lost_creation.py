"""``kill -9`` at every boundary of finding out what became of a creation whose answer was lost, for each kind of it."""

from __future__ import annotations

from functools import partial
from itertools import product
from pathlib import Path

import pytest

from tests.faults.applicants import BANK_FEED, CREATIONS, Applicants, assert_created_once
from tests.faults.cradle import Cradle
from tests.faults.killed import LOOKING
from tests.faults.places import Telling, after_a_death_at_each, file_of, places_of, subject_of
from tests.flow.stack import Stack
from worker.writeback.plan import StepKind

WAYS_OF_CREATION = {
    StepKind.CREATE_SUPPLIER: ("Xero", "*/push/suppliers"),
    StepKind.CREATE_ACCOUNT: ("Xero", "*/push/accounts"),
    StepKind.CREATE_BANK_ACCOUNT: ("Sandbox", "*/push/bankAccounts"),
    StepKind.CREATE_SOURCE_ACCOUNT: ("Xero", "*/bankFeedAccounts"),
    StepKind.MAP_SOURCE_ACCOUNT: ("Xero", "*/mapping"),
}
"""On which platform, and where, each kind of creation is sent."""

LOSSES = ("status_after", "status_before")
"""How its answer is lost: after it was carried out, or before."""


async def find_tellings(cradle: Cradle, applicants: Applicants, directory: Path) -> dict[str, Telling]:
    """Every place that looking for a lost creation leads through, and how to lead a process there."""
    tellings: dict[str, Telling] = {}
    for (kind, (platform, path)), loss in product(WAYS_OF_CREATION.items(), LOSSES):
        tell = partial(applicants.ask, platform, {"kind": loss, "match": {"path": path}, "status": 502})
        for place in await places_of(cradle, applicants.stack, tell, directory / f"{kind}-{loss}.places"):
            if file_of(place) in LOOKING and subject_of(place) == kind:
                tellings.setdefault(place, tell)
    assert {subject_of(place) for place in tellings} >= CREATIONS - BANK_FEED
    return tellings


@pytest.mark.timeout(900)
async def test_a_process_killed_while_it_looks_for_a_lost_creation_creates_each_part_once(
    hurried: Stack, tmp_path: Path
) -> None:
    applicants = Applicants.of(hurried)
    async with after_a_death_at_each(hurried, lambda cradle: find_tellings(cradle, applicants, tmp_path)):
        await assert_created_once(applicants)
