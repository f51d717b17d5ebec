"""One webhook's story, station by station.

``inbox`` verifies a signed webhook, stores it once and answers only when it is durable.
``jobs`` is the queue in Postgres: one lane per loan, one lease per process, one outcome per attempt.
``loans`` decides what an event does to a loan: apply it, hold it for its predecessor, or refuse it.
``ledger`` posts the matching double entry in the same database transaction.
``writeback`` plans the records the borrower's books need and drives them one push operation at a time.
``codat`` speaks Codat's wire protocol and nothing else.
``simulator`` is a Codat with real books behind it, for rehearsal and tests.
"""
