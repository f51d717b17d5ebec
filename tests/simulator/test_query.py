"""Codat's query language, ordering and paging."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.client import Open
from worker.simulator.query import QueryError, compile_query, sort_records

RECORDS = [
    {"id": "1", "status": "Paid", "totalAmount": Decimal("150.00"), "date": "2026-01-05T00:00:00Z", "to": {"id": "A"}},
    {"id": "2", "status": "Open", "totalAmount": Decimal("20.5"), "date": "2026-02-05T00:00:00Z", "to": {"id": "B"}},
    {"id": "3", "status": "Open", "totalAmount": 75, "date": "2026-03-05T00:00:00Z", "metadata": {"isDeleted": True}},
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "123"),
        ("status=paid", "1"),
        ("status!=Paid", "23"),
        ("status ~ pE", "23"),
        ("totalAmount>75", "1"),
        ("totalAmount>=75", "13"),
        ("totalAmount=75.00", "3"),
        ("to.id=b", "2"),
        ("metadata.isDeleted!=true", "12"),
        ("date>=2026-02-05", "23"),
        ("date<2026-02-05T00:00:01Z&&date>2026-01-05", "2"),
        ("{totalAmount>100||totalAmount<50}&&status!=paid", "2"),
        ("totalAmount>100||totalAmount<50&&status=paid", "1"),
        ("missing=1", ""),
        ("missing!=1", "123"),
    ],
)
def test_a_query_finds_what_it_describes(query: str, found: str) -> None:
    matches = compile_query(query)
    assert "".join(str(record["id"]) for record in RECORDS if matches(record)) == found


@pytest.mark.parametrize("query", ["status", "{status=paid", "status=paid}", "&&", "a=1&&", "a=1||||b=2", "x" * 2049])
def test_a_query_that_cannot_be_read_is_refused(query: str) -> None:
    with pytest.raises(QueryError):
        compile_query(query)


def test_text_cannot_be_compared_by_size() -> None:
    with pytest.raises(QueryError, match="by size"):
        compile_query("status>Open")(RECORDS[0])


@given(st.text(alphabet="ab=!~<>&|{} .1", max_size=40))
def test_any_text_is_a_query_or_refused_as_one(text: str) -> None:
    with suppress(QueryError):
        matches = compile_query(text)
        assert all(matches(record) in {True, False} for record in RECORDS)


def test_records_are_ordered_by_a_field_either_way() -> None:
    assert [r["id"] for r in sort_records(RECORDS, "totalAmount")] == ["2", "3", "1"]
    assert [r["id"] for r in sort_records(RECORDS, "-date")] == ["3", "2", "1"]


async def test_a_page_says_where_its_neighbours_are(open_company: Open) -> None:
    client = await open_company()
    page = await client.get(f"{client.base}/data/accounts?page=2&pageSize=2&orderBy=name")
    assert (page["pageNumber"], page["pageSize"], page["totalResults"], len(page["results"])) == (2, 2, 6, 2)
    assert page["_links"]["previous"]["href"] == f"{client.base}/data/accounts?page=1&pageSize=2&orderBy=name"
    following = await client.get(page["_links"]["next"]["href"])
    assert "next" not in following["_links"]
    names = [a["name"] for a in (await client.get(f"{client.base}/data/accounts?orderBy=name"))["results"]]
    assert [a["name"] for a in page["results"] + following["results"]] == names[2:]


async def test_companies_are_found_by_tag(open_company: Open) -> None:
    client = await open_company("Xero")
    found = await client.get("/companies?tags=platform%3Dgbol")
    assert [company["id"] for company in found["results"]] == [client.company["id"]]
    assert (await client.call("GET", "/companies?tags=platform")).status == 400


@pytest.mark.parametrize("bad", ["pageSize=5001", "page=0", "pageSize=x", "query=%7B", "page=-1"])
async def test_a_page_that_cannot_exist_is_refused(bad: str, open_company: Open) -> None:
    client = await open_company()
    assert (await client.call("GET", f"{client.base}/data/accounts?{bad}")).status == 400
