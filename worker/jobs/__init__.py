"""QUEUE: one job, one lease, one outcome; jobs of one lane run one at a time and in order. Knows no loans.

A job is enqueued inside the transaction that makes it necessary (:func:`store.enqueue_jobs`). A :class:`runner.Runner`
in any process claims it under that process's lease, hands it to its kind's handler and records the outcome the
handler returns. A process that dies loses its lease, and any other takes its jobs over.
"""
