"""The service around the endpoints: keys, limits, syncs, connections, controls and determinism."""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import signal
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from tests.simulator.client import Client, Open
from worker.errors import UsageError
from worker.simulator.command import add_arguments, options_from
from worker.simulator.settings import SimulatorOptions


@pytest.fixture
async def client(open_company: Open) -> Client:
    return await open_company()


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic ====", "Bearer a2V5", "Basic " + base64.b64encode(b"").decode()]
)
async def test_a_call_without_an_api_key_is_refused(header: str, client: Client) -> None:
    reply = await client.call("GET", "/companies", Authorization=header)
    assert (reply.status, reply.json["statusCode"]) == (401, 401)


async def test_one_api_key_is_accepted_when_one_is_given(open_company: Open) -> None:
    client = await open_company(api_key="key")
    assert (await client.call("GET", "/companies")).status == 200
    other = "Basic " + base64.b64encode(b"another").decode()
    assert (await client.call("GET", "/companies", Authorization=other)).status == 401


async def test_an_unknown_path_and_a_wrong_method_are_answered_in_codat_s_words(client: Client) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("POST", f"{client.base}/push", 405)):
        reply = await client.call(method, path)
        assert (reply.status, reply.json["service"]) == (status, "PublicApi")


async def test_every_response_shows_the_quota_and_a_used_up_one_is_refused_until_midnight(open_company: Open) -> None:
    client = await open_company(daily_quota=2)
    replies = [await client.call("GET", "/companies") for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert [reply.headers["X-Rate-Limit-Remaining"] for reply in replies] == ["1", "0", "0"]
    assert replies[2].headers["X-Rate-Limit-Reset"] == "2026-03-03T00:00:00.000Z"
    await client.advance(int(replies[2].headers["Retry-After"]) + 1)
    assert (await client.call("GET", "/companies")).status == 200


async def test_the_quota_grows_with_connected_companies(client: Client) -> None:
    assert (await client.call("GET", "/companies")).headers["X-Rate-Limit-Limit"] == "8000"
    await client.call("PATCH", client.connection, {"status": "Unlinked"})
    assert (await client.call("GET", "/companies")).headers["X-Rate-Limit-Limit"] == "7000"


async def test_an_address_is_slowed_down_for_the_rest_of_its_minute(open_company: Open) -> None:
    client = await open_company(requests_per_minute=3)
    replies = [await client.call("GET", "/companies") for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429]
    await client.advance(int(replies[3].headers["Retry-After"]))
    assert (await client.call("GET", "/companies")).status == 200


async def test_ten_requests_of_one_company_may_be_in_flight(client: Client) -> None:
    await client.arrange({"kind": "delay", "seconds": "0.3", "times": 12, "match": {"path": client.base}})
    replies = await asyncio.gather(*(client.call("GET", client.base) for _ in range(12)))
    assert sorted(reply.status for reply in replies) == [200] * 10 + [429] * 2


async def test_a_written_record_is_read_only_after_a_sync(client: Client) -> None:
    path = f"{client.connection}/push/transfers?allowSyncOnPushComplete=false"
    operation = await client.push(path, client.transfer("10"))
    record = f"{client.connection}/data/transfers/{operation['changes'][0]['recordRef']['id']}"
    assert (await client.call("GET", record)).status == 404
    reply = await client.call("POST", f"{client.base}/data/queue/transfers")
    assert (reply.status, reply.json["status"]) == (200, "Queued")
    again = await client.call("POST", f"{client.base}/data/queue/transfers")
    assert (again.status, b"DatasetAlreadyInProgressException" in again.body) == (400, True)
    assert (await client.get(f"{client.base}/dataStatus"))["transfers"]["currentStatus"] == "Fetching"
    await client.advance(10)
    assert (await client.call("GET", record)).status == 200
    assert (await client.get(f"{client.base}/dataStatus"))["transfers"]["currentStatus"] == "Complete"


async def test_the_balance_of_an_account_is_that_of_its_last_sync(client: Client) -> None:
    account = f"{client.base}/data/accounts/{client.company['lenderAccountId']}"
    await client.push(f"{client.connection}/push/transfers", client.transfer("10"))
    assert (await client.get(account))["currentBalance"] == 0
    await client.call("POST", f"{client.base}/data/all")
    await client.advance(10)
    assert (await client.get(account))["currentBalance"] == -10


async def test_a_borrower_may_delete_a_record_by_hand(client: Client) -> None:
    operation = await client.push(f"{client.connection}/push/transfers", client.transfer("10"))
    record_id = operation["changes"][0]["recordRef"]["id"]
    control = f"/_simulator/records/{client.company['id']}/transfers/{record_id}"
    assert (await client.call("DELETE", control)).status == 204
    assert await client.balance("lenderAccountId") == "0.00"
    assert (await client.get(f"{client.connection}/data/transfers?query=metadata.isDeleted!=true"))["totalResults"] == 0


async def test_the_same_seed_is_the_same_world_with_the_same_ids(open_company: Open) -> None:
    stories = []
    for seed in (1, 1, 2):
        client = await open_company(seed=seed)
        operation = await client.push(f"{client.connection}/push/transfers", client.transfer("10"))
        stories.append(
            (client.company, operation["pushOperationKey"], operation["changes"], operation["completedOnUtc"][:18])
        )
    assert stories[0] == stories[1]
    assert stories[0][1] != stories[2][1]
    assert stories[0][0]["id"] != stories[2][0]["id"]


async def test_companies_of_another_seed_join_those_there_are(client: Client) -> None:
    before = (await client.get("/_simulator/world"))["companies"]
    joined = (await client.call("POST", "/_simulator/companies", {"seed": 77})).json["companies"]
    assert [one["name"] for one in joined] == [one["name"] for one in before]
    assert (await client.get("/_simulator/world"))["companies"] == before + joined
    assert (await client.call("POST", "/_simulator/companies", {"seed": 77})).json["companies"] == []
    assert (await client.call("POST", "/_simulator/companies", {})).status == 400
    newcomer = f"/companies/{joined[0]['id']}/connections/{joined[0]['connectionId']}"
    assert (await client.get(f"{newcomer}/data/transfers"))["totalResults"] == 0


async def test_a_reset_starts_over(client: Client) -> None:
    await client.push(f"{client.connection}/push/transfers", client.transfer("10"))
    before = await client.get("/_simulator/world")
    reset = await client.call("POST", "/_simulator/reset")
    assert reset.json["companies"] == before["companies"]
    assert (await client.books())["records"]["transfers"] == []
    assert (await client.get("/_simulator/requests"))["requests"] == []
    other = await client.call("POST", "/_simulator/reset", {"seed": 9})
    assert other.json["companies"][0]["id"] != before["companies"][0]["id"]


@pytest.mark.parametrize("seconds", ["x", -1, None])
async def test_the_clock_moves_forward_only(seconds: object, client: Client) -> None:
    assert (await client.call("POST", "/_simulator/clock", {"advanceSeconds": seconds})).status == 400


def test_the_command_line_says_what_the_options_mean() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = options_from(parser.parse_args(["--port", "0", "--seed", "7", "--speed", "1/2", "--api-key", "k"]))
    assert (options.port, options.seed, options.speed, options.api_key) == (0, 7, Fraction(1, 2), "k")
    assert options_from(parser.parse_args([])) == SimulatorOptions()
    with pytest.raises(UsageError, match="--speed"):
        options_from(parser.parse_args(["--speed", "0"]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    program = "import asyncio; from worker.simulator import *; asyncio.run(run(SimulatorOptions(port=0)))"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    line = await process.stdout.readline()
    assert b"simulator ready" in line
    process.send_signal(number)
    assert await process.wait() == 0
