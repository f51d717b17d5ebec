"""What every test of the ledger may ask for."""

from __future__ import annotations

import pytest

from tests.ledger.books import Ledger
from worker.database import Database


@pytest.fixture
async def ledger(database: Database) -> Ledger:
    """A ledger with a few accounts and nothing in it."""
    return await Ledger.open(database)
