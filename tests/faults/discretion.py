"""What must never be read in a log: secrets, what they are sent as, and the borrowers' own data."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.flow.stack import API_TOKEN, CODAT_API_KEY, CODAT_SECRET, LOAN_SECRET

SECRETS = {
    "the Codat API key": CODAT_API_KEY,
    "the Authorization header sent to Codat": base64.b64encode(CODAT_API_KEY.encode()).decode(),
    "the loan system's webhook secret": LOAN_SECRET.removeprefix("whsec_"),
    "the loan system's webhook secret, decoded": base64.b64decode(LOAN_SECRET.removeprefix("whsec_")).decode(),
    "Codat's webhook secret": CODAT_SECRET.removeprefix("whsec_"),
    "Codat's webhook secret, decoded": base64.b64decode(CODAT_SECRET.removeprefix("whsec_")).decode(),
    "an operator's token": API_TOKEN,
}

PERSONAL = {
    "a borrower's name": "Fenland Bakery",
    "another borrower's name": "Cascade Outfitters",
    "a supplier's name": "Northgate Capital",
}


def assert_discreet(directory: Path) -> None:
    """Every log of a service in this directory is silent about all of them, whatever the service went through."""
    logs = {path.name: path.read_text(encoding="utf-8") for path in directory.glob("*.log") if path.stem != "simulator"}
    assert any(logs.values()), "no service logged anything"
    told = [
        f"{name} tells {what}"
        for name, text in logs.items()
        for what, words in (SECRETS | PERSONAL).items()
        if words.casefold() in text.casefold()
    ]
    assert told == [], "; ".join(told)
