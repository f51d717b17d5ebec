"""Statements, balance monitors and settlements beside their model."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from tests.api.http_books import moment_of
from tests.api.http_lists import Lists
from tests.api.lists import spelt
from tests.api.settled import DRAFTING, Held, Settlement, Settlements, document
from tests.api.shown import Document, balances
from tests.ledger.drawn import MOMENTS, descriptions
from tests.ledger.model import WRITTEN
from tests.ledger.model_state import balance_of
from worker.ledger.transaction import BalanceKind, Create, NewEntry, NewTransaction, Status, Update

OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "less_than": operator.lt,
    "less_than_or_equals": operator.le,
    "equals": operator.eq,
    "greater_than_or_equals": operator.ge,
    "greater_than": operator.gt,
}
FIELDS = ("available_balance_amount", "pending_balance_amount", "posted_balance_amount", "ledger_account_lock_version")
MOST_MONITORS = 5


@dataclass(frozen=True)
class Monitor:
    """A balance monitor of the model."""

    id: str
    account: str
    field: str
    word: str
    value: int


class Objects(Lists):
    """What the API offers on top of the books."""

    def __init__(self) -> None:
        super().__init__()
        self.monitors: list[Monitor] = []
        self.settlements = Settlements(self.model)
        self.statements: list[tuple[Document, list[str]]] = []
        """Statements as they were made, and the entries each one counted."""

    @rule(data=st.data())
    def note(self, data: st.DataObject) -> None:
        """Make a statement, or read one again; watch an account, or no longer."""
        notes = [self._make_statement, self._watch, *([self._read_statement] if self.statements else [])]
        data.draw(st.sampled_from(notes))(data)

    def _make_statement(self, data: st.DataObject) -> None:
        bounds = sorted(data.draw(st.lists(st.sampled_from(MOMENTS), min_size=2, max_size=2, unique=True)))
        name = data.draw(st.sampled_from(self.accounts_in_use() or ["cash"]))
        said = {"effective_at_lower_bound": spelt(bounds[0]), "effective_at_upper_bound": spelt(bounds[1])}
        reply = self.ask("POST", "ledger_account_statements", {"ledger_account_id": self.ids[name], **said})
        account = self.model.accounts[name]
        if account.discarded:
            assert reply.status == 422, reply
            return
        assert reply.status == 201, reply
        expected = {
            **said,
            "ledger_account_lock_version": self.model.version(name),
            "starting_balance": balances(self.model.sums(name, bounds[0]), account),
            "ending_balance": balances(self.model.sums(name, bounds[1]), account),
        }
        assert expected.items() <= reply.body.items()
        counted = [
            str(entry.id)
            for entry in self.sources.written
            if entry.line.account == name
            and entry.last_version > self.model.version(name)
            and bounds[0] <= entry.line.moment < bounds[1]
        ]
        self.statements.append((reply.body, sorted(counted)))

    def _read_statement(self, data: st.DataObject) -> None:
        """It never changes, whatever was posted, replaced or archived since."""
        made, counted = data.draw(st.sampled_from(self.statements))
        assert self.ask("GET", f"ledger_account_statements/{made['id']}").body == made
        listed = self.read("ledger_entries", [("ledger_account_statement_id", str(made["id"]))], 2)
        assert sorted(str(entry["id"]) for entry in listed) == counted

    def _watch(self, data: st.DataObject) -> None:
        if len(self.monitors) == MOST_MONITORS:
            gone = self.monitors.pop(data.draw(st.integers(0, MOST_MONITORS - 1)))
            path = f"ledger_account_balance_monitors/{gone.id}"
            assert self.ask("DELETE", path).status == 200
            assert self.ask("GET", path).status == 404
            return
        name = data.draw(st.sampled_from(self.own_accounts()))
        field, word = data.draw(st.sampled_from(FIELDS)), data.draw(st.sampled_from(sorted(OPERATORS)))
        value = data.draw(st.integers(-1, 3))
        condition = {"field": field, "operator": word, "value": value}
        body = {"ledger_account_id": self.ids[name], "alert_condition": condition}
        reply = self.ask("POST", "ledger_account_balance_monitors", body)
        assert reply.status == (422 if self.model.accounts[name].discarded else 201), reply
        if reply.accepted:
            self.monitors.append(Monitor(reply.body["id"], name, field, word, value))

    @invariant()
    def monitors_are_triggered_as_their_accounts_are(self) -> None:
        """Every monitor knows the balances of this very moment."""
        if not self.monitors:
            return
        asked = [("id[]", monitor.id) for monitor in self.monitors]
        shown = {each["id"]: each for each in self.read("ledger_account_balance_monitors", asked, 2)}
        assert set(shown) == {monitor.id for monitor in self.monitors}
        for monitor in self.monitors:
            account, sums = self.model.accounts[monitor.account], self.model.sums(monitor.account)
            if monitor.field == "ledger_account_lock_version":
                seen = self.model.version(monitor.account)
            else:
                kind = BalanceKind(monitor.field.partition("_")[0])
                seen = balance_of(sums, kind, account.normal_balance)
            assert shown[monitor.id]["current_ledger_account_balance_state"] == {
                "balances": balances(sums, account),
                "ledger_account_lock_version": self.model.version(monitor.account),
                "triggered": OPERATORS[monitor.word](seen, monitor.value),
            }

    @rule(data=st.data(), status=st.sampled_from((DRAFTING, "pending", "posted")), either=st.booleans())
    def settle(self, data: st.DataObject, status: str, either: bool) -> None:
        """Settle an account against another, or draft to do so."""
        account = data.draw(st.sampled_from(self.own_accounts()))
        fitting = [name for name in self.model.accounts if self._can_be_settled(account, name)]
        contra = data.draw(st.sampled_from([*fitting, *fitting, *fitting, *sorted(self.model.accounts)]))
        bound = data.draw(st.none() | st.sampled_from(MOMENTS))
        description, skips = data.draw(descriptions), data.draw(st.sampled_from((False, False, True)))
        body = {
            "settled_ledger_account_id": self.ids[account],
            "contra_ledger_account_id": self.ids[contra],
            "status": status,
            "allow_either_direction": either,
            "effective_at_upper_bound": bound and spelt(bound),
            "description": description,
            "skip_settlement_ledger_transaction": skips,
        }
        reply = self.ask("POST", "ledger_account_settlements", body)
        now = moment_of(reply.body["created_at"]) if reply.accepted else MOMENTS[-1]
        settlement = Settlement(account, contra, either, bound or now, description)
        fits = self._can_be_settled(account, contra)
        if fits and status != DRAFTING:
            settlement.held = self.settlements.due(settlement)
            fits = self._completes(settlement, Status(status), reply.body, skips=skips)
        assert reply.status == (201 if fits else 422), (body, reply)
        if fits:
            settlement.id = reply.body["id"]
            self._take(settlement, settlement.held)
            self.settlements.every.append(settlement)
            self._compare_settlement(settlement, reply.body)

    def _can_be_settled(self, account: str, contra: str) -> bool:
        both = [self.model.accounts[name] for name in (account, contra)]
        units = {(each.currency, each.exponent, each.foreign) for each in both}
        return account != contra and len(units) == 1 and not any(each.discarded for each in both)

    def _completes(self, settlement: Settlement, status: Status, shown: Document, *, skips: bool) -> bool:
        """Post what a settlement comes to, unless that is refused."""
        if self.settlements.net(settlement) < 0 and not settlement.either:
            return False
        amount, direction = self.settlements.decide(settlement)
        if not skips:
            entries = (
                NewEntry(settlement.account, direction, amount),
                NewEntry(settlement.contra, direction.opposite, amount),
            )
            new = NewTransaction(None, status, settlement.bound, settlement.description, {}, entries)
            posted_by = shown.get("ledger_transaction_id")
            moment = self._moment("created_at", str(posted_by)) if posted_by else MOMENTS[-1]
            posted = self.model.apply(Create(new), moment)
            if posted.word != WRITTEN or posted.transaction is None:
                return False
            posted.transaction.id = UUID(str(shown["ledger_transaction_id"]))
            settlement.transaction = posted.transaction
            posted.transaction.settles = True
        settlement.amount, settlement.direction, settlement.own_status = amount, direction, status
        return True

    def _moment(self, member: str, transaction_id: str) -> datetime:
        """When a settlement's transaction was written or changed: under its locks, a little after the settlement."""
        return moment_of(str(self.ask("GET", f"ledger_transactions/{transaction_id}").body[member]))

    def _take(self, settlement: Settlement, held: set[Held]) -> None:
        """An entry that an archived settlement still held changes over."""
        for other in self.settlements.every:
            other.held -= held
        settlement.held |= held

    def _compare_settlement(self, settlement: Settlement, shown: Document) -> None:
        expected = document(settlement, self.model, self.ids)
        assert expected.items() <= shown.items(), (expected, shown)
        listed = self.read("ledger_entries", [("ledger_account_settlement_id", settlement.id)], None)
        assert {entry["id"] for entry in listed} == {str(UUID(int=known.id.int + n)) for known, n in settlement.held}

    @precondition(lambda self: self.settlements.every)
    @rule(data=st.data(), status=st.sampled_from(("posted", "archived")), skips=st.booleans())
    def end_settlement(self, data: st.DataObject, status: str, skips: bool) -> None:
        """Post or archive a settlement, or try to."""
        settlement = data.draw(st.sampled_from(self.settlements.every))
        path = f"ledger_account_settlements/{settlement.id}"
        reply = self.ask("PATCH", path, {"status": status, "skip_settlement_ledger_transaction": skips})
        match settlement.status:
            case same if same == status:
                accepted = True
            case "drafting" if status == "posted":
                accepted = self._completes(settlement, Status.POSTED, reply.body, skips=skips)
            case "drafting":
                settlement.own_status, accepted = status, True
            case "pending" if settlement.transaction is not None:
                update = Update(settlement.transaction.id, Status(status))
                transaction_id = str(settlement.transaction.id)
                moment = self._moment("updated_at", transaction_id) if reply.accepted else MOMENTS[-1]
                accepted = self.model.apply(update, moment).word == WRITTEN
            case "pending":
                settlement.own_status, accepted = status, True
            case _:
                accepted = False
        assert reply.status == (200 if accepted else 422), reply
        if accepted:
            self._compare_settlement(settlement, reply.body)

    @precondition(lambda self: self.settlements.every)
    @rule(data=st.data(), adds=st.booleans())
    def edit_draft(self, data: st.DataObject, adds: bool) -> None:
        """Add entries to a draft, or take some out."""
        drafts = [each for each in self.settlements.every if each.status == DRAFTING]
        settlement = data.draw(st.sampled_from(drafts or self.settlements.every))
        due = self.settlements.due(settlement) | settlement.held
        every = {(entry.transaction, entry.line.n) for entry in self.sources.written}
        within = due if data.draw(st.integers(0, 4)) and due else every
        likely = sorted(within, key=lambda held: (held[0].id, held[1]))
        if not likely:
            return
        chosen = data.draw(st.lists(st.sampled_from(likely), min_size=1, max_size=2))
        body = {"ledger_entry_ids": [str(UUID(int=known.id.int + n)) for known, n in chosen]}
        path = f"ledger_account_settlements/{settlement.id}/ledger_entries"
        reply = self.ask("PATCH" if adds else "DELETE", path, body)
        accepted = settlement.status == DRAFTING and (not adds or set(chosen) <= due)
        assert reply.status == (200 if accepted else 422), reply
        if accepted and adds:
            self._take(settlement, set(chosen))
        elif accepted:
            settlement.held -= set(chosen)

    @invariant()
    def settlements_are_the_models(self) -> None:
        """Whoever posts or archives a settlement's transaction, its status follows."""
        if not self.settlements.every:
            return
        reply = self.ask("GET", f"ledger_account_settlements?ledger_id={self.ledger_id}&per_page=100")
        shown = {each["id"]: each for each in reply.body}
        own = [each for each in self.settlements.every if not self.model.accounts[each.account].foreign]
        assert set(shown) == {each.id for each in own}
        for each in own:
            assert document(each, self.model, self.ids).items() <= shown[each.id].items()
