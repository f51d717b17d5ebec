"""The lender's ledger kept at Modern Treasury: an outbox of what applied events write, and its delivery."""
