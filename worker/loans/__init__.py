"""The loans station: what an event does to a loan, and everything that follows from it in one transaction.

``events`` reads a webhook's body. ``decide`` says what it does: apply it, hold it for its predecessor, recognise it as
told before, or refuse it. ``postings`` writes the lender's double entry for what applies. ``apply`` takes a batch of
jobs and makes the decisions, ledger transactions, sagas and releases true together, or not at all.

Promise: any arrival order of a loan's events, however often each is delivered, ends in the same books; money that is
not there yet is waited for visibly, and nothing is ever guessed.
"""
