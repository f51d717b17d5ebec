"""The posting profiles: which order, amounts and bodies a writeback uses."""

from __future__ import annotations

from enum import StrEnum


class Profile(StrEnum):
    """How a loan's movements become records in the borrower's books."""

    MATCHED = "matched"
    """Every line on the lender account's statement matches one record, and the account ends at exactly zero."""
    CODAT_2023 = "codat-2023"
    """Codat's first public guide, request by request: no field more than it shows unless the platform insists."""
    CODAT_2026 = "codat-2026"
    """Codat's current guide, with a bank-feed source account."""
