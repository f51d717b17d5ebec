"""A service and a Codat as processes of their own, with a document and with something to show."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.flow.borrower import Borrower
from tests.flow.stack import Stack, open_stack
from tests.openapi.ledger_story import LedgerStory
from tests.openapi.operator_story import OperatorStory
from tests.openapi.teller import LEDGER_KEY, Teller


@dataclass
class Product:
    """What runs, and the stories that are told in it."""

    stack: Stack
    teller: Teller
    ledger: LedgerStory
    operator: OperatorStory

    async def tell_stories(self) -> None:
        """Have something of every kind."""
        await self.ledger.tell()
        await self.operator.tell()


@asynccontextmanager
async def open_product(database_url: str, directory: Path) -> AsyncIterator[Product]:
    """Start everything on a migrated database."""
    async with (
        open_stack(database_url, directory, serve=False) as stack,
        stack.replica(stack.port, LEDGER_API_KEYS=":".join(LEDGER_KEY)),
    ):
        async with stack.session.get(f"{stack.service_url}/openapi.json") as response:
            teller = Teller(stack.session, stack.service_url, await response.json())
        mapped = await Borrower.on(stack, "Xero")
        (company, *_) = await stack.admit()
        unmapped = Borrower(stack, company, "LN-unmapped", company["baseCurrency"])
        yield Product(stack, teller, LedgerStory(teller), OperatorStory(teller, mapped, unmapped))
