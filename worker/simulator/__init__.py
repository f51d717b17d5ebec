"""A Codat with real books behind it: the subset of its API that loan writeback uses, for rehearsal and tests.

:func:`create_app` gives an aiohttp application, :func:`run` serves it until SIGTERM or SIGINT, and
:mod:`worker.simulator.command` declares its command line. Everything is deterministic from ``SimulatorOptions.seed``:
companies and their ids, record ids, push operation keys, delays, and which requests a fault of some probability
strikes.

**Companies.** Seven, all with zero balances, each knowing the lender "Northgate Capital" as a supplier:

===========================  ==========================================  ===  ==============================  ========
company                      platform (integration key)                  cur  bank feeds on                   lines to
===========================  ==========================================  ===  ==============================  ========
Fenland Bakery Ltd           Xero (gbol)                                 GBP  the same connection             source
Cascade Outfitters Inc       QuickBooks Online (qhyg)                    USD  a second one (hcws)             either
Harbour Joinery Ltd          Sage Business Cloud Accounting (cmhy)       GBP  a second one (olpr)             either
Lune Design Studio           FreeAgent (fbrh)                            GBP  the same connection             source
Sandbox Trading Ltd          Sandbox (mqjo)                              GBP  none                            account
Prairie Tools Inc            QuickBooks Desktop (pqsw)                   USD  none                            account
Summit Logistics Ltd         Sage Intacct (knfz)                         GBP  none                            account
===========================  ==========================================  ===  ==============================  ========

"Lines to": where ``push/bankAccounts/{id}/bankTransactions`` goes: to a *source* account of a feed (the only way where
the accounting connection carries the feeds), or to a plain bank *account* on the accounting connection.

**Rules.** Each platform's model of a record (:mod:`worker.simulator.models`) is served by the options endpoints and
is what a write is checked against. A body of the wrong shape is HTTP 400; a broken rule fails the push operation,
with ``validation.errors``. Worth knowing: Xero wants ``from.status`` and ``to.status``, a GUID contact and a
``taxAmount`` on every line; QuickBooks wants ``contactRef.dataType`` and ``taxRateRef.id`` ``NON`` or ``TAX`` on
every line; FreeAgent wants a ``note`` and exactly one line, and loses reference and contact; Xero, FreeAgent and Sage
lose a transfer's description; Sage Intacct wants the payee as ``note`` and an existing tax rate on every line. Negative
direct costs become direct incomes on Xero. Only QuickBooks Desktop deletes direct costs; its writes and syncs wait
while its office computer is off. Every company has the tax rates ``NON`` (0 %) and ``TAX`` (20 %). A
connection that is not linked refuses writes and options with 403. A date on or before the ledger lock date is refused.

**Books.** Transfers and direct costs move the general ledger; bank lines move only their statement and the balance of
their source account. Nothing is deduplicated. Reads see the last sync: a finished push syncs its data type unless
``allowSyncOnPushComplete=false``. ``recordRef.id`` of pushed lines is the id of the first line of the request. A push
operation read by key or in the list has no ``data``; only the answer to the POST echoes it.

**Time.** ``speed`` compresses simulated time; ``POST /_simulator/clock`` moves it. Signatures of webhooks carry the
real time, and ``Retry-After`` real seconds, as both are for the other side's clock.

**Controls** (no authorization; never limited, logged or disturbed):

``GET /_simulator/world``
    ``{seed, now, companies: [{id, name, platform, baseCurrency, ledgerLockDate, connectionId, borrowerAccountId,
    lenderAccountId, savingsAccountId, expenseAccountId, otherExpenseAccountId, salesAccountId, supplierId,
    otherSupplierId, taxRateId, otherTaxRateId, feedConnectionId?, sourceAccountId?, connections: [{id,
    platform, integrationKey, sourceType, status, sourceAccounts: [{id, status, targetAccountId}]}]}]}``.
    ``sourceAccountId`` is a feed account already connected to ``lenderAccountId``; companies without bank feeds have
    neither it nor ``feedConnectionId``.
``GET /_simulator/books/{companyId}``
    ``{companyId, name, baseCurrency, accounts: [{id, name, type, currency, isBankAccount, status, balance}],
    statements: [{accountId, targetAccountId, currency, opening, balance, reportedBalance, lines: [{id, date, amount,
    balance, description, transactionType, duplicateOf}]}], records: {suppliers, transfers, directCosts, directIncomes:
    [{id, ..., deleted, moves: [{accountId, amount}]}]}}``. Amounts are text in major units. ``balance`` of a statement
    is the sum of its lines, ``reportedBalance`` what the last line claimed; ``duplicateOf`` is the index of the first
    line with the same id. A statement exists from its first line on.
``GET /_simulator/requests``
    ``{requests: [{at, method, path, query, idempotencyKey, status, replayed, fault, body}]}``, oldest first; ``status``
    is null for a connection that was cut.
``POST /_simulator/faults``, ``GET``, ``DELETE``
    A list of ``{kind, match?: {method, path, dataType, companyId, eventType}, times?, probability?, status?,
    retryAfter?, seconds?, copies?, itemId?, message?}``, ``path`` and ``eventType`` being shell patterns such as
    ``*/push/transfers``. Without ``times`` and ``probability`` a fault strikes once. Kinds of requests:
    ``status_before``, ``status_after`` (``status``, 500), ``cut_before``, ``cut_after``, ``delay`` (``seconds``),
    ``rate_limit`` (``retryAfter``, "1", null for none), ``disconnect`` (the connection is deauthorized, then the
    request is handled). Of pushes: ``push_fails`` (``itemId``, ``message``), ``push_stays_pending``,
    ``push_times_out_then_succeeds`` and ``push_times_out_but_written`` (written ``seconds`` after it timed out; the
    status follows, or stays). Of webhooks: ``webhook_lost``, ``webhook_duplicated`` (``copies``),
    ``webhook_reordered`` (sent after the next one, or after ``seconds``), ``webhook_late`` (``seconds``),
    ``webhook_contradicted`` (the opposite status comes too), ``webhook_early`` (sent, and the push finished, before
    the answer to its own POST). ``dataType`` is Codat's (``chartOfAccounts`` for ``push/accounts``).
``POST /_simulator/clock`` ``{advanceSeconds}``
    Moves time forward through everything due on the way, deliveries included; answers ``{now}``.
``POST /_simulator/connections/{connectionId}`` ``{status}``
    ``Linked``, ``Deauthorized``, ``Unlinked`` or ``PendingAuth``, with its ``connection.*`` webhook.
``POST /_simulator/connectors/{connectionId}`` ``{on}``
    Turns the office computer of an on-premise platform on or off; answers ``{connectionId, on, waiting}``.
``POST /_simulator/companies`` ``{seed}``
    Adds the companies of another seed; answers ``{companies}``, the new ones as in the world.
``POST /_simulator/companies/{companyId}`` ``{ledgerLockDate}``
    A date, or null to lift the lock.
``POST /_simulator/feeds/{connectionId}/{sourceAccountId}`` ``{targetAccountId?}``
    Maps a source account inside the software, the only way on QuickBooks and Sage.
``DELETE /_simulator/records/{companyId}/{dataType}/{recordId}`` and ``/_simulator/accounts/{companyId}/{accountId}``
    What a borrower may do by hand: delete a record, archive an account.
``POST /_simulator/reset`` ``{seed?}``
    Starts over; time goes on, and webhook consumers created through the API are gone.
"""

from __future__ import annotations

from worker.simulator.server import create_app, run
from worker.simulator.settings import HeaderStyle, SimulatorOptions, Span

__all__ = ["HeaderStyle", "SimulatorOptions", "Span", "create_app", "run"]
