"""Reads of the books beside their model: single objects, and lists with every filter, order and page size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.api.http_books import Books
from tests.api.lists import (
    Filter,
    Parameters,
    Sources,
    Span,
    Written,
    balance_filters,
    entry_filters,
    entry_views,
    list_filters,
    sums_within,
    transaction_filters,
    windows,
)
from tests.api.shown import Document, without
from tests.ledger.model_state import Transaction, total
from worker.ledger.balance import NOTHING, Sums

T = TypeVar("T")

PAGES = (None, 1, 2, 3, 100)
"""Sizes of pages; None leaves it to the API, which shows 25."""


class Lists(Books):
    """Reads everything back."""

    @property
    def sources(self) -> Sources:
        return Sources(self.model, self.ids, self.contents())

    def read(self, path: str, parameters: Parameters, size: int | None) -> list[Document]:
        """A list to its end, page by page."""
        shown: list[Document] = []
        cursor: Parameters = []
        paging = [] if size is None else [("per_page", str(size))]
        while True:
            reply = self.ask("GET", f"{path}?{urlencode([*parameters, *paging, *cursor])}")
            assert reply.status == 200, (parameters, reply)
            assert reply.headers["X-Per-Page"] == str(size or 25)
            assert len(reply.body) <= (size or 25)
            shown += reply.body
            if "X-After-Cursor" not in reply.headers:
                return shown
            assert len(reply.body) == (size or 25)
            cursor = [("after_cursor", reply.headers["X-After-Cursor"])]

    @rule(data=st.data(), size=st.sampled_from(PAGES))
    def look(self, data: st.DataObject, size: int | None) -> None:
        """Read something back."""
        looks = [self._list_transactions, self._list_entries, self._list_entries, self._list_accounts]
        looks += [self._read_an_account, *([self._list_categories] if self.units else [])]
        looks += [self._read_a_transaction] if self.model.transactions else []
        for _ in range(3):
            data.draw(st.sampled_from(looks))(data, size)

    def _list_transactions(self, data: st.DataObject, size: int | None) -> None:
        asked = data.draw(transaction_filters(self.sources))
        field, direction = data.draw(st.sampled_from(("created_at", "effective_at"))), data.draw(directions)
        order = [] if (field, direction) == ("created_at", "desc") else [(f"order_by[{field}]", direction)]
        parameters = [("ledger_id", self.ledger_id), *asked.parameters, *order]
        shown = self.read("ledger_transactions", parameters, size)

        def place(known: Transaction) -> tuple[object, ...]:
            return (known.now.moment if field == "effective_at" else known.states[0].written_at, known.id)

        expected = ordered(self.model.transactions, asked, place, direction)
        assert shown == [self.shown.transaction(known) for known in expected], parameters

    def _list_entries(self, data: st.DataObject, size: int | None) -> None:
        with_balances = data.draw(st.booleans())
        view = data.draw(entry_views(self.sources))
        asked = view.with_also(data.draw(entry_filters(self.sources)))
        field, direction = data.draw(st.sampled_from(("", "created_at", "effective_at"))), data.draw(directions)
        order = [(f"order_by[{field}]", direction)] if field else []
        flags = [("show_balances", "true")] if with_balances else []
        parameters = [*asked.parameters, *order, *flags]
        shown = self.read("ledger_entries", parameters, size)
        by_version = view.parameters[0][0] == "ledger_account_id"

        def place(entry: Written) -> tuple[object, ...]:
            match field:
                case "created_at":
                    return (entry.line.created_at, entry.id)
                case "effective_at":
                    return (entry.line.moment, entry.id)
                case _:
                    return (entry.first_version,) if by_version else (entry.id,)

        expected = ordered(self.sources.written, asked, place, direction if field else "desc")
        assert shown == [
            self.shown.entry(entry.transaction, entry.line, with_balances=with_balances) for entry in expected
        ], parameters

    def _list_accounts(self, data: st.DataObject, size: int | None) -> None:
        span = data.draw(windows())
        also = data.draw(list_filters(self.ids, self.about, self.own_accounts(), self.contents()))
        asked = data.draw(balance_filters(self.sources, span)).with_also(also)
        parameters = [("ledger_id", self.ledger_id), *asked.parameters, *span.parameters]
        shown = self.read("ledger_accounts", parameters, size)
        expected = ordered(self.accounts_in_use(), asked, self._age, "desc")
        assert shown == [self.document_within(name, span) for name in expected], parameters

    def document_within(self, name: str, span: Span) -> Document:
        """An account with its balances over a window."""
        return self.document(name, sums_within(self.model, name, span), span.shown)

    def _list_categories(self, data: st.DataObject, size: int | None) -> None:
        span = data.draw(windows())
        asked = data.draw(list_filters(self.ids, self.about, sorted(self.units), {}))
        parameters = [("ledger_id", self.ledger_id), *asked.parameters]
        match data.draw(st.integers(0, 2)):
            case 0:
                parent = data.draw(st.sampled_from(sorted(self.units)))
                parameters.append(("parent_ledger_account_category_id", self.ids[parent]))
                within = {name for name in self.units if (parent, name) in self.categories.nestings}
            case 1:
                account = data.draw(st.sampled_from(sorted(self.model.accounts)))
                parameters.append(("ledger_account_id", self.ids[account]))
                within = {name for name in self.units if account in self.categories.contents(name)}
            case _:
                within = set(self.units)
        shown = self.read("ledger_account_categories", [*parameters, *span.parameters], size)
        expected = ordered(sorted(within), asked, self._age, "desc")
        assert shown == [self.document(name, self._sums_of_category(name, span)) for name in expected], parameters

    def _sums_of_category(self, name: str, span: Span) -> Sums:
        return total(sums_within(self.model, account, span) for account in self.categories.contents(name))

    def _age(self, name: str) -> tuple[object, ...]:
        return (self.about[name]["created_at"], self.ids[name])

    def _read_a_transaction(self, data: st.DataObject, size: int | None) -> None:
        known = data.draw(st.sampled_from(self.model.transactions))
        assert self.ask("GET", f"ledger_transactions/{known.id}").body == self.shown.transaction(known)
        versions = self.read("ledger_transaction_versions", [("ledger_transaction_id", str(known.id))], size)
        expected = [self.shown.version(known, number) for number in reversed(range(len(known.states)))]
        assert [without(version, "id") for version in versions] == expected
        for line in (*known.gone, *known.now.lines):
            path = f"ledger_entries/{self.shown.entry_id(known, line)}?show_balances=true"
            assert self.ask("GET", path).body == self.shown.entry(known, line, with_balances=True)

    def _read_an_account(self, data: st.DataObject, size: int | None) -> None:
        span = data.draw(windows())
        name = data.draw(st.sampled_from(self.own_accounts()))
        path = f"ledger_accounts/{self.ids[name]}"
        if self.model.accounts[name].discarded:
            assert self.ask("GET", path).status == 404
            return
        assert self.ask("GET", f"{path}?{urlencode(span.parameters)}").body == self.document_within(name, span)
        version = data.draw(st.integers(0, self.model.version(name) + 1))
        reply = self.ask("GET", f"{path}?{urlencode([('balances[as_of_lock_version]', version)])}")
        if version > self.model.version(name):
            assert reply.status == 422, reply
        else:
            sums = self.model.writes[name][version - 1] if version else NOTHING
            assert reply.body == self.document(name, sums)


directions = st.sampled_from(("asc", "desc"))


def ordered(every: Sequence[T], asked: Filter[T], place: Callable[[T], tuple[object, ...]], direction: str) -> list[T]:
    """What passes, in order."""
    passing = [one for one in every if asked.passes(one)]
    return sorted(passing, key=place, reverse=direction == "desc")
