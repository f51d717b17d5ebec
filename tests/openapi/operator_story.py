"""Loans in every trouble a person may meet, told through every operation outside ``/api``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.flow.borrower import Borrower
from tests.flow.stack import eventually
from tests.openapi.teller import Teller
from worker.jobs.job import NewJob, lane
from worker.jobs.store import enqueue_jobs

DAY = "2026-03-02"
PERIOD = "?from=2026-01-01&to=2026-12-31"


@dataclass
class OperatorStory:
    """A mapped borrower with a loan, and another whose books are not mapped."""

    teller: Teller
    mapped: Borrower
    unmapped: Borrower

    async def tell(self) -> None:
        """Tell it all."""
        for path in ("/livez", "/readyz", "/healthz", "/metrics", "/openapi.json"):
            await self.teller.tell("GET", path)
        await self._codat()
        await self._capital()
        await self._mapping()
        await self._unfinished_push()
        await self._refused_and_held()
        await self._unmapped()
        await self._given_up()
        await self._reports()

    async def send(self, webhook_id: str, kind: str, borrower: Borrower | None = None, **data: Any) -> None:
        """Tell a loan event."""
        body = self.event(kind, borrower, **data)
        await self.teller.tell("POST", "/webhooks/loans", body, webhook_id=webhook_id)

    def event(self, kind: str, borrower: Borrower | None = None, **data: Any) -> dict[str, Any]:
        """The body of a loan event."""
        about = {"currency": "GBP", "effective_date": DAY, **({"loan_id": borrower.loan_id} if borrower else {})}
        return {"type": kind, "timestamp": f"{DAY}T09:00:00Z", "data": {**about, **data}}

    async def decide(self, path: str, body: object = None, **ids: Any) -> Any:
        """Tell what a person decides."""
        return await self.teller.tell("POST", path, body, **ids)

    async def until(self, path: str, state: str, **ids: Any) -> None:
        """Look at one thing until it is in a state."""

        async def is_there() -> bool:
            return bool((await self.teller.tell("GET", path, **ids))["state"] == state)

        await eventually(is_there)

    async def _codat(self) -> None:
        body = {"id": "evt-1", "eventType": "company.updated", "payload": {}}
        for _ in range(2):
            await self.teller.tell("POST", "/webhooks/codat", body, webhook_id="codat-1")

    async def _capital(self) -> None:
        await self.send("capital", "capital.contributed", investor_id="I-1", amount="5000.00")
        await self.until("/v1/events/{webhook_id}", "applied", webhook_id="capital")
        await self.teller.tell("GET", "/v1/events")

    async def _refused_and_held(self) -> None:
        path = "/v1/events/{webhook_id}"
        await self.send("refused", "loan.disbursed", self.mapped, drawdown_id="D-1", amount="500.00")
        await self.until(path, "refused", webhook_id="refused")
        await self.decide(f"{path}/replay", webhook_id="refused")
        await self.until(path, "refused", webhook_id="refused")
        right = self.event("loan.disbursed", self.mapped, drawdown_id="D-2", amount="500.00")
        for _ in range(2):
            await self.decide(f"{path}/correct", right, webhook_id="refused")
        await self.send("held", "loan.closed", self.unmapped)
        await self.until(path, "held", webhook_id="held")
        await self.decide(f"{path}/bury", {"reason": "it was sent by mistake"}, webhook_id="held")
        letters = await self.teller.tell("GET", "/v1/dead-letters")
        letter = {"dead_letter_id": letters["data"][0]["dead_letter_id"]}
        await self.teller.tell("GET", "/v1/dead-letters/{dead_letter_id}", **letter)
        await self.decide("/v1/dead-letters/{dead_letter_id}/replay", **letter)

    async def _mapping(self) -> None:
        company = self.mapped.company
        place = {"company_id": company["id"], "connection_id": company["connectionId"]}
        path = "/v1/companies/{company_id}/connections/{connection_id}/mapping"
        await self.mapped.map()
        mapping = await self.teller.tell("GET", path, **place)
        wanted = {**mapping["requested"], "expense_account": {"create": {"name": "Costs", "nominal_code": "4291"}}}
        await self.teller.tell("PUT", path, wanted, **place)
        await self.until(path, "ready", **place)

    async def _unfinished_push(self) -> None:
        await self.mapped.stack.control("faults", [{"kind": "push_stays_pending", "times": 1}])
        await self._draw("mapped", self.mapped)
        saga = await self._saga(self.mapped)

        async def is_pending() -> bool:
            steps = (await self.teller.tell("GET", "/v1/sagas/{saga_id}", saga_id=saga))["steps"]
            return bool(steps and steps[0]["state"] == "pending")

        await eventually(is_pending)
        await self.decide("/v1/sagas/{saga_id}/adopt", {"record_id": "found-by-hand"}, saga_id=saga)

    async def _unmapped(self) -> None:
        await self._draw("unmapped", self.unmapped)
        saga = await self._saga(self.unmapped)
        await self.until("/v1/sagas/{saga_id}", "waiting", saga_id=saga)
        jobs = await self.teller.tell("GET", "/v1/jobs", query="?state=parked")
        job = {"job_id": next(job["job_id"] for job in jobs["data"] if job["saga_id"] == saga)}
        await self.teller.tell("GET", "/v1/jobs/{job_id}", **job)
        await self.decide("/v1/jobs/{job_id}/retry", **job)
        await self.until("/v1/sagas/{saga_id}", "waiting", saga_id=saga)
        await self.decide("/v1/sagas/{saga_id}/retry", saga_id=saga)
        await self.until("/v1/sagas/{saga_id}", "waiting", saga_id=saga)
        await self.decide("/v1/sagas/{saga_id}/bury", {"reason": "the loan was called off"}, saga_id=saga)

    async def _given_up(self) -> None:
        async with self.mapped.stack.connection() as connection:
            (job_id,) = await enqueue_jobs(connection, [NewJob("nobody's", lane("test", "1"), 1)])
        await self.decide("/v1/jobs/{job_id}/bury", {"reason": "nobody does it"}, job_id=job_id)

    async def _reports(self) -> None:
        await self.teller.tell("GET", "/v1/loans")
        await self.teller.tell("GET", "/v1/loans/{loan_id}", loan_id=self.mapped.loan_id)
        trial = await self.teller.tell("GET", "/v1/ledger/trial-balance", query="?as_of=2026-12-31")
        place = "/v1/ledger/"
        account = trial["accounts"][0]["external_id"]
        await self.teller.tell("GET", f"{place}accounts/{{external_id}}/statement", query=PERIOD, external_id=account)
        loan = self.mapped.loan_id
        await self.teller.tell("GET", f"{place}loans/{{loan_id}}/statement", query=PERIOD, loan_id=loan)
        await self.teller.tell("GET", f"{place}investors/{{investor_id}}/statement", query=PERIOD, investor_id="I-1")

    async def _draw(self, name: str, borrower: Borrower) -> None:
        company = borrower.company
        places = {"company_id": company["id"], "connection_id": company["connectionId"]}
        terms = {"borrower_id": "B-1", "interest_recognition": "accrual", "investors": []}
        await self.send(f"{name}-agreed", "loan.created", borrower, **places, **terms)
        await self.send(f"{name}-drawn", "loan.disbursed", borrower, drawdown_id="D-1", amount=400, fee="1.50")

    async def _saga(self, borrower: Borrower) -> int:
        found: list[int] = []

        async def is_there() -> bool:
            sagas = await self.teller.tell("GET", "/v1/sagas", query=f"?loan_id={borrower.loan_id}")
            found[:] = [saga["saga_id"] for saga in sagas["data"]]
            return bool(found)

        await eventually(is_there)
        return found[0]
