"""The ledger over HTTP, under ``/api``: wire-compatible with Modern Treasury's Ledgers API.

A request becomes a :class:`~worker.api.call.Call`, a resource turns it into an :class:`~worker.api.call.Answer`, and
only :mod:`worker.api.routes` knows HTTP. Each resource has a service (``ledgers``), its statements (``ledgers_store``)
and shares the rest: reading filters (``query``) and bodies (``body``), drawing objects (``render``), and keeping what
an idempotency key led to (``effects``). Where Modern Treasury documents nothing, the docstring at the place says what
was chosen.
"""
