"""What ``/v1`` refuses: no token, names of nothing, and parameters that make no sense, each named."""

from __future__ import annotations

import pytest

from tests.operations.conftest import Api

READS = ["/v1/events", "/v1/loans", "/v1/sagas", "/v1/jobs", "/v1/dead-letters", "/v1/ledger/trial-balance"]


@pytest.mark.parametrize("path", READS)
async def test_nothing_is_shown_without_the_token(api: Api, path: str) -> None:
    status, problem = await api.call("GET", path, token="another")

    assert (status, problem["code"]) == (401, "unauthenticated")
    assert (await api.call("GET", path))[0] == 200


@pytest.mark.parametrize(
    "path", ["/v1/events/x/replay", "/v1/jobs/1/retry", "/v1/jobs/1/bury", "/v1/dead-letters/1/replay"]
)
async def test_nothing_is_decided_without_the_token(api: Api, path: str) -> None:
    assert (await api.call("POST", path, {"reason": "enough"}, token="another"))[0] == 401
    assert (await api.call("POST", path, {"reason": "enough"}))[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/v1/events/nobody",
        "/v1/events/%00",
        "/v1/events/a%2Fb",
        "/v1/loans/nobody",
        "/v1/loans/%F0%9F%92%B6",
        "/v1/sagas/0",
        "/v1/sagas/x",
        "/v1/sagas/-1",
        "/v1/sagas/%D9%A1",
        "/v1/jobs/99999999999999999999999",
        "/v1/dead-letters/7",
    ],
)
async def test_what_does_not_exist_is_not_found(api: Api, path: str) -> None:
    status, problem = await api.call("GET", path)

    assert (status, problem["code"]) == (404, "not_found")
    assert problem["detail"].startswith("there is no ")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/events?limit=0", "limit"),
        ("/v1/events?limit=201", "limit"),
        ("/v1/sagas?limit=ten", "limit"),
        ("/v1/sagas?after=LN-1", "after"),
        ("/v1/jobs?after=99999999999999999999999", "after"),
        ("/v1/events?state=lost", "state"),
        ("/v1/events?loan_id=", "loan_id"),
        ("/v1/events?loan_id=%00", "loan_id"),
        ("/v1/events?loan=L1", "loan"),
        ("/v1/events?loan_id=L1&loan_id=L2", "loan_id"),
        ("/v1/sagas?waiting_for=godot", "waiting_for"),
        ("/v1/jobs?state=3", "state"),
        ("/v1/ledger/trial-balance?as_of=2026-02-30", "as_of"),
        ("/v1/ledger/trial-balance?as_of=20260228", "as_of"),
        ("/v1/ledger/trial-balance?as_of=9999-12-31", "as_of"),
        ("/v1/ledger/trial-balance?loan_id=L1&investor_id=I1", "investor_id"),
        ("/v1/ledger/loans/L1/statement?from=2026-01-01", "to"),
        ("/v1/ledger/accounts/cash/statement?from=2026-01-01", "to"),
        ("/v1/ledger/accounts/cash/statement?to=2026-01-01", "from"),
        ("/v1/ledger/accounts/cash/statement?from=2026-01-02&to=2026-01-01", "to"),
    ],
)
async def test_a_parameter_that_makes_no_sense_is_named(api: Api, path: str, field: str) -> None:
    status, problem = await api.call("GET", path)

    assert (status, problem["errors"][0]["field"]) == (400, field)
