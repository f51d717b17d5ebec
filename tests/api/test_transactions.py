"""A ledger transaction's life through the official client."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from modern_treasury import AsyncModernTreasury, ConflictError, NotFoundError

from tests.api.conftest import MISSING, Raw
from tests.api.lendnow import LendNow
from tests.api.refusals import refused


async def test_a_new_transaction_is_pending_and_shows_everything(client: AsyncModernTreasury, lender: LendNow) -> None:
    entries: Any = lender.entries({"cash": 700}, {"revenue": 700})
    entries[0] |= {"metadata": {"leg": "1"}, "show_resulting_ledger_account_balances": True}

    made = await client.ledger_transactions.create(
        ledger_entries=entries,
        description="A fee",
        metadata={"transactionType": "fee"},
        external_id="fee-1",
        effective_at="2024-05-06T07:08:09.123456+02:00",
        ledgerable_type="payment_order",
        ledgerable_id=MISSING,
    )

    assert (made.status, made.description, made.external_id) == ("pending", "A fee", "fee-1")
    assert (made.metadata, made.posted_at, made.ledger_id) == ({"transactionType": "fee"}, None, lender.ledger_id)
    assert made.effective_at.isoformat() == "2024-05-06T05:08:09.123456+00:00"
    assert made.effective_date.isoformat() == "2024-05-06"
    assert (made.ledgerable_type, made.ledgerable_id) == ("payment_order", MISSING)
    debit, credit = made.ledger_entries
    assert (debit.amount, debit.amount_string, debit.direction, debit.status) == (700, "700", "debit", "pending")
    assert (debit.ledger_account_id, debit.ledger_account_lock_version) == (lender.ids["cash"], 1)
    assert (debit.metadata, debit.ledger_transaction_id) == ({"leg": "1"}, made.id)
    assert debit.resulting_ledger_account_balances is not None
    assert debit.resulting_ledger_account_balances.pending_balance.amount == 700
    assert debit.resulting_ledger_account_balances.posted_balance.amount == 0
    assert credit.resulting_ledger_account_balances is None
    assert await lender.amounts("cash") == (0, 700, 0)

    debit.resulting_ledger_account_balances = None
    assert await client.ledger_transactions.retrieve(made.id) == made
    assert await client.ledger_transactions.retrieve("fee-1") == made


async def test_posting_makes_a_transaction_final(client: AsyncModernTreasury, lender: LendNow) -> None:
    pending = await lender.post({"cash": 5}, {"revenue": 5}, status="pending")

    posted = await client.ledger_transactions.update(pending.id, status="posted")
    again = await client.ledger_transactions.update(pending.id, status="posted")

    assert posted.status == "posted"
    assert posted.posted_at is not None
    assert again == posted
    assert [entry.status for entry in posted.ledger_entries] == ["posted", "posted"]
    assert await client.ledger_transactions.retrieve(pending.id) == posted
    assert await lender.amounts("cash") == (5, 5, 5)
    body = {
        "code": "parameter_invalid",
        "message": "The ledger transaction may not be updated once it is posted",
        "parameter": "ledger_transaction",
    }
    assert await refused(client.ledger_transactions.update(pending.id, status="archived")) == body
    assert await refused(client.ledger_transactions.update(pending.id, description="other")) == body

    noted = await client.ledger_transactions.update(pending.id, metadata={"note": "1"})
    assert noted.metadata == {"note": "1"}


async def test_a_pending_transaction_changes_in_everything_that_describes_it(
    client: AsyncModernTreasury, lender: LendNow
) -> None:
    pending = await lender.post({"cash": 5}, {"revenue": 5}, status="pending", external_id="a", description="d")

    changed = await client.ledger_transactions.update(
        pending.id,
        external_id="b",
        description=None,
        effective_at="2024-05-06T07:08:09Z",
        ledgerable_type="return",
        ledgerable_id=MISSING,
    )

    assert (changed.external_id, changed.description, changed.status) == ("b", None, "pending")
    assert changed.effective_at.isoformat() == "2024-05-06T07:08:09+00:00"
    assert (changed.ledgerable_type, changed.ledgerable_id) == ("return", MISSING)
    assert await client.ledger_transactions.retrieve("b") == changed
    found = client.ledger_transactions.list(ledgerable_id=MISSING, ledgerable_type="return")
    assert [one.id async for one in found] == [pending.id]


async def test_archiving_gives_everything_back(client: AsyncModernTreasury, lender: LendNow) -> None:
    pending = await lender.post({"cash": 5}, {"revenue": 5}, status="pending", external_id="again")
    archived = await client.ledger_transactions.update(pending.id, status="archived")

    assert (archived.status, archived.posted_at) == ("archived", None)
    assert await lender.amounts("cash") == (0, 0, 0)
    assert (await refused(client.ledger_transactions.update(pending.id, status="posted")))["message"] == (
        "The ledger transaction may not be updated once it is archived"
    )
    with pytest.raises(NotFoundError):
        await client.ledger_transactions.retrieve("again")
    reborn = await lender.post({"cash": 6}, {"revenue": 6}, external_id="again")
    assert (await client.ledger_transactions.retrieve("again")).id == reborn.id


async def test_an_external_id_is_never_used_twice_however_equal_the_content(
    client: AsyncModernTreasury, lender: LendNow
) -> None:
    first = await lender.post({"cash": 5}, {"revenue": 5}, external_id="one")
    body = {
        "code": "parameter_invalid",
        "message": "Another ledger transaction within the same ledger exists using the external ID you provided",
        "parameter": "external_id",
    }
    assert await refused(lender.post({"cash": 5}, {"revenue": 5}, external_id="one")) == body
    other = await lender.post({"cash": 5}, {"revenue": 5}, status="pending")
    assert await refused(client.ledger_transactions.update(other.id, external_id="one")) == body
    assert await refused(client.ledger_transactions.create_reversal(first.id, external_id="one")) == body


async def test_two_ledgers_that_share_an_external_id_conflict(client: AsyncModernTreasury, lender: LendNow) -> None:
    other = await LendNow.open(client)
    for one in (lender, other):
        await one.post({"cash": 5}, {"revenue": 5}, external_id="shared")
    with pytest.raises(ConflictError) as caught:
        await client.with_options(max_retries=5).ledger_transactions.retrieve("shared")
    assert caught.value.response.request.headers["x-stainless-retry-count"] == "0"
    assert caught.value.response.json()["errors"]["parameter"] == "id"


async def test_replacing_entries_discards_the_old_ones(client: AsyncModernTreasury, lender: LendNow) -> None:
    pending = await lender.post({"cash": 5}, {"revenue": 5}, status="pending", description="before")
    entries: Any = lender.entries({"cash": 7, "expenses": 1}, {"revenue": 8})

    changed = await client.ledger_transactions.update(
        pending.id, ledger_entries=entries, description="after", metadata={"a": "1"}
    )

    assert [entry.amount for entry in changed.ledger_entries] == [7, 1, 8]
    assert (changed.description, changed.status, changed.metadata) == ("after", "pending", {"a": "1"})
    assert await lender.amounts("cash") == (0, 7, 0)

    async def listed(**filters: Any) -> list[tuple[str, bool]]:
        found = client.ledger_entries.list(ledger_transaction_id=pending.id, **filters)
        return [(entry.id, entry.discarded_at is not None) async for entry in found]

    new = [(entry.id, False) for entry in reversed(changed.ledger_entries)]
    old = [(entry.id, True) for entry in reversed(pending.ledger_entries)]
    assert await listed() == new
    assert await listed(show_deleted=True) == new + old

    versions = [one async for one in client.ledger_transactions.versions.list(ledger_transaction_id=pending.id)]
    assert [(one.version, one.description) for one in versions] == [(1, "after"), (0, "before")]
    assert [[entry.amount for entry in one.ledger_entries] for one in versions] == [[7, 1, 8], [5, 5]]


async def test_a_posted_transaction_is_reversed_once(client: AsyncModernTreasury, lender: LendNow) -> None:
    posted = await lender.post({"cash": 5}, {"revenue": 5}, effective_at="2024-01-02")

    reversal = await client.ledger_transactions.create_reversal(posted.id, description="returned", metadata={"r": "1"})

    assert (reversal.status, reversal.reverses_ledger_transaction_id) == ("posted", posted.id)
    assert reversal.effective_at == posted.effective_at
    assert [entry.direction for entry in reversal.ledger_entries] == ["credit", "debit"]
    reversed_one = await client.ledger_transactions.retrieve(posted.id)
    assert reversed_one.reversed_by_ledger_transaction_id == reversal.id
    assert await lender.amounts("cash") == (0, 0, 0)
    assert (await refused(client.ledger_transactions.create_reversal(posted.id)))["parameter"] == "ledger_transaction"
    pending = await lender.post({"cash": 5}, {"revenue": 5}, status="pending")
    assert (await refused(client.ledger_transactions.create_reversal(pending.id)))["parameter"] == "ledger_transaction"
    found = client.ledger_transactions.list(reverses_ledger_transaction_id=posted.id)
    assert [one.id async for one in found] == [reversal.id]


async def test_a_part_is_posted_and_the_rest_stays_pending(client: AsyncModernTreasury, lender: LendNow) -> None:
    pending = await lender.post({"cash": 10}, {"revenue": 10}, status="pending")
    part: Any = lender.entries({"cash": 4}, {"revenue": 4})

    posted = await client.ledger_transactions.create_partial_post(
        pending.id, posted_ledger_entries=part, description="first part", effective_at="2024-02-03T00:00:00Z"
    )

    assert (posted.status, posted.partially_posts_ledger_transaction_id) == ("posted", pending.id)
    assert [entry.amount for entry in posted.ledger_entries] == [4, 4]
    rest = await client.ledger_transactions.retrieve(pending.id)
    assert (rest.status, [entry.amount for entry in rest.ledger_entries]) == ("pending", [6, 6])
    assert await lender.amounts("cash") == (4, 10, 4)
    too_much: Any = lender.entries({"cash": 6}, {"revenue": 6})
    error = await refused(client.ledger_transactions.create_partial_post(pending.id, posted_ledger_entries=too_much))
    assert error["parameter"] == "posted_ledger_entries[0].amount"
    parts = client.ledger_transactions.list(partially_posts_ledger_transaction_id=pending.id)
    assert [one.id async for one in parts] == [posted.id]


async def test_a_stale_version_writes_nothing(client: AsyncModernTreasury, lender: LendNow) -> None:
    await lender.post({"cash": 5}, {"revenue": 5})
    entries: Any = lender.entries({"cash": 1}, {"revenue": 1})
    entries[0]["lock_version"] = 0
    assert await refused(client.ledger_transactions.create(ledger_entries=entries)) == {
        "code": "parameter_invalid",
        "message": "The ledger transaction write failed because at least one of the provided ledger account versions "
        "is incorrect",
        "parameter": "ledger_entries",
    }
    archived = await client.ledger_transactions.create(
        ledger_entries=entries, extra_body={"archive_on_balance_lock_failure": True}
    )
    assert (archived.status, archived.archived_reason) == ("archived", "balance_lock_failure")
    entries[0]["lock_version"] = (await lender.account("cash")).lock_version
    assert (await client.ledger_transactions.create(ledger_entries=entries)).status == "pending"


async def test_conditions_hold_after_the_write_or_nothing_is_written(
    client: AsyncModernTreasury, lender: LendNow
) -> None:
    await lender.post({"cash": 10}, {"investor_principal": 10})
    entries: Any = lender.entries({"loan_principal": 11}, {"cash": 11})
    entries[1]["available_balance_amount"] = {"gte": 0}
    error = await refused(client.ledger_transactions.create(ledger_entries=entries))
    assert error["parameter"] == "ledger_entries[1]"
    assert error["message"].endswith("would be -1, which is not gte 0")
    for entry in entries:
        entry["amount"] = 10
    assert (await client.ledger_transactions.create(ledger_entries=entries, status="posted")).status == "posted"
    assert await lender.amounts("cash") == (0, 0, 0)


async def test_amounts_have_up_to_36_digits(client: AsyncModernTreasury, lender: LendNow) -> None:
    most = 10**36 - 1
    made = await lender.post({"cash": most}, {"revenue": most})
    assert [entry.amount for entry in made.ledger_entries] == [most, most]
    again: Any = lender.entries({"cash": most}, {"revenue": most})
    for entry in again:
        entry["amount_string"] = str(entry.pop("amount"))
    await client.ledger_transactions.create(ledger_entries=again, status="posted")
    posted = (await lender.account("cash")).balances.posted_balance
    assert (posted.amount, posted.amount_string) == (2 * most, str(2 * most))
    found = client.ledger_transactions.list(amount={"eq": most}, ledger_account_id=lender.ids["cash"])
    assert len([one async for one in found]) == 2


async def test_a_transaction_of_nothing_is_a_transaction(lender: LendNow) -> None:
    assert (await lender.post({"cash": 0}, {"revenue": 0})).status == "posted"


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"amount": -1}, "ledger_entries[0].amount"),
        ({"amount": 6}, "ledger_entries"),
        ({"amount": 10**36}, "ledger_entries[0].amount"),
        ({"amount": 5.5}, "ledger_entries[0].amount"),
        ({"amount": "5"}, "ledger_entries[0].amount"),
        ({"amount": True}, "ledger_entries[0].amount"),
        ({"amount_string": 5}, "ledger_entries[0].amount_string"),
        ({"amount_string": "6"}, "ledger_entries[0].amount_string"),
        ({"direction": "up"}, "ledger_entries[0].direction"),
        ({"direction": "credit"}, "ledger_entries"),
        ({"ledger_account_id": MISSING}, "ledger_entries[0].ledger_account_id"),
        ({"ledger_account_id": "cash"}, "ledger_entries[0].ledger_account_id"),
        ({"lock_version": "1"}, "ledger_entries[0].lock_version"),
        ({"available_balance_amount": {"ne": 1}}, "ledger_entries[0].available_balance_amount"),
        ({"available_balance_amount": {"gt": "1"}}, "ledger_entries[0].available_balance_amount.gt"),
        ({"effective_at": "soon"}, "ledger_entries[0].effective_at"),
        ({"metadata": {"a": None, "b": []}}, "ledger_entries[0].metadata"),
        ({"ledger_acount_id": "typo"}, "ledger_entries[0].ledger_acount_id"),
    ],
)
async def test_a_wrong_entry_is_refused_by_name(
    raw: Raw, lender: LendNow, change: dict[str, object], parameter: str
) -> None:
    changed, other = lender.entries({"cash": 5}, {"revenue": 5})
    entries = [{**changed, **change}, other]
    status, _, blamed = await raw.error("POST", "/api/ledger_transactions", json={"ledger_entries": entries})
    assert (status, blamed) == (422, parameter)


async def test_accounts_of_two_ledgers_share_no_transaction(client: AsyncModernTreasury, lender: LendNow) -> None:
    other = await LendNow.open(client)
    entries: Any = [*lender.entries({"cash": 5}, {}), *other.entries({}, {"cash": 5})]
    error = await refused(client.ledger_transactions.create(ledger_entries=entries))
    assert error["parameter"] == "ledger_entries[1].ledger_account_id"


async def test_an_unknown_transaction_is_not_found(client: AsyncModernTreasury, lender: LendNow) -> None:
    part: Any = lender.entries({"cash": 5}, {"revenue": 5})
    for call in (
        client.ledger_transactions.retrieve(MISSING),
        client.ledger_transactions.retrieve("nothing"),
        client.ledger_transactions.update(MISSING, status="posted"),
        client.ledger_transactions.create_reversal(MISSING),
        client.ledger_transactions.create_partial_post(MISSING, posted_ledger_entries=part),
    ):
        with pytest.raises(NotFoundError):
            await call


async def test_lists_filter_and_order(client: AsyncModernTreasury, lender: LendNow) -> None:
    first = await lender.post({"cash": 1}, {"revenue": 1}, effective_at="2024-03-03", metadata={"loanID": "1"})
    second = await lender.post({"cash": 2}, {"investor_principal": 2}, effective_at="2024-01-01", status="pending")
    third = await lender.post({"expenses": 3}, {"cash": 3}, effective_at="2024-02-02", external_id="third")

    async def found(**filters: Any) -> list[str]:
        return [one.id async for one in client.ledger_transactions.list(**{"per_page": 1, **filters})]

    assert await found() == [third.id, second.id, first.id]
    assert await found(order_by={"created_at": "asc"}) == [first.id, second.id, third.id]
    assert await found(order_by={"effective_at": "asc"}) == [second.id, third.id, first.id]
    assert await found(order_by={"effective_at": "desc"}) == [first.id, third.id, second.id]
    assert await found(id=[first.id, second.id]) == [second.id, first.id]
    assert await found(ledger_id=MISSING) == []
    assert await found(ledger_account_id=lender.ids["revenue"]) == [first.id]
    assert await found(metadata={"loanID": "1"}) == [first.id]
    assert await found(status="pending") == [second.id]
    assert await found(status=["pending", "posted"]) == [third.id, second.id, first.id]
    assert await found(external_id="third") == [third.id]
    assert await found(effective_at={"gte": "2024-01-02", "lt": "2024-03-03"}) == [third.id]
    assert await found(effective_date={"eq": "2024-03-03"}) == [first.id]
    assert await found(effective_date={"lte": "2024-02-02"}) == [third.id, second.id]
    assert await found(posted_at={"gt": first.posted_at}) == [third.id]
    assert await found(updated_at={"lte": second.updated_at}) == [second.id, first.id]
    assert await found(amount={"gte": 2, "lt": 3}) == [second.id]
    assert await found(ledgerable_id=MISSING, ledgerable_type="return") == []
    category = await client.ledger_account_categories.create(
        name="Costs", currency="USD", normal_balance="debit", ledger_id=lender.ledger_id
    )
    await client.ledger_account_categories.add_ledger_account(lender.ids["expenses"], id=category.id)
    assert await found(ledger_account_category_id=category.id) == [third.id]


async def test_a_repeated_key_posts_once(client: AsyncModernTreasury, lender: LendNow) -> None:
    calls = [lender.post({"cash": 5}, {"revenue": 5}, idempotency_key="the-same") for _ in range(8)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    made = {one.id for one in answers if not isinstance(one, BaseException)}
    assert len(made) == 1
    assert all(isinstance(one, ConflictError) for one in answers if isinstance(one, BaseException))
    assert await lender.amounts("cash") == (5, 5, 5)


async def test_an_account_with_entries_is_not_discarded(client: AsyncModernTreasury, lender: LendNow) -> None:
    await lender.post({"cash": 5}, {"revenue": 5})
    assert (await refused(client.ledger_accounts.delete(lender.ids["cash"])))["code"] == "parameter_invalid"
    await client.ledger_accounts.delete(lender.ids["expenses"])
    error = await refused(lender.post({"expenses": 5}, {"cash": 5}))
    assert (error["code"], error["parameter"]) == ("resource_not_found", "ledger_entries[0].ledger_account_id")
