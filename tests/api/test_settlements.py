"""Ledger account settlements through the official client: the investor's interest is settled against cash."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any, Literal
from uuid import UUID

import pytest
from modern_treasury import AsyncModernTreasury, NotFoundError, UnprocessableEntityError
from modern_treasury.types import LedgerAccountSettlement, LedgerTransaction

from tests.api.conftest import MISSING, Raw
from tests.api.lendnow import LendNow
from tests.api.refusals import refused
from worker.api import settlements_store as store
from worker.api.settlements_store import NewSettlement
from worker.database import Database
from worker.ledger import poster
from worker.ledger.transaction import Status, Update

COUNT_MOVES = """
    create table moves (relation text, n int);
    create function count_moves() returns trigger language plpgsql as $$
    begin
        insert into moves select tg_table_name, count(*) from moved;
        return null;
    end $$;
    create trigger count_claimed after insert on ledger_account_settlement_entries
        referencing new table as moved for each statement execute function count_moves();
    create trigger count_released after delete on ledger_account_settlement_entries
        referencing old table as moved for each statement execute function count_moves();
    create trigger count_opened after insert on ledger_open_entries
        referencing new table as moved for each statement execute function count_moves();
"""
"""Notes how many entries each statement takes into settlements, out of them, or leaves open."""


async def settle(lender: LendNow, word: str = "investor_interest", **said: Any) -> LedgerAccountSettlement:
    return await lender.client.ledger_account_settlements.create(
        settled_ledger_account_id=lender.ids[word], contra_ledger_account_id=lender.ids["cash"], **said
    )


async def earn(lender: LendNow, amount: int, **said: Any) -> str:
    """The investor earns interest; the id of the entry that says so."""
    posted = await lender.post({"loan_interest": amount}, {"investor_interest": amount}, **said)
    return posted.ledger_entries[1].id


async def settled_by(lender: LendNow, settlement: LedgerAccountSettlement) -> list[str]:
    listed = lender.client.ledger_entries.list(ledger_account_settlement_id=settlement.id)
    return sorted([entry.id async for entry in listed])


async def test_what_a_settlement_brings_to_the_other_account_is_settled_there_in_its_turn(lender: LendNow) -> None:
    await earn(lender, 300, effective_at="2024-01-10")
    brought = await settle(lender, status="posted")
    accounts: dict[str, Any] = {
        "settled_ledger_account_id": lender.ids["cash"],
        "contra_ledger_account_id": lender.ids["revenue"],
    }
    onward = await lender.client.ledger_account_settlements.create(
        **accounts, status="posted", allow_either_direction=True
    )
    assert (brought.amount, onward.amount, onward.settlement_entry_direction) == (300, 300, "debit")
    assert await lender.amounts("cash") == (0, 0, 0)


async def test_a_settlement_takes_what_is_due_and_leaves_the_rest(lender: LendNow) -> None:
    due = [await earn(lender, 300, effective_at="2024-01-10"), await earn(lender, 200, effective_at="2024-01-31")]
    await earn(lender, 50, effective_at="2024-02-01")
    await earn(lender, 7, effective_at="2024-01-15", status="pending")

    made = await settle(lender, status="posted", effective_at_upper_bound="2024-02-01", description="January")
    assert (made.status, made.amount, made.settlement_entry_direction) == ("posted", 500, "debit")
    assert (made.currency, made.currency_exponent, made.ledger_id) == ("USD", 2, lender.ledger_id)
    assert await settled_by(lender, made) == sorted(due)
    assert await lender.amounts("investor_interest") == (50, 57, 50)
    assert (await lender.amounts("investor_interest", effective_at="2024-02-01"))[0] == 50
    assert (await lender.amounts("cash"))[0] == -500

    posted = await lender.client.ledger_transactions.retrieve(made.ledger_transaction_id or "")
    assert (posted.status, posted.description, posted.effective_at.isoformat()) == (
        "posted",
        "January",
        "2024-02-01T00:00:00+00:00",
    )
    listed = lender.client.ledger_transactions.list(ledger_account_settlement_id=made.id)
    assert {entry.id for t in [t async for t in listed] for entry in t.ledger_entries} >= set(due)
    assert await lender.client.ledger_account_settlements.retrieve(made.id) == made


async def test_what_comes_late_falls_into_the_next_settlement(lender: LendNow) -> None:
    await earn(lender, 300, effective_at="2024-01-10")
    await settle(lender, status="posted", effective_at_upper_bound="2024-02-01")
    late = await earn(lender, 20, effective_at="2024-01-11")
    following = await settle(lender, status="posted", effective_at_upper_bound="2024-03-01")
    assert (following.amount, await settled_by(lender, following)) == (20, [late])


async def test_a_pending_settlement_is_posted_with_its_transaction(lender: LendNow) -> None:
    await earn(lender, 300)
    made = await settle(lender)
    assert (made.status, made.amount) == ("pending", 300)
    assert await lender.amounts("investor_interest") == (300, 0, 0)
    posted = await lender.client.ledger_account_settlements.update(made.id, status="posted", metadata={"run": "1"})
    assert (posted.status, posted.metadata, posted.ledger_transaction_id) == (
        "posted",
        {"run": "1"},
        made.ledger_transaction_id,
    )
    assert await lender.amounts("investor_interest") == (0, 0, 0)
    assert (await lender.client.ledger_account_settlements.update(made.id, status="posted")).status == "posted"
    with pytest.raises(UnprocessableEntityError, match="may not be updated once it is posted"):
        await lender.client.ledger_account_settlements.update(made.id, status="archived")


async def test_a_settlements_transaction_cannot_be_made_another(lender: LendNow, raw: Raw) -> None:
    await earn(lender, 100)
    made = await settle(lender)
    path = f"/api/ledger_transactions/{made.ledger_transaction_id}"
    entries = {"ledger_entries": lender.entries({"investor_interest": 1}, {"cash": 1})}
    for call in (
        ("PATCH", path, entries),
        ("PATCH", path, {"status": "posted", **entries}),
        ("PATCH", path, {"effective_at": "2024-01-01T00:00:00Z"}),
        ("POST", f"{path}/partial_post", {"posted_ledger_entries": entries["ledger_entries"]}),
    ):
        status, body, _ = await raw.call(*call[:2], json=call[2])
        assert (status, body["errors"]["parameter"]) == (422, "ledger_transaction"), call
        assert f"ledger account settlement {made.id}" in body["errors"]["message"]
    sent = {"metadata": {"run": "1"}, "description": "January", "external_id": "payout"}
    assert (await raw.call("PATCH", path, json=sent))[0] == 200
    posted = await lender.client.ledger_account_settlements.update(made.id, status="posted")
    assert (posted.amount, await lender.amounts("investor_interest")) == (100, (0, 0, 0))


async def test_a_settlement_follows_its_transaction_that_is_posted_directly(lender: LendNow) -> None:
    entry = await earn(lender, 100)
    made = await settle(lender)
    await lender.client.ledger_transactions.update(made.ledger_transaction_id or "", status="posted")
    settlements = lender.client.ledger_account_settlements
    assert ((await settlements.retrieve(made.id)).status, await settled_by(lender, made)) == ("posted", [entry])
    described = await settlements.update(made.id, status="posted", description="paid")
    assert (described.status, described.description, described.amount) == ("posted", "paid", 100)
    with pytest.raises(UnprocessableEntityError, match="may not be updated once it is posted"):
        await settlements.update(made.id, status="archived")
    assert (await settle(lender)).amount == 0


@pytest.mark.parametrize(("ended", "asked"), [(Status.POSTED, "archived"), (Status.ARCHIVED, "posted")])
async def test_a_settlement_that_ends_meanwhile_is_told_how(
    lender: LendNow, database: Database, ended: Status, asked: Literal["posted", "archived"]
) -> None:
    await earn(lender, 100)
    made = await settle(lender)
    async with database.transaction() as connection:
        await poster.post(connection, UUID(lender.ledger_id), [Update(UUID(made.ledger_transaction_id or ""), ended)])
        change = asyncio.create_task(refused(lender.client.ledger_account_settlements.update(made.id, status=asked)))
        while not await connection.fetchval("select exists (select from pg_locks where not granted)"):
            pass
    error = await change
    assert (error["parameter"], error["message"]) == (
        "status",
        f"The ledger account settlement may not be updated once it is {ended}",
    )


async def test_a_settlement_whose_account_was_discarded_names_it_as_its_own(
    lender: LendNow, client: AsyncModernTreasury
) -> None:
    await earn(lender, 100)
    contra = await client.ledger_accounts.create(
        name="Contra", normal_balance="debit", currency="USD", ledger_id=lender.ledger_id
    )
    draft = await client.ledger_account_settlements.create(
        settled_ledger_account_id=lender.ids["investor_interest"],
        contra_ledger_account_id=contra.id,
        status="drafting",
    )
    await client.ledger_accounts.delete(contra.id)
    error = await refused(client.ledger_account_settlements.update(draft.id, status="posted"))
    assert (error["parameter"], error["message"]) == ("contra_ledger_account_id", "Ledger account not found")


async def test_a_balance_of_more_digits_than_an_entry_has_is_not_settled(lender: LendNow) -> None:
    for _ in range(2):
        await earn(lender, 10**36 - 1)
    error = await refused(settle(lender))
    assert error["parameter"] == "settled_ledger_account_id"


async def test_an_archived_settlement_gives_its_entries_back(lender: LendNow) -> None:
    entry = await earn(lender, 300)
    settlements = lender.client.ledger_account_settlements
    first = await settle(lender)
    assert (await settlements.update(first.id, status="archived")).status == "archived"
    second = await settle(lender)
    assert (second.amount, await settled_by(lender, second)) == (300, [entry])
    await lender.client.ledger_transactions.update(second.ledger_transaction_id or "", status="archived")
    assert (await settlements.retrieve(second.id)).status == "archived"
    third = await settle(lender, status="posted")
    assert await settled_by(lender, third) == [entry]
    with pytest.raises(UnprocessableEntityError, match="may not be updated once it is archived"):
        await settlements.update(first.id, status="posted")


async def test_a_draft_takes_the_entries_it_is_given(lender: LendNow) -> None:
    first, second, third = [await earn(lender, amount) for amount in (300, 200, 100)]
    settlements = lender.client.ledger_account_settlements
    draft = await settle(lender, status="drafting")
    assert (draft.status, draft.amount, draft.ledger_transaction_id) == ("drafting", None, None)
    await settlements.account_entries.update(draft.id, ledger_entry_ids=[first, second, third])
    await settlements.account_entries.update(draft.id, ledger_entry_ids=[third])
    await settlements.account_entries.delete(draft.id, ledger_entry_ids=[second])
    assert await settled_by(lender, draft) == sorted([first, third])

    other = await settle(lender, status="drafting")
    with pytest.raises(UnprocessableEntityError, match="in no other settlement"):
        await settlements.account_entries.update(other.id, ledger_entry_ids=[first])
    with pytest.raises(UnprocessableEntityError, match="in no other settlement"):
        await settlements.account_entries.update(other.id, ledger_entry_ids=[second, MISSING])
    assert await settled_by(lender, other) == []

    posted = await settlements.update(draft.id, status="posted")
    assert (posted.status, posted.amount) == ("posted", 400)
    assert (await lender.amounts("investor_interest"))[0] == 200
    with pytest.raises(UnprocessableEntityError, match="Only a drafting settlement"):
        await settlements.account_entries.delete(draft.id, ledger_entry_ids=[first])


async def test_a_draft_is_posted_without_a_look_at_its_entries(lender: LendNow, database: Database) -> None:
    """Not one of what may be hundreds of thousands, while nobody else posts to the account."""
    entries = [await earn(lender, amount) for amount in (30, 20, 10)]
    settlements = lender.client.ledger_account_settlements
    draft = await settle(lender, status="drafting")
    await settlements.account_entries.update(draft.id, ledger_entry_ids=entries)
    await settlements.account_entries.delete(draft.id, ledger_entry_ids=entries[1:])
    await settlements.account_entries.update(draft.id, ledger_entry_ids=entries[2:])
    async with database.transaction() as connection:
        await connection.execute("lock table ledger_account_settlement_entries in access exclusive mode")
        posted = await settlements.update(draft.id, status="posted")
    assert (posted.status, posted.amount) == ("posted", 40)
    assert await settled_by(lender, draft) == sorted([entries[0], entries[2]])


async def test_a_negative_balance_is_settled_only_where_that_is_allowed(lender: LendNow) -> None:
    await lender.post({"investor_interest": 40}, {"loan_interest": 40})
    with pytest.raises(UnprocessableEntityError, match="allow_either_direction"):
        await settle(lender, status="posted")
    made = await settle(lender, status="posted", allow_either_direction=True)
    assert (made.amount, made.settlement_entry_direction) == (40, "credit")
    assert (await lender.amounts("investor_interest"))[0] == 0


async def test_a_settlement_that_was_made_elsewhere_posts_nothing(lender: LendNow) -> None:
    entry = await earn(lender, 300)
    made = await settle(lender, status="posted", skip_settlement_ledger_transaction=True)
    assert (made.status, made.amount, made.ledger_transaction_id) == ("posted", 300, None)
    assert await settled_by(lender, made) == [entry]
    assert (await lender.amounts("investor_interest"))[0] == 300
    assert (await settle(lender, status="posted")).amount == 0


async def test_an_undone_settlement_is_settled_again(lender: LendNow) -> None:
    await earn(lender, 300)
    made = await settle(lender, status="posted")
    await lender.client.ledger_transactions.create_reversal(made.ledger_transaction_id or "")
    again = await settle(lender, status="posted")
    assert (again.amount, (await lender.amounts("investor_interest"))[0]) == (300, 0)


async def test_what_a_settlement_leaves_open_falls_into_the_next_one(lender: LendNow) -> None:
    settlements = lender.client.ledger_account_settlements
    future = await earn(lender, 40, effective_at="2024-03-01")
    pending = await lender.post({"loan_interest": 7}, {"investor_interest": 7}, status="pending")
    drafted = await earn(lender, 200, effective_at="2024-01-01")
    draft = await settle(lender, status="drafting")
    await settlements.account_entries.update(draft.id, ledger_entry_ids=[drafted])
    assert (await settle(lender, status="posted", effective_at_upper_bound="2024-02-01")).amount == 0

    await settlements.account_entries.delete(draft.id, ledger_entry_ids=[drafted])
    await lender.client.ledger_transactions.update(pending.id, status="posted")
    following = await settle(lender)
    due = sorted([future, drafted, pending.ledger_entries[1].id])
    assert (following.amount, await settled_by(lender, following)) == (247, due)
    await lender.client.ledger_transactions.update(following.ledger_transaction_id or "", status="archived")
    assert (await settle(lender, status="posted", effective_at_upper_bound="2024-02-01")).amount == 200
    assert (await settle(lender, status="posted")).amount == 47
    assert (await lender.amounts("investor_interest"))[0] == 0


@pytest.mark.parametrize("step", [1, 3, store.STEP])
@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_every_entry_is_settled_exactly_once(
    lender: LendNow, seed: int, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "STEP", step)
    chance = random.Random(seed)
    settlements, transactions = lender.client.ledger_account_settlements, lender.client.ledger_transactions
    earned: dict[str, int] = {}
    waiting: list[LedgerTransaction] = []
    drafts = [await settle(lender, status="drafting") for _ in range(2)]
    for _ in range(40):
        day, amount = f"2024-01-{chance.randint(1, 28):02}", chance.randint(1, 99)
        match chance.randrange(7):
            case 0 | 1:
                earned[await earn(lender, amount, effective_at=day)] = amount
            case 2:
                said: Any = {"status": "pending", "effective_at": day}
                waiting.append(await lender.post({"loan_interest": amount}, {"investor_interest": amount}, **said))
            case 3 if waiting:
                posted = await transactions.update(waiting.pop(0).id, status="posted")
                earned[posted.ledger_entries[1].id] = posted.ledger_entries[1].amount
            case 4 if earned:
                with suppress(UnprocessableEntityError):  # another settlement may hold it
                    named = chance.sample(sorted(earned), 1)
                    await settlements.account_entries.update(chance.choice(drafts).id, ledger_entry_ids=named)
            case 5 if earned:
                await settlements.account_entries.delete(chance.choice(drafts).id, ledger_entry_ids=list(earned))
            case _:
                made = await settle(lender, effective_at_upper_bound=day)
                await settlements.update(made.id, status="posted" if chance.random() < 0.6 else "archived")
    for draft in drafts:
        await settlements.update(draft.id, status="archived")
    await settle(lender, status="posted")
    assert (await lender.amounts("investor_interest"))[0] == 0
    final = [one async for one in settlements.list() if one.status == "posted"]
    held = [entry for one in final for entry in await settled_by(lender, one)]
    assert sorted(held) == sorted(earned)
    assert sum(one.amount or 0 for one in final) == sum(earned.values())


async def test_no_statement_moves_more_entries_than_a_step_has(
    lender: LendNow, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "STEP", 4)
    async with database.connection() as connection:
        await connection.execute(COUNT_MOVES)
    transactions, january, march = lender.client.ledger_transactions, "2024-01-01", "2024-03-01"
    for day in (january, march) * 7:
        await earn(lender, 1, effective_at=day)
    early = await settle(lender, effective_at_upper_bound="2024-02-01")
    late = await settle(lender)
    assert (early.amount, late.amount) == (7, 7)
    for made in (early, late):
        await transactions.update(made.ledger_transaction_id or "", status="archived")
    assert (await settle(lender, status="posted")).amount == 14
    async with database.connection() as connection:
        moves = [tuple(row) for row in await connection.fetch("select relation, sum(n), max(n) from moves group by 1")]
    assert sorted(moves) == [("ledger_account_settlement_entries", 42, 4), ("ledger_open_entries", 21, 4)]


async def test_posting_goes_on_while_a_settlement_takes_in_what_there_is(lender: LendNow, database: Database) -> None:
    await earn(lender, 300)
    account_id = UUID(lender.ids["investor_interest"])
    new = NewSettlement(account_id, UUID(lender.ids["cash"]), False, None, None, {})
    async with database.transaction() as connection:
        settlement_id = await store.insert_settlement(connection, UUID(lender.ledger_id), new)
        await store.hold_settling(connection, account_id)
        assert await store.claim_due_entries(connection, settlement_id, account_id) == -300
        await earn(lender, 20, effective_at="2024-01-01")
        assert await store.claim_due_entries(connection, settlement_id, account_id) == -20


async def test_settlements_at_once_settle_every_entry_once(lender: LendNow) -> None:
    await asyncio.gather(*(earn(lender, 10) for _ in range(20)))
    made = await asyncio.gather(
        *(settle(lender, status="posted") for _ in range(5)), *(earn(lender, 1) for _ in range(10))
    )
    amounts = [one.amount or 0 for one in made if isinstance(one, LedgerAccountSettlement)]
    assert sum(amounts) + (await lender.amounts("investor_interest"))[0] == 210
    assert sorted(amounts)[-1] >= 200


async def test_a_list_filters_settlements(lender: LendNow) -> None:
    await earn(lender, 300)
    first = await settle(lender, status="posted", metadata={"run": "1"})
    second = await settle(lender, word="revenue", status="drafting")

    async def found(**filters: Any) -> list[str]:
        return [one.id async for one in lender.client.ledger_account_settlements.list(**filters)]

    assert await found() == [second.id, first.id]
    assert await found(per_page=1) == [second.id, first.id]
    assert await found(id=[first.id], ledger_id=lender.ledger_id) == [first.id]
    assert await found(settled_ledger_account_id=lender.ids["revenue"]) == [second.id]
    assert await found(settlement_entry_direction="debit") == [first.id]
    assert await found(ledger_transaction_id=first.ledger_transaction_id) == [first.id]
    assert await found(metadata={"run": "1"}) == [first.id]
    assert await found(created_at={"gt": second.created_at}) == []
    assert await found(updated_at={"lte": second.updated_at}) == [second.id, first.id]


async def test_accounts_that_do_not_fit_are_refused(lender: LendNow, client: AsyncModernTreasury, raw: Raw) -> None:
    other = await client.ledgers.create(name="Other")
    foreign = await client.ledger_accounts.create(name="A", normal_balance="debit", currency="USD", ledger_id=other.id)
    euros = await client.ledger_accounts.create(
        name="A", normal_balance="debit", currency="EUR", ledger_id=lender.ledger_id
    )
    for contra in (foreign.id, euros.id, MISSING, lender.ids["cash"]):
        sent = {"settled_ledger_account_id": lender.ids["cash"], "contra_ledger_account_id": contra}
        status, _, parameter = await raw.error("POST", "/api/ledger_account_settlements", json=sent)
        assert (status, parameter) == (422, "contra_ledger_account_id")
    with pytest.raises(NotFoundError):
        await client.ledger_account_settlements.retrieve(MISSING)
    with pytest.raises(NotFoundError):
        await client.ledger_account_settlements.account_entries.update(MISSING, ledger_entry_ids=[])
    draft = await settle(lender, status="drafting")
    for method in ("PATCH", "DELETE"):
        path = f"/api/ledger_account_settlements/{draft.id}/ledger_entries"
        assert await raw.error(method, path, json={}) == (422, "parameter_missing", "ledger_entry_ids")
        assert (await raw.call(method, path, json={"ledger_entry_ids": None}))[0] == 200
    with pytest.raises(UnprocessableEntityError, match="posted, archived"):
        await client.ledger_account_settlements.update(MISSING, extra_body={"status": "pending"})
