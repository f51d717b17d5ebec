"""A key protects a request for ninety minutes: one that waited longer on its way out must not leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from tests.writeback.station import Station
from worker.codat.client import CodatClient
from worker.codat.gate import Gate
from worker.writeback.connections import read_connection
from worker.writeback.movement import Drawdown
from worker.writeback.saga import SagaHandler


class Doorway(Gate):
    """A gate behind which a process can be held up, as by SIGSTOP or a suspended machine."""

    closed = False

    @asynccontextmanager
    async def admit(self, company_id: UUID) -> AsyncIterator[timedelta | None]:
        async with super().admit(company_id) as wait:
            if self.closed:
                self.reached.set()
                await self.goes_on.wait()
            yield wait

    def close_doorway(self) -> None:
        self.closed, self.reached, self.goes_on = True, asyncio.Event(), asyncio.Event()


async def test_a_process_that_wakes_up_with_an_old_key_sends_nothing(station: Station) -> None:
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.turns(saga, "planned")
    async with Doorway.open(station.database) as gate:
        assert isinstance(gate, Doorway)
        desk = replace(station.desk, codat=CodatClient(station.session, station.url, "key", gate))
        await read_connection(desk, station.company_id, station.connection_id)  # so that the next request is the write
        gate.close_doorway()
        turn = asyncio.create_task(SagaHandler(desk).run_once(saga))
        async with asyncio.timeout(20):
            await gate.reached.wait()
        assert (await station.steps(saga))[0]["state"] == "sending"
        await station.finish(saga)
        await station.advance_clocks(timedelta(minutes=95))

        gate.goes_on.set()
        await turn

    await station.advance_clocks(timedelta(minutes=5))
    assert len(await station.records("transfers")) == 1
