"""What strangers and foreign systems say must not get into the logs either."""

from __future__ import annotations

import base64

import pytest

from tests.faults.discretion import PERSONAL, SECRETS, assert_discreet
from tests.faults.story import Story, map_every_company
from tests.flow.stack import API_TOKEN, CODAT_API_KEY, LOAN_SECRET, Stack, eventually

NAMES = " and ".join(PERSONAL.values())


async def test_logs_stay_silent_about_what_is_refused(bare: Stack) -> None:
    async with bare.replica(bare.port, LOG_LEVEL="DEBUG"):
        (borrower, *_) = await map_every_company(bare)
        refused = [
            *[await bare.answer(f"msg-bad-{n}", body) for n, body in enumerate(malformed(), 1)],
            await posted(bare, "/webhooks/loans", {"webhook-signature": f"v1,{base64.b64encode(b'x' * 32).decode()}"}),
            await posted(bare, "/webhooks/codat", {"Authorization": LOAN_SECRET}),
            await posted(bare, f"/v1/companies/{API_TOKEN}/connections/x/mapping", {"Authorization": CODAT_API_KEY}),
            await posted(bare, borrower.path, {"Authorization": f"Bearer {API_TOKEN}"}, method="PUT"),
        ]

        assert all(400 <= status < 500 for status, _ in refused)
        assert await bare.fetch("select from event_outcomes") == []


async def test_logs_stay_silent_about_what_accounting_software_says(bare: Stack) -> None:
    async with bare.replica(bare.port, LOG_LEVEL="DEBUG"):
        borrowers = await map_every_company(bare)
        words = f"{NAMES} may not be paid: {CODAT_API_KEY}"
        fault = {"kind": "push_fails", "message": words, "match": {"dataType": "transfers"}, "times": len(borrowers)}
        await bare.control("faults", [fault])
        for borrower in borrowers:
            await Story.about(borrower).tell(bare)

        async def all_wait() -> bool:
            rows = await bare.fetch("select reason from sagas where state = 'waiting'")
            return [words in row["reason"] for row in rows] == [True] * len(borrowers)

        await eventually(all_wait)


@pytest.mark.parametrize("words", [*SECRETS.values(), *PERSONAL.values()])
def test_a_log_that_tells_would_be_noticed(tmp_path_factory: pytest.TempPathFactory, words: str) -> None:
    directory = tmp_path_factory.mktemp("logs")
    (directory / "service-1.log").write_text(f'{{"event": "saying {words}"}}', encoding="utf-8")

    with pytest.raises(AssertionError, match=r"service-1\.log tells"):
        assert_discreet(directory)


def malformed() -> list[dict[str, object]]:
    """Events that cannot be understood, full of what must not be repeated."""
    return [
        {"type": NAMES, "timestamp": "2026-10-05T09:00:00Z", "data": {}},
        {"type": "loan.created", "timestamp": CODAT_API_KEY, "data": {"borrower_id": NAMES}},
        {"type": "loan.created", "timestamp": "2026-10-05T09:00:00Z", "data": {"loan_id": f"{NAMES}\n"}},
    ]


async def posted(stack: Stack, path: str, headers: dict[str, str], *, method: str = "POST") -> tuple[int, object]:
    """The status of one request of a stranger's, whose body tells names."""
    body = {"supplier": {"id": NAMES}, "type": NAMES}
    async with stack.session.request(method, f"{stack.service_url}{path}", json=body, headers=headers) as response:
        return response.status, await response.read()
