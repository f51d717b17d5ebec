"""A ledger behind the API beside its model: accounts, categories and transactions, whatever they are told."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import ClassVar, NamedTuple
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from modern_treasury import AsyncModernTreasury

from tests.api import official
from tests.api.official import Reply
from tests.api.shown import Document, Shown, balances
from tests.api.spoken import PARAMETERS, Spoken, sayable, spoken
from tests.beside_a_model import BesideAModel
from tests.ledger.drawn import NAMES, NOBODY, creations, metadata, metadata_changes, moves, operations, parts, updates
from tests.ledger.model import REFUSED, REPLAYED, Answer, Model
from tests.ledger.model_state import END_OF_TIME, Account, merged
from worker.ledger.balance import Sums
from worker.ledger.transaction import (
    UNSET,
    Create,
    Direction,
    NewEntry,
    Operation,
    PartialPost,
    RefusalCode,
    Reverse,
    Status,
    Update,
)

KEYS = count(1)
MOST_ACCOUNTS, MOST_CATEGORIES = 9, 6
UNITS = (("GBP", 2), ("GBP", 2), ("GBP", 2), ("USD", 2), ("POINTS", 0), ("POINTS", 3))

some_external_ids = st.none() | st.sampled_from(NAMES)


class Kept(NamedTuple):
    """A call that was made under a key, and its answer."""

    key: str
    body: Document


class Books(BesideAModel):
    """A ledger and its model, and what both are told."""

    client: ClassVar[AsyncModernTreasury]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model({})
        self.categories = self.model.categories
        self.ids: dict[str, str] = {}
        self.about: dict[str, Document] = {}
        """What never follows from postings: the documents of accounts and categories, but for their balances."""
        self.units = self.categories.units
        self.kept: list[Kept] = []
        self.ledger_id = self.make("ledgers", name="Books")["id"]
        self.shown = Shown(self.model, self.ledger_id, self.ids)
        foreign = self.make("ledgers", name="Others")["id"]
        self._open("foreign", Account(Direction.DEBIT, "GBP", foreign=True), foreign, {})
        for name, side in (("cash", Direction.DEBIT), ("due", Direction.CREDIT)):
            self._open(name, Account(side, "GBP"), self.ledger_id, {})

    def ask(self, method: str, path: str, body: Document | None = None, key: str | None = None) -> Reply:
        """One call by the official client; nothing is ever answered with a server's error."""
        reply = self.wait_for(official.call(self.client, method, path, body, key))
        assert reply.status < 500, (method, path, body, reply)
        return reply

    def make(self, path: str, **body: object) -> Document:
        """Create something that has to succeed."""
        reply = self.ask("POST", path, body)
        assert reply.status == 201, reply
        return dict(reply.body)

    def contents(self) -> dict[str, set[str]]:
        """The accounts in each category in use."""
        return {name: self.categories.contents(name) for name in self.units}

    def _open(self, name: str, account: Account, ledger_id: str, more: Document) -> Reply:
        body = {
            "name": name,
            "ledger_id": ledger_id,
            "normal_balance": account.normal_balance,
            "currency": account.currency,
            "currency_exponent": account.exponent,
            **more,
        }
        reply = self.ask("POST", "ledger_accounts", body)
        if reply.accepted:
            self.model.open(name, account)
            self.ids[name] = reply.body["id"]
            self.about[name] = reply.body
        return reply

    @rule(data=st.data())
    def keep_house(self, data: st.DataObject) -> None:
        """Open, change, move or discard an account or a category."""
        works = [self._open_account] * (2 * (len(self.model.accounts) < MOST_ACCOUNTS))
        works += [self._open_category] * (2 * (len(self.units) < MOST_CATEGORIES))
        works += [self._move_account] * 4 + [self._move_category] * 2 if self.units else []
        works += [self._change_account, self._discard_account, *([self._discard_category] if self.units else [])]
        works += [self._discard_ledgers]
        data.draw(st.sampled_from(works))(data)

    def _open_account(self, data: st.DataObject) -> None:
        shelves = data.draw(st.lists(st.sampled_from(sorted(self.units) or [""]), max_size=2, unique=True))
        shelves = [shelf for shelf in shelves if shelf]
        external_id, about = data.draw(some_external_ids), data.draw(metadata)
        account = Account(data.draw(st.sampled_from(Direction)), *data.draw(st.sampled_from(UNITS)))
        name = f"account {len(self.model.accounts)}"
        more = {"metadata": about, "ledger_account_category_ids": [self.ids[shelf] for shelf in shelves]}
        more |= {} if external_id is None else {"external_id": external_id}
        fits = all(self._fits(shelf, account) for shelf in shelves) and not self._is_taken(external_id)
        reply = self._open(name, account, self.ledger_id, more)
        assert reply.status == (201 if fits else 422), reply
        self.categories.members |= {(shelf, name) for shelf in shelves} if fits else set()

    def _fits(self, category: str, account: Account) -> bool:
        unit = self.units[category]
        return not account.foreign and (unit.currency, unit.exponent) == (account.currency, account.exponent)

    def _is_taken(self, external_id: object) -> bool:
        """Whether another account has an external id; discarding one frees it."""
        taken = (self.about[name]["external_id"] for name in self.own_accounts())
        return external_id is not None and external_id in taken

    def _change_account(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.own_accounts()))
        changes, external_id = data.draw(metadata_changes), data.draw(some_external_ids)
        body = {"metadata": changes, "external_id": external_id}
        reply = self.ask("PATCH", f"ledger_accounts/{self.ids[name]}", body)
        before = self.about[name]
        if self.model.accounts[name].discarded:
            assert reply.status == 404, reply
        elif external_id != before["external_id"] and self._is_taken(external_id):
            assert reply.status == 422, reply
        else:
            assert reply.status == 200, reply
            assert reply.body["metadata"] == merged(before["metadata"], changes)
            assert reply.body["external_id"] == external_id
            self.about[name] = reply.body

    def _discard_account(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.accounts)))
        reply = self.ask("DELETE", f"ledger_accounts/{self.ids[name]}")
        account = self.model.accounts[name]
        expected = 404 if account.discarded else 422 if self.model.version(name) else 200
        assert reply.status == expected, reply
        account.discarded |= reply.accepted
        if reply.accepted and name in self.about:
            self.about[name] = {**self.about[name], "external_id": None}

    def _open_category(self, data: st.DataObject) -> None:
        parents = data.draw(st.lists(st.sampled_from(sorted(self.units) or [""]), max_size=2, unique=True))
        parents = [parent for parent in parents if parent]
        account = Account(data.draw(st.sampled_from(Direction)), *data.draw(st.sampled_from(UNITS)))
        name = f"category {len(self.ids)}"
        body = {
            "name": name,
            "ledger_id": self.ledger_id,
            "normal_balance": account.normal_balance,
            "currency": account.currency,
            "currency_exponent": account.exponent,
            "metadata": data.draw(metadata),
            "ledger_account_category_ids": [self.ids[parent] for parent in parents],
        }
        reply = self.ask("POST", "ledger_account_categories", body)
        before = set(self.categories.nestings)
        fits = all(self._fits(parent, account) and self.categories.nest(parent, name) for parent in parents)
        assert reply.status == (201 if fits else 422), reply
        if fits:
            self.ids[name], self.about[name], self.units[name] = reply.body["id"], reply.body, account
            self.categories.names[UUID(self.ids[name])] = name
        else:
            self.categories.nestings = before

    def _discard_ledgers(self, data: st.DataObject) -> None:
        """One with accounts or categories stays, an empty one goes."""
        in_use = bool(self.accounts_in_use() or self.units)
        empty = self.make("ledgers", name=data.draw(st.sampled_from(NAMES)))["id"]
        assert not in_use or self.ask("DELETE", f"ledgers/{self.ledger_id}").status == 422
        assert self.ask("DELETE", f"ledgers/{empty}").status == 200
        assert self.ask("GET", f"ledgers/{empty}").status == 404

    def _move_account(self, data: st.DataObject) -> None:
        leaves = data.draw(st.booleans())
        category = data.draw(st.sampled_from(sorted(self.units)))
        name = data.draw(st.sampled_from(sorted(self.model.accounts)))
        path = f"ledger_account_categories/{self.ids[category]}/ledger_accounts/{self.ids[name]}"
        reply = self.ask("DELETE" if leaves else "PUT", path)
        account = self.model.accounts[name]
        fits = leaves or self._fits(category, account)
        assert reply.status == (404 if account.discarded else 200 if fits else 422), reply
        if reply.accepted:
            pairs = {(category, name)}
            self.categories.members = self.categories.members - pairs if leaves else self.categories.members | pairs

    def _move_category(self, data: st.DataObject) -> None:
        leaves = data.draw(st.booleans())
        parent, child = (data.draw(st.sampled_from(sorted(self.units))) for _ in range(2))
        path = f"ledger_account_categories/{self.ids[parent]}/ledger_account_categories/{self.ids[child]}"
        reply = self.ask("DELETE" if leaves else "PUT", path)
        if leaves:
            self.categories.nestings.discard((parent, child))
            assert reply.status == 200, reply
        else:
            fits = self._fits(parent, self.units[child]) and self.categories.nest(parent, child)
            assert reply.status == (200 if fits else 422), reply

    def _discard_category(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.units)))
        path = f"ledger_account_categories/{self.ids[name]}"
        assert self.ask("DELETE", path).status == 200
        assert self.ask("GET", path).status == 404
        del self.units[name]
        self.categories.members = {pair for pair in self.categories.members if pair[0] != name}
        self.categories.nestings = {pair for pair in self.categories.nestings if name not in pair}

    @rule(data=st.data(), times=st.integers(1, 4))
    def create(self, data: st.DataObject, times: int) -> None:
        """Create some transactions."""
        for _ in range(times):
            self._tell(data, data.draw(creations(self.model)))

    @rule(data=st.data(), times=st.integers(1, 4))
    def tell(self, data: st.DataObject, times: int) -> None:
        """Tell the ledger something."""
        for _ in range(times):
            self._tell(data, data.draw(operations(self.model)))

    @precondition(lambda self: any(known.now.status is Status.PENDING for known in self.model.transactions))
    @rule(data=st.data(), times=st.integers(1, 4))
    def change(self, data: st.DataObject, times: int) -> None:
        """Change, post, archive or post a part of what is pending."""
        for _ in range(times):
            self._tell(data, data.draw(updates(self.model) | parts(self.model) | moves(self.model)))

    def _tell(self, data: st.DataObject, drawn: Operation) -> None:
        operation = sayable(drawn, self.model)
        shows, in_words, keeps = (data.draw(st.booleans()) for _ in range(3))
        call = spoken(operation, self.ids, shows, in_words)
        key = f"key {next(KEYS)}" if keeps and call.method == "POST" else None
        reply = self.ask(*call, key=key)
        if key is not None and reply.accepted:
            self.kept.append(Kept(key, reply.body))
        if self._is_nobodys(operation):
            assert reply.status == 404, (call, reply)
            return
        known = len(self.model.transactions)
        answered = reply.body.get("updated_at" if isinstance(operation, Update) else "created_at")
        expected = self.model.apply(operation, moment_of(answered) if reply.accepted else END_OF_TIME)
        if expected.word == REFUSED or (expected.word == REPLAYED and not isinstance(operation, Update)):
            self._compare_refusal(call, reply, expected, wrong=self.model.wrong_entries(entries_said(operation)))
            return
        assert expected.transaction is not None
        assert reply.status == (200 if isinstance(operation, Update) else 201), (call, reply)
        if len(self.model.transactions) > known:
            expected.transaction.id = UUID(reply.body["id"])
        flags = (shows,) * len(entries_said(operation)) if expected.word != REPLAYED else ()
        assert reply.body == self.shown.transaction(expected.transaction, with_balances=flags)

    def _is_nobodys(self, operation: Operation) -> bool:
        """Whether an operation is about a transaction that does not exist."""
        match operation:
            case Reverse(original=key) | Update(transaction=key) | PartialPost(transaction=key):
                return self.model.find(key) is None
            case _:
                return False

    def _compare_refusal(self, call: Spoken, reply: Reply, expected: Answer, wrong: set[RefusalCode]) -> None:
        """Any of what is wrong is blamed: entries that no ledger would take may be noticed first."""
        codes = (expected.codes or {RefusalCode.EXTERNAL_ID_TAKEN}) | wrong
        assert reply.status == 422, (call, reply, codes)
        blamed = {parameter for code in codes for parameter in PARAMETERS.get(code, ("ledger_entries",))}
        if call.path.endswith("/partial_post"):
            blamed = {f"posted_{one}" if one == "ledger_entries" else one for one in blamed}
        assert reply.body["errors"]["parameter"].partition("[")[0] in blamed, (call, reply, codes)

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), elsewhere=st.booleans())
    def repeat_a_key(self, data: st.DataObject, elsewhere: bool) -> None:
        """A key answers as it did first, whatever it comes with, and does nothing."""
        key, body = data.draw(st.sampled_from(self.kept))
        path = f"ledger_transactions/{NOBODY}/reversal" if elsewhere else "ledger_transactions"
        reply = self.ask("POST", path, {} if elsewhere else {"ledger_entries": []}, key=key)
        assert (reply.status, reply.body) == (201, body)

    @precondition(lambda self: self.model.transactions)
    @rule(data=st.data(), changes=metadata_changes)
    def annotate_entry(self, data: st.DataObject, changes: dict[str, str | None]) -> None:
        """Merge metadata into an entry, be it replaced."""
        known = data.draw(st.sampled_from(self.model.transactions))
        line = data.draw(st.sampled_from((*known.gone, *known.now.lines)))
        path = f"ledger_entries/{self.shown.entry_id(known, line)}"
        reply = self.ask("PATCH", path, {"metadata": changes})
        assert reply.status == 200, reply
        self.model.annotate(known, line.n, changes, moment_of(reply.body["updated_at"]))
        changed = next(each for each in (*known.gone, *known.now.lines) if each.n == line.n)
        assert reply.body == self.shown.entry(known, changed)

    @invariant()
    def balances_are_the_models(self) -> None:
        """Every account and category in use shows what the model adds up."""
        lists = {"ledger_accounts": self.accounts_in_use(), "ledger_account_categories": list(self.units)}
        for path, names in lists.items():
            reply = self.ask("GET", f"{path}?ledger_id={self.ledger_id}&per_page=100")
            expected = {self.ids[name]: self.document(name) for name in names}
            assert {shown["id"]: shown for shown in reply.body} == expected

    def own_accounts(self) -> list[str]:
        """The accounts of this ledger."""
        return [name for name, account in self.model.accounts.items() if not account.foreign]

    def accounts_in_use(self) -> list[str]:
        """Those that a list of its accounts shows."""
        return [name for name in self.own_accounts() if not self.model.accounts[name].discarded]

    def document(self, name: str, sums: Sums | None = None, bounds: Document | None = None) -> Document:
        """An account or a category as it should be shown, with its present sums or others."""
        if name in self.model.accounts:
            shown = balances(self.model.sums(name) if sums is None else sums, self.model.accounts[name])
            window = bounds or {"effective_at_lower_bound": None, "effective_at_upper_bound": None}
            return self.about[name] | {"lock_version": self.model.version(name), "balances": {**window, **shown}}
        return self.about[name] | {"balances": balances(sums or self.model.sums_of_category(name), self.units[name])}


def entries_said(operation: Operation) -> tuple[NewEntry, ...]:
    """The entries an operation names, which may each ask for their balances."""
    match operation:
        case Create(new):
            return new.entries
        case PartialPost(entries=entries):
            return entries
        case Update(entries=entries) if entries is not UNSET:
            return entries
        case _:
            return ()


def moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text)
