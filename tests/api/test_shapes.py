"""Every object has exactly the members of Modern Treasury's OpenAPI: a closed schema takes neither fewer nor more."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import Raw
from tests.api.lendnow import LendNow


def names(text: str) -> set[str]:
    return set(text.split())


HEAD = names("id object live_mode created_at")
LEDGER = HEAD | names("updated_at discarded_at name description metadata")
ACCOUNT = LEDGER | names("normal_balance balances lock_version ledger_id ledgerable_id ledgerable_type external_id")
CATEGORY = LEDGER | names("normal_balance balances ledger_id external_id")
VERSION_ENTRY = HEAD | names(
    "amount amount_string effective_at direction status ledger_account_id ledger_account_lock_version metadata "
    "ledger_account_currency ledger_account_currency_exponent ledger_transaction_id resulting_ledger_account_balances"
)
ENTRY = VERSION_ENTRY | names("updated_at discarded_at")
STATE = HEAD | names(
    "description status metadata effective_at effective_date ledger_entries posted_at ledger_id ledgerable_type "
    "ledgerable_id external_id reverses_ledger_transaction_id reversed_by_ledger_transaction_id "
    "partially_posts_ledger_transaction_id archived_reason"
)
TRANSACTION = STATE | {"updated_at"}
VERSION = STATE | names("ledger_transaction_id version")
THREE_BALANCES = names("pending_balance posted_balance available_balance")
BOUNDS = names("effective_at_lower_bound effective_at_upper_bound")
BALANCE = names("credits credits_string debits debits_string amount amount_string currency currency_exponent")


async def test_objects_have_exactly_the_members_of_their_schema(raw: Raw, lender: LendNow) -> None:
    transaction = await lender.post({"cash": 5}, {"revenue": 5})
    category = await lender.client.ledger_account_categories.create(
        name="Cash", currency="USD", normal_balance="debit", ledger_id=lender.ledger_id
    )

    async def got(path: str) -> Any:
        status, body, _ = await raw.call("GET", f"/api{path}")
        assert status == 200
        return body

    assert set(await got(f"/ledgers/{lender.ledger_id}")) == LEDGER
    account = await got(f"/ledger_accounts/{lender.ids['cash']}")
    assert set(account) == ACCOUNT
    assert set(account["balances"]) == THREE_BALANCES | BOUNDS
    summed = await got(f"/ledger_account_categories/{category.id}")
    assert set(summed) == CATEGORY
    assert set(summed["balances"]) == THREE_BALANCES
    whole = await got(f"/ledger_transactions/{transaction.id}")
    assert set(whole) == TRANSACTION
    entry = await got(f"/ledger_entries/{whole['ledger_entries'][0]['id']}?show_balances=true")
    assert set(entry) == set(whole["ledger_entries"][0]) == ENTRY
    (version,) = await got(f"/ledger_transactions/{transaction.id}/versions")
    assert set(version) == VERSION
    assert set(version["ledger_entries"][0]) == VERSION_ENTRY
    resulting = entry["resulting_ledger_account_balances"]
    assert set(resulting) == THREE_BALANCES
    for balances in (account["balances"], summed["balances"], resulting):
        assert all(set(balances[name]) == BALANCE for name in THREE_BALANCES)
