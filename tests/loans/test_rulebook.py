"""A lender's own chart of accounts and posting rules: what they can say, and what is refused before money is posted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.loans.rulebooks import TAKING_BACK, TEXT, changed, with_sections
from worker.errors import UsageError
from worker.ledger.transaction import Direction
from worker.loans.rulebook import OCCASIONS, Occurrence, Rulebook
from worker.loans.rulebook_file import default_rulebook, read_rulebook
from worker.loans.rulebook_text import RulebookError, parse_rulebook

RULEBOOK = default_rulebook()
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
NAMES = {"currency": "GBP", "loan_id": "L1", "borrower_id": "B1"}

VAULT = """
[accounts.vault]
external_id = "cash:vault:{currency}"
name = "Vault"
normal_balance = "debit"
metadata = { accountType = "cash", bankAccountID = "BofA#213562345" }
categories = ["cash"]
"""


def written(rulebook: Rulebook, event: Occurrence) -> set[tuple[str, str, int]]:
    return {(line.direction.value, line.account.external_id, line.amount) for line in rulebook.lines(event)}


def test_a_lender_may_rename_accounts_and_keep_cash_in_another_place() -> None:
    text = changed('name = "Principal - Loan {loan_id}"', 'name = "Principal Balance - Loan #{loan_id}"')
    text = text.replace('credit = { cash = "amount - fee"', 'credit = { vault = "amount - fee"') + VAULT

    rulebook = parse_rulebook(text)

    assert rulebook.account("principal", NAMES).name == "Principal Balance - Loan #L1"
    drawn = Occurrence("loan.disbursed", {"amount": 1000, "interest": 0, "fee": 15}, NAMES)
    assert written(rulebook, drawn) == {
        ("debit", "loan:L1:principal:GBP", 1000),
        ("credit", "cash:vault:GBP", 985),
        ("credit", "revenue:fees:GBP", 15),
    }


def test_investors_may_share_one_account() -> None:
    pooled = changed("investor:{investor_id}:interest_due:{currency}", "interest_due:{currency}")
    pooled = pooled.replace('name = "Interest Due - {investor_id}"', 'name = "Interest Due"')
    head, tail = pooled.split("[accounts.interest_due]")
    body, rest = tail.split("[accounts.cash]")
    body = body.replace(', investorID = "{investor_id}"', "").replace(', "investor"]', "]")
    rulebook = parse_rulebook("[accounts.interest_due]".join((head, "[accounts.cash]".join((body, rest)))))

    accrued = Occurrence("loan.interest_accrued", {"amount": 100}, NAMES, {"amount": [("I", 25), ("J", 50)]})

    assert written(rulebook, accrued) == {
        ("debit", "loan:L1:interest:GBP", 100),
        ("credit", "interest_due:GBP", 75),
        ("credit", "revenue:interest:GBP", 25),
    }


@pytest.mark.parametrize("rulebook", [RULEBOOK, TAKING_BACK], ids=["default", "taking back what is written off"])
@given(st.data())
def test_every_rule_balances_whatever_the_amounts_are(rulebook: Rulebook, data: st.DataObject) -> None:
    rule = data.draw(st.sampled_from([key for key, occasion in OCCASIONS.items() if occasion.amounts]))
    occasion = OCCASIONS[rule]
    amounts = {term: data.draw(st.integers(0, 10**30)) for term in occasion.amounts}
    if occasion.limit:
        left = sum(amounts[term] for term in occasion.limit.larger)
        for term in occasion.limit.smaller:
            amounts[term] = data.draw(st.integers(0, left))
            left -= amounts[term]
    parts = {}
    for divided in occasion.divided:
        first = data.draw(st.integers(0, amounts[divided]))
        parts[divided] = [("I", first), ("J", data.draw(st.integers(0, amounts[divided] - first)))]
    names = {name: name for name in occasion.names}

    lines = rulebook.lines(Occurrence(rule, amounts, names, parts))

    assert sum(line.amount if line.direction is Direction.DEBIT else -line.amount for line in lines) == 0
    assert all(line.amount > 0 for line in lines)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[categories.cash]", "[categories.cash", "this is not TOML"),
        ("[categories.cash]", "[colours.cash]", "the file has colours"),
        ("[accounts.cash]", "[[accounts.cash]]", "accounts must be tables"),
        ('name = "Expenses"', "", "accounts.expenses.name must be a text"),
        ('name = "Expenses"', 'name = " "', "accounts.expenses.name must be a text"),
        ('name = "Expenses"', 'name = "Expenses"\ncolour = "red"', "accounts.expenses has colour"),
        ('name = "Expenses"', 'name = "Expenses {"', "accounts.expenses has a brace too many"),
        ('name = "Expenses"', 'name = "{loan_id.x}"', "a placeholder is a name in braces"),
        ('name = "Expenses"', 'name = "{loan_id!r}"', "a placeholder is a name in braces"),
        ('name = "Expenses"', 'name = "{}"', "a placeholder is a name in braces"),
        ('name = "Expenses"', 'name = "{vendor}"', "accounts.expenses speaks of vendor"),
        ("expenses:{currency}", "expenses:{loan_id}:{currency}", "posts to expenses, but the event does not say loan"),
        ("expenses:{currency}", "expenses", "accounts.expenses.external_id must hold {currency}"),
        ("expenses:{currency}", "cash:{currency}", "have the same external_id"),
        ('categories = ["cash"]', 'categories = ["money"]', 'names "money", which the file does not have'),
        ('categories = ["cash"]', 'categories = ["loan"]', 
         'accounts.cash would be one for all: its category "loan" speaks of borrower_id, loan_id'),
        ('categories = ["cash"]', "categories = [1]", "accounts.cash.categories must be a list of texts"),
        ('parent = "borrower"', 'parent = "loan"', "categories.loan is nested in a circle"),
        ('parent = "borrower"', 'parent = "family"', 'names the category "family"'),
        ('normal_balance = "credit"', 'normal_balance = "left"', 'must be "debit" or "credit", not "left"'),
        ('metadata = { categoryType = "cash" }', "metadata = 1", "categories.cash.metadata must be a table of texts"),
        ('metadata = { categoryType = "cash" }', "metadata = { a = 1 }", "categories.cash.metadata.a must be a text"),
        ('[rules."loan.refunded"]', '[rules."loan.refund"]', 'rules."loan.refund" belongs to no event'),
        ('open = ["principal"', 'open = ["capital"', 'names the account "capital"'),
        ('open = ["principal"', 'open = ["principal_due"', "the event does not say investor_id"),
        ("debit = { payable = ", "debit = { owed = ", 'names the account "owed"'),
        ('credit = { charge_off = "amount" }', 'credit = { charge_off = "amount" }\nnot_below_zero = ["expenses"]',
         "rules.\"loan.recovered\".not_below_zero names expenses, to which the rule posts nothing"),
        ("debit = { payable = ", "debt = { payable = ", "has debt, which means nothing here"),
        ('debit = { payable = "amount" }', 'debit = "payable"', "debit must be a table like"),
        ('debit = { payable = "amount" }', "debit = {}", "needs a debit and a credit"),
        ('debit = { payable = "amount" }', "debit = { payable = 1 }", 'must be a sum like "amount"'),
        ('debit = { payable = "amount" }', 'debit = { payable = "amount amount" }', 'must be a sum like "amount"'),
        ('debit = { payable = "amount" }', 'debit = { payable = "2 * amount" }', 'must be a sum like "amount"'),
        ('debit = { payable = "amount" }', 'debit = { payable = "total" }', "speaks of total; the event has amount"),
        ('cash = "amount - fee"', 'cash = "amount - interest"',
         'rules."loan.disbursed" may post less than nothing to cash: investor_interest, lender_interest can'),
        ('cash = "amount - fee"', 'cash = "amount - fee - lender_interest"', "may post less than nothing to cash"),
        ('"principal + interest + fees + overpayment - u', '"principal + interest + fees - u',
         'rules."loan.repayment" may post less than nothing to cash: processing_cost, unapplied_cash can be more'),
        ('debit = { payable = "amount" }', 'debit = { payable = "-amount" }', "may post less than nothing to payable"),
        ('cash = "amount - fee"', 'cash = "amount"', "does not balance: debits and credits differ in fee"),
        (', revenue_from_fees = "fee"', "", "does not balance: debits and credits differ in fee"),
        ("overpayment", "principal", 'must be a sum like "amount"'),
        ('interest_due = "investor_interest"', 'interest_due = "lender_interest"', "may post nothing but"),
        ('fees", principal_due = "investor_principal"', 'fees", principal_due = "principal"',
         "rules.\"loan.written_off\" may post nothing but investor_principal or investor_interest to principal_due"),
        ('debit = { charge_off = "lender_principal + interest + fees"', 'debit = { charge_off = "lender_principal"',
         "rules.\"loan.written_off\" does not balance: debits and credits differ in fees, investor_interest"),
        ('charge_off = "lender_principal + interest + fees"',
         'charge_off = "lender_principal + fees", revenue_from_interest = "lender_interest"',
         "rules.\"loan.written_off\" does not balance: debits and credits differ in investor_interest"),
        ('charge_off = "lender_principal + ', 'charge_off = "principal + ',
         "rules.\"loan.written_off\" does not balance: debits and credits differ in investor_principal"),
        (', interest_due = "interest" }\ncredit = { cash = "principal + interest" }',
         ' }\ncredit = { cash = "principal" }',
         "does not post interest, which the event carries"),
        ("loan:{loan_id}:interest:{currency}", "loan:interest:{currency}",
         "accounts.interest would be one for all: its name or metadata speaks of borrower_id, loan_id, but its "
         "external_id does not; put {loan_id} into accounts.interest.external_id, or leave it out there"),
        ("investor:{investor_id}:interest_due:{currency}", "interest_due:{currency}",
         "accounts.interest_due would be one for all: its name or metadata speaks of investor_id"),
        ('external_id = "loan:{loan_id}:{currency}"', 'external_id = "loan:{currency}"',
         "categories.loan would be one for all: its name or metadata speaks of loan_id"),
        ('external_id = "loan:{loan_id}:principal:{currency}"\nname = "Principal - Loan {loan_id}"\n'
         'normal_balance = "debit"\nmetadata = { accountType = "loan", loanID = "{loan_id}", borrowerID = '
         '"{borrower_id}" }',
         'external_id = "principal:{currency}"\nname = "Principal"\nnormal_balance = "debit"',
         'accounts.principal would be one for all: its category "loan" speaks of borrower_id, loan_id'),
        ('metadata = { categoryType = "cash" }', 'metadata = { categoryType = "cash" }\nparent = "borrower"',
         'categories.cash would be one for all: its parent "borrower" speaks of borrower_id'),
        ('credit = { cash = "amount" }\n\n[rules."expense', 'credit = { cash_reserve = "amount" }\n\n[rules."expense',
         "rules.\"cash.swept\" debits and credits cash_reserve with amount, which moves nothing: name another account"),
    ],
)  # fmt: skip
def test_what_would_post_wrongly_is_refused_by_name(old: str, new: str, complaint: str) -> None:
    with pytest.raises(RulebookError) as refusal:
        parse_rulebook(changed(old, new))
    assert complaint in str(refusal.value)


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_the_readme_offers_is_a_rulebook(example: str) -> None:
    assert parse_rulebook(with_sections(example)) != RULEBOOK


def test_what_the_readme_and_the_rulebook_offer_for_write_offs_is_the_same() -> None:
    [example] = [example for example in EXAMPLES if "loan.written_off" in example]
    assert parse_rulebook(with_sections(example)) == TAKING_BACK


def test_a_missing_rule_is_named() -> None:
    with pytest.raises(RulebookError, match=r'rules."loan.recovered" is missing'):
        parse_rulebook(
            TEXT.replace(
                '[rules."loan.recovered"]\ndebit = { cash = "amount" }\ncredit = { charge_off = "amount" }', ""
            )
        )


def test_the_setting_is_named_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    with pytest.raises(UsageError, match=rf"POSTING_RULES names {path}, which cannot be read"):
        read_rulebook(path)
    path.write_text("[accounts.cash]", encoding="utf-8")
    with pytest.raises(UsageError, match=rf"POSTING_RULES, {path}: accounts.cash.normal_balance must be"):
        read_rulebook(path)
    path.write_text(TEXT, encoding="utf-8")
    assert read_rulebook(path) == RULEBOOK == read_rulebook(None)
