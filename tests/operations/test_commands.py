"""The commands as a person runs them: on the configured database, without any service."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.loans.events import LoanSystem
from tests.loans.station import Station
from tests.operations.borrower import lose_first_step, refuse_first_step, wait_for_person
from tests.operations.conftest import Api, Story

NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/nothing"


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    error: str

    @property
    def document(self) -> Any:
        assert self.code == 0, self.error
        return json.loads(self.out)


Command = Callable[..., Awaitable[Ran]]


async def run(database_url: str, *arguments: str, **environment: str) -> Ran:
    """Run ``writeback`` as a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker.cli", *arguments),
        env={**os.environ, "DATABASE_URL": database_url, "LOG_LEVEL": "WARNING", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    return Ran(process.returncode or 0, out.decode(), error.decode())


@pytest.fixture
def writeback(database_url: str) -> Command:
    """The command on the test's own database."""

    async def command(*arguments: str) -> Ran:
        return await run(database_url, *arguments)

    return command


SAME: dict[str, str] = {
    "events list --loan L1 --state held": "/v1/events?loan_id=L1&state=held",
    "events list --limit 2": "/v1/events?limit=2",
    "events show msg_L1_2": "/v1/events/msg_L1_2",
    "loans list": "/v1/loans",
    "loans show L1": "/v1/loans/L1",
    "sagas list --state queued": "/v1/sagas?state=queued",
    "sagas show 1": "/v1/sagas/1",
    "jobs list --kind advance_saga": "/v1/jobs?kind=advance_saga",
    "dead-letters list": "/v1/dead-letters",
    "dead-letters show 1": "/v1/dead-letters/1",
    "ledger trial-balance --as-of 2026-03-02": "/v1/ledger/trial-balance?as_of=2026-03-02",
    "ledger trial-balance --loan L1": "/v1/ledger/trial-balance?loan_id=L1",
    "ledger statement --loan L1 --from 2026-03-01 --to 2026-03-31": (
        "/v1/ledger/loans/L1/statement?from=2026-03-01&to=2026-03-31"
    ),
    "ledger statement cash:GBP --from 2026-03-01 --to 2026-03-31": (
        "/v1/ledger/accounts/cash:GBP/statement?from=2026-03-01&to=2026-03-31"
    ),
}
"""Commands and the paths that answer the same."""


async def test_json_is_exactly_what_the_api_answers(writeback: Command, api: Api, story: Story) -> None:
    ran = await asyncio.gather(*(writeback(*command.split(), "--output", "json") for command in SAME))

    assert [one.document for one in ran] == [await api.get(path) for path in SAME.values()]


async def test_tables_are_aligned_and_say_how_to_go_on(writeback: Command, story: Story) -> None:
    ran = await writeback("events", "list", "--limit", "3")

    assert ran.code == 0
    title, header, rule, *rows, blank, more = ran.out.splitlines()
    assert (title, blank) == ("Events, newest first", "")
    assert [row.split()[2] for row in rows] == [
        story.queued.webhook_id,
        story.refused.webhook_id,
        story.held.webhook_id,
    ]
    assert {row.index("loan.") for row in rows} == {header.index("Type")}
    assert rule.startswith("  ---")
    assert (await writeback("events", "list", *more.split()[1:])).code == 0


async def test_a_long_reason_is_cut_in_a_list_and_whole_where_it_is_shown(
    writeback: Command, station: Station, story: Story
) -> None:
    reason = "the period is locked and " * 10 + "\x1b[2Jover"
    await wait_for_person(station.database, 1, reason)

    listed, shown = await writeback("sagas", "list"), await writeback("sagas", "show", "1")

    assert f"{reason[:59]}…\n" in listed.out
    assert reason.replace("\x1b", " ") in shown.out
    assert "\x1b" not in listed.out + shown.out


async def test_an_event_is_shown_with_its_body(writeback: Command, story: Story) -> None:
    ran = await writeback("events", "show", story.refused.webhook_id)

    assert ran.code == 0
    values = dict(line.split("  ", 1) for line in ran.out.splitlines() if "  " in line)
    assert values["state"].strip() == "refused"
    assert "saga id" not in values
    assert ran.out.rstrip().endswith(story.refused.body.decode())


async def test_a_refused_event_is_replayed_and_a_replayed_one_is_not(writeback: Command, story: Story) -> None:
    replayed = await writeback("events", "replay", story.refused.webhook_id, "--output", "json")
    again = await writeback("events", "replay", story.refused.webhook_id)

    assert replayed.document["state"] == "queued"
    assert (again.code, again.out) == (1, "")
    assert again.error.startswith(f"writeback: event {story.refused.webhook_id} is queued; only a refused event")


async def test_a_refused_event_is_corrected_out_of_a_file(writeback: Command, story: Story, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(LoanSystem().settle("R3", principal=1).body)

    corrected = await writeback("events", "correct", story.refused.webhook_id, str(file), "--output", "json")
    absent = await writeback("events", "correct", story.refused.webhook_id, str(tmp_path / "nothing"))

    assert (corrected.document["state"], corrected.document["corrects"]) == ("queued", story.refused.webhook_id)
    assert (absent.code, "nothing cannot be read" in absent.error) == (2, True)


async def test_a_held_event_is_given_up(writeback: Command, story: Story) -> None:
    ran = await writeback("events", "bury", story.held.webhook_id, "--reason", "sent by mistake", "--output", "json")

    assert (ran.document["state"], ran.document["reason"]) == ("dead_letter", "sent by mistake")


async def test_a_waiting_saga_is_retried(writeback: Command, station: Station, story: Story) -> None:
    await refuse_first_step(station.database, 1, "the period is locked")

    saga = (await writeback("sagas", "retry", "1", "--output", "json")).document

    assert (saga["state"], saga["waiting_for"]) == ("running", None)
    assert [one["action"] for one in saga["steps"][0]["attempts"]][-1] == "person"


async def test_a_record_a_person_found_is_adopted(writeback: Command, station: Station, story: Story) -> None:
    await lose_first_step(station.database, 1)

    ran = await writeback("sagas", "adopt", "1", "record-7")

    assert ran.code == 0
    assert "record-7" in ran.out
    assert "a person found the record record-7" in ran.out


async def test_a_saga_is_given_up_with_a_reason(writeback: Command, station: Station, story: Story) -> None:
    await wait_for_person(station.database, 1, "it cannot go on")

    saga = (await writeback("sagas", "bury", "1", "--reason", "entered by hand", "--output", "json")).document

    assert (saga["state"], saga["reason"]) == ("abandoned", "entered by hand")
    assert (await writeback("sagas", "retry", "1")).code == 1


async def test_a_write_nobody_can_find_is_given_up_only_by_a_person_who_has_looked(
    writeback: Command, station: Station, story: Story
) -> None:
    await lose_first_step(station.database, 1)
    bury = ("sagas", "bury", "1", "--reason", "entered by hand")

    unlooked = await writeback(*bury)
    looked = await writeback(*bury, "--absent")

    assert (unlooked.code, "adopt its record if it is there" in unlooked.error) == (1, True)
    assert looked.code == 0
    assert "a person did not find it in the books" in looked.out
    assert "abandoned" in looked.out


async def test_jobs_are_shown_retried_and_buried(writeback: Command, station: Station, story: Story) -> None:
    (job,) = (await writeback("jobs", "list", "--kind", "apply_event", "--output", "json")).document["data"]
    number = str(job["job_id"])
    async with station.database.connection() as connection:
        await connection.execute("update jobs set state = 3, run_at = 'infinity' where id = $1", job["job_id"])

    assert (await writeback("jobs", "show", number, "--output", "json")).document["state"] == "parked"
    assert (await writeback("jobs", "retry", number, "--output", "json")).document["state"] == "ready"
    letter = (await writeback("jobs", "bury", number, "--reason", "no longer wanted", "--output", "json")).document
    assert letter["event_id"] == story.queued.webhook_id
    replayed = await writeback("dead-letters", "replay", str(letter["dead_letter_id"]), "--output", "json")
    assert replayed.document["replayed_job_id"] > job["job_id"]


async def test_books_are_printed_as_tables_and_as_rows(writeback: Command, story: Story) -> None:
    trial = await writeback("ledger", "trial-balance", "--loan", "L1")
    rows = await writeback("ledger", "trial-balance", "--output", "csv")
    period = ("--from", "2026-03-01", "--to", "2026-03-31")
    statement = await writeback("ledger", "statement", "--loan", "L1", *period)
    entries = await writeback("ledger", "statement", "loan:L1:principal:GBP", *period, "--output", "csv")

    title, *_, last = trial.out.splitlines()
    assert (title, last.split()) == ("Trial balance of loan L1, GBP", ["Total", "620.00", "0.00"])
    (cash,) = (row for row in rows.out.splitlines() if row.startswith("Cash,cash:GBP,GBP,2,0.00,575.00,-575.00,"))
    by_id = await writeback("ledger", "statement", cash.rpartition(",")[2], *period)
    assert by_id.out.startswith("Cash (cash:GBP), GBP")
    assert statement.out.count("Closing balance") == 3
    assert [line.split(",")[-3:] for line in entries.out.splitlines()] == [
        ["debit", "credit", "balance"],
        ["", "", "0.00"],
        ["1000.00", "", "1000.00"],
        ["", "380.00", "620.00"],
        ["", "", "620.00"],
    ]


async def test_the_ledger_is_exported_for_other_programs(writeback: Command, story: Story) -> None:
    beancount = await writeback("ledger", "export", "--format", "beancount", "--to", "2026-03-31")
    hledger = await writeback("ledger", "export", "--format", "hledger", "--from", "2026-03-02")

    assert (beancount.code, hledger.code) == (0, 0)
    for text in (beancount.out, hledger.out):
        assert text.count("Assets:Loan:L1:Principal:GBP  ") == 2
        assert "\n2026-03-02 * " in text


async def test_books_that_hold_are_verified_and_broken_ones_fail(
    writeback: Command, station: Station, story: Story
) -> None:
    clean = await writeback("ledger", "verify")
    assert (clean.code, clean.out.splitlines()[-1]) == (0, "Findings: none")
    async with station.database.connection() as connection:
        # Behind the back of the table's own checks, which only its owner can do.
        await connection.execute("alter table ledger_account_balances disable trigger user")
        await connection.execute("update ledger_account_balances set pending_debits = pending_debits + 1")
        await connection.execute("call keep_triggers_on()")

    ran = await writeback("ledger", "verify")
    as_json = await writeback("ledger", "verify", "--output", "json")

    assert (ran.code, as_json.code) == (1, 1)
    findings = json.loads(as_json.out)["findings"]
    assert {(one["ledger"], one["audit"]) for one in findings} == {("Loans", "balances"), ("Loans", "categories")}
    assert all(one["row"] in ran.out for one in findings)


async def test_books_of_an_older_schema_are_migrated_before_they_are_verified(
    writeback: Command, station: Station
) -> None:
    async with station.database.connection() as connection:
        await connection.execute(
            "delete from schema_migrations where version = (select max(version) from schema_migrations)"
        )
    ran = await writeback("ledger", "verify")
    assert (ran.code, ran.out) == (2, "")
    assert "run `writeback migrate`" in ran.error


async def test_a_link_that_was_kept_must_still_be_in_the_chain(writeback: Command, story: Story) -> None:
    (chain,) = (await writeback("ledger", "verify", "--output", "json")).document["ledgers"]
    number, kept = str(chain["links"]), chain["last_hash"]
    held = await writeback("ledger", "verify", "--kept", number, kept)
    gone = await writeback("ledger", "verify", "--kept", "999", kept)
    other = await writeback("ledger", "verify", "--ledger", "Loans", "--kept", number, "0" * 64)

    assert (held.code, gone.code, other.code) == (0, 1, 1)
    assert f"it was kept and is gone, the last one is {number}" in gone.out
    assert "its hash is not the one that was kept" in other.out
    assert f"(ledger_id, position) = ({chain['ledger_id']}, {number})" in other.out


async def test_a_ledger_is_called_by_its_id_or_its_name(writeback: Command, station: Station, story: Story) -> None:
    async with station.database.connection() as connection:
        insert = "insert into ledgers (name) values ('Twins') returning id::text"
        one, two = [await connection.fetchval(insert) for _ in range(2)]
    ours = await writeback("ledger", "trial-balance", "--ledger", "Loans")
    empty = await writeback("ledger", "trial-balance", "--ledger", one)
    twins = await writeback("ledger", "verify", "--ledger", "Twins")
    nobody = await writeback("ledger", "export", "--format", "hledger", "--ledger", "nobody's")

    assert "Principal - Loan L1" in ours.out
    assert (empty.code, empty.out) == (0, "Trial balance: none\n")
    assert (twins.code, twins.error.count(one), twins.error.count(two)) == (2, 1, 1)
    assert (nobody.code, nobody.out) == (2, "")
    assert "--ledger is the id or the name of no ledger: nobody's" in nobody.error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["events"], "ACTION"),
        (["events", "list", "--limit", "201"], "must be from 1 to 200"),
        (["sagas", "show", "x"], "must be a whole number"),
        (["sagas", "list", "--state", "lost"], "--state"),
        (["jobs", "bury", "1"], "--reason"),
        (["ledger", "trial-balance", "--as-of", "yesterday"], "YYYY-MM-DD"),
        (["ledger", "trial-balance", "--as-of", "9999-12-31"], "YYYY-MM-DD from 1900-01-01 to 9998-12-31"),
        (["ledger", "trial-balance", "--loan", "L1", "--investor", "I1"], "--investor"),
        (["ledger", "statement", "cash:GBP", "--loan", "L1", "--from", "2026-01-02", "--to", "2026-01-03"], "--loan"),
        (["ledger", "export", "--format", "gnucash"], "--format"),
        (["ledger", "export", "--format", "hledger", "--from", "2026-01-02", "--to", "2026-01-01"], "--to"),
        (["ledger", "statement", "--from", "2026-01-02", "--to", "2026-01-03"], "--investor"),
        (["ledger", "statement", "cash:GBP", "--from", "2026-01-02", "--to", "2026-01-01"], "--to"),
        (["ledger", "verify", "--kept", "0", "0" * 64], "--kept takes a link's number and its hash"),
        (["ledger", "verify", "--kept", "1", "0" * 63], "--kept takes a link's number and its hash"),
        (["ledger", "verify", "--kept", "1"], "--kept: expected 2 arguments"),
    ],
)
async def test_wrong_usage_names_the_argument(arguments: list[str], words: str) -> None:
    ran = await run(NOBODY_LISTENS, *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert words in ran.error.splitlines()[-1]


async def test_what_does_not_exist_is_one_sentence_and_a_failure(writeback: Command) -> None:
    ran = await writeback("loans", "show", "nobody")

    assert (ran.code, ran.out, ran.error) == (1, "", "writeback: there is no loan nobody\n")


async def test_an_absent_database_is_unavailable() -> None:
    ran = await run(NOBODY_LISTENS, "events", "list")

    assert (ran.code, ran.out) == (5, "")
    assert ran.error.startswith("writeback: the database cannot be reached")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serve"], "HOST 127.0.0.1 and PORT {port} cannot be listened on: Address already in use"),
        (
            ["simulator", "--port", "{port}"],
            "127.0.0.1 and --port {port} cannot be listened on: Address already in use",
        ),
    ],
)
async def test_a_port_in_use_is_one_sentence(database_url: str, arguments: list[str], words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = await run(
            database_url, *(one.format(port=port) for one in arguments), PORT=port, CODAT_API_KEY="test-only"
        )

    assert (ran.code, ran.out, ran.error) == (2, "", f"writeback: {words.format(port=port)}\n")


async def test_a_schema_that_is_not_there_yet_names_its_remedy(empty_database_url: str) -> None:
    ran = await run(empty_database_url, "loans", "list")

    assert (ran.code, ran.out) == (2, "")
    assert "run `writeback migrate`" in ran.error


@pytest.mark.parametrize(
    "words", ["events list", "ledger trial-balance --output csv", "ledger verify", "ledger export --format hledger"]
)
async def test_a_reader_that_has_gone_is_no_fault(
    database_url: str, station: Station, story: Story, words: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", f"'{sys.executable}' -m worker.cli {words} | true; echo ${{PIPESTATUS[0]}}"),
        # Unbuffered, what is short goes the way of what is long: piece by piece.
        env={**os.environ, "DATABASE_URL": database_url, "LOG_LEVEL": "WARNING", "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()

    assert (out.decode(), error.decode()) == ("141\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--id", "a.b"], "--id must be 1 to 128 visible ASCII characters"),
        (["--id", "a\nb"], "--id must be"),
        (["--id", "\u00fc"], "--id must be"),
        (["--url", "nowhere"], "--url must look like"),
        (["--url", "ftp://127.0.0.1:1"], "--url must look like"),
    ],
)
async def test_a_sender_who_mistypes_is_told_in_one_sentence(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOAN_WEBHOOK_SECRETS", "whsec_cmVoZWFyc2FsLW9ubHktbG9hbi13ZWJob29rcw==")

    ran = await run(NOBODY_LISTENS, "send", os.devnull, *arguments)

    assert (ran.code, ran.out, len(ran.error.splitlines())) == (2, "", 1)
    assert words in ran.error
