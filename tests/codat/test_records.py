"""Where each kind of record is written and read, and platforms by their names."""

from __future__ import annotations

import pytest

from worker.codat.platforms import Platform, platform_of
from worker.codat.records import RecordKind, list_path, push_path


@pytest.mark.parametrize(
    ("integration_key", "name", "platform"),
    [
        ("gbol", "whatever", Platform.XERO),
        (None, "Xero", Platform.XERO),
        ("ndsk", "QuickBooks Online Sandbox", Platform.QUICKBOOKS_ONLINE),
        ("hcws", "QuickBooks Online Bank Feeds", Platform.QUICKBOOKS_ONLINE),
        (None, "Exact (Netherlands)", Platform.EXACT),
        (None, "Sage 50 (UK)", Platform.SAGE_50),
        (None, None, Platform.OTHER),
        ("zzzz", "Clear Books", Platform.OTHER),
    ],
)
def test_a_platform_is_known_by_its_key_or_else_by_its_name(
    integration_key: str | None, name: str | None, platform: Platform
) -> None:
    assert platform_of(integration_key, name) is platform


def test_accounts_are_pushed_under_another_name_than_their_data_type() -> None:
    assert push_path(RecordKind.ACCOUNT) == "push/accounts"
    assert list_path(RecordKind.ACCOUNT, "c", "p") == "companies/c/data/accounts"
    assert list_path(RecordKind.BANK_ACCOUNT, "c", "p") == "companies/c/connections/p/data/bankAccounts"


def test_an_opaque_account_id_cannot_change_the_path_it_is_put_into() -> None:
    path = push_path(RecordKind.BANK_TRANSACTION, bank_account_id="../../x?y#z a")
    assert path == "push/bankAccounts/..%2F..%2Fx%3Fy%23z%20a/bankTransactions"


def test_an_on_premise_platform_gets_a_day_to_take_a_write() -> None:
    assert push_path(RecordKind.TRANSFER, on_premise=True) == "push/transfers?timeoutInMinutes=1440"


def test_a_bank_transaction_needs_an_account_and_a_direct_income_is_never_pushed() -> None:
    for kind in (RecordKind.BANK_TRANSACTION, RecordKind.DIRECT_INCOME):
        with pytest.raises(ValueError, match=r"bank_account_id|negative direct cost"):
            push_path(kind)
