"""Names of requests in the metrics."""

from __future__ import annotations

import pytest

from tests.codat.conftest import C, P
from worker.codat.operation import operation_name


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", f"{P}/push/transfers", "POST push/transfers"),
        ("POST", f"{P}/push/bankAccounts/northgate-gbol/bankTransactions", "POST push/bankTransactions"),
        ("GET", f"{C}/push/6b0f0a3e-51cf-5d0b-9d2a-3f6f0f3c7a11", "GET push"),
        ("GET", f"{C}/data/suppliers", "GET data/suppliers"),
        ("POST", f"{C}/data/queue/transfers", "POST data/transfers"),
        ("POST", f"{P}/bankFeedAccounts/mapping", "POST bankFeedAccounts/mapping"),
        ("GET", P, "GET connections"),
        ("GET", C, "GET companies"),
    ],
)
def test_a_request_is_named_without_any_id(method: str, path: str, name: str) -> None:
    assert operation_name(method, path) == name
