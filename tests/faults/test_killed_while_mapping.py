"""``kill -9`` at every boundary of taking a mapping and of creating what it asks for, each kind of step in turn.

Every process that dies has a company of its own to map, whose books must end with one of each thing asked for.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.faults.applicants import CREATIONS, LENDER_KINDS, Applicants, assert_created_once
from tests.faults.cradle import Cradle
from tests.faults.killed import CONFIGURING
from tests.faults.places import Telling, after_a_death_at_each, file_of, places_of, subject_of
from tests.flow.stack import Stack


async def find_tellings(cradle: Cradle, applicants: Applicants, directory: Path) -> dict[str, Telling]:
    """Every place that mapping a company leads through, and how to lead a process there."""
    tellings: dict[str, Telling] = {}
    for platform in LENDER_KINDS:
        tell = partial(applicants.ask, platform)
        for place in await places_of(cradle, applicants.stack, tell, directory / f"{platform}.places"):
            if file_of(place) in CONFIGURING or subject_of(place) in CREATIONS:
                tellings.setdefault(place, tell)
    assert {subject_of(place) for place in tellings} >= CREATIONS
    assert {file_of(place) for place in tellings} >= set(CONFIGURING)
    return tellings


@pytest.mark.timeout(900)
async def test_a_process_killed_while_a_mapping_is_created_creates_each_part_once(
    hurried: Stack, tmp_path: Path
) -> None:
    applicants = Applicants.of(hurried)
    async with after_a_death_at_each(hurried, lambda cradle: find_tellings(cradle, applicants, tmp_path)):
        await assert_created_once(applicants)
