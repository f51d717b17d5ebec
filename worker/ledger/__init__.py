"""Station 5, the lender's ledger: double entry, append-only, inside PostgreSQL.

``poster.post`` is the only way in: it takes a batch of operations, decides each on its own against locked balances
(:mod:`worker.ledger.evaluate`, pure) and writes what was accepted in one statement. The tables refuse everything else:
an unbalanced transaction, a changed or removed entry, a balance that no entry explains.
"""
