"""What a handler reads is noted, whatever it asks by; one that acts before it has read all is a fault."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from worker.api.body import Body
from worker.api.call import Answer, Call, answer
from worker.api.query import Query
from worker.api.shapes import Ping
from worker.errors import Bug
from worker.openapi import rehearsal
from worker.openapi.rehearsal import TIME, rehearse


@pytest.mark.parametrize(
    ("reader", "noting", "reading_by_others"),
    [(Body, rehearsal._Body, {"path", "change", "metadata"}), (Query, rehearsal._Query, {"effective"})],
)
def test_every_reader_is_noted(reader: type, noting: type, reading_by_others: set[str]) -> None:
    readers = {name for name, _ in inspect.getmembers(reader, inspect.isfunction) if not name.startswith("_")}
    assert readers - reading_by_others == {name for name in vars(noting) if not name.startswith("_")}


async def greet(call: Call) -> Answer[Ping]:
    body = call.body
    body.required_text("name", 40)
    body.moment("at")
    for guest in body.objects("guests", 3) or []:
        guest.required_uuid("id")
        guest.finish()
    body.finish()
    return answer({"ping": "pong"})


def test_what_is_read_is_noted_with_its_limits() -> None:
    guest = {
        "type": "object",
        "properties": {"id": {"type": "string", "format": "uuid"}},
        "required": ["id"],
        "additionalProperties": False,
    }
    assert rehearse(greet).body == {
        "type": "object",
        "properties": {
            "name": {"type": "string", "pattern": r"\S", "maxLength": 40},
            "at": {**TIME, "type": ["string", "null"]},
            "guests": {"type": ["array", "null"], "items": guest, "maxItems": 3},
        },
        "required": ["name"],
        "additionalProperties": False,
    }


def test_a_handler_that_acts_before_it_has_read_all_is_a_fault() -> None:
    async def impatient(call: Call) -> Answer[Ping]:
        await asyncio.sleep(0)
        return await greet(call)

    async def careless(call: Call) -> Answer[Ping]:
        return answer({"ping": "pong"})

    for handler in (impatient, careless):
        with pytest.raises(Bug, match="before its request was read"):
            rehearse(handler)
