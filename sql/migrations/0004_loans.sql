-- Loans: what is known of each, the facts told so far, the investors' totals, and what became of every event.

-- Running totals are whole minor units of the loan's currency. Supply (disbursed, recognised, charged, overpaid) only
-- grows; what uses it up is counted separately, so that the order in which events came leaves no trace.
create table loans (
    loan_id text primary key,
    -- The terms, fixed by loan.created. Shares are exact fractions: [{"investor_id": "…", "share": "1/2"}].
    borrower_id text not null,
    company_id uuid not null,
    connection_id uuid not null,
    currency text not null,
    interest_recognition text not null check (interest_recognition in ('at_disbursement', 'accrual')),
    investors jsonb not null check (jsonb_typeof(investors) = 'array'),
    -- What the borrower came to owe.
    disbursed numeric not null check (disbursed >= 0),
    interest_recognised numeric not null check (interest_recognised >= 0),
    interest_rebated numeric not null check (interest_rebated >= 0),
    fees_charged numeric not null check (fees_charged >= 0),
    fees_waived numeric not null check (fees_waived >= 0),
    -- Repayments that stand, and those that bounced after they had settled.
    principal_repaid numeric not null check (principal_repaid >= 0),
    interest_repaid numeric not null check (interest_repaid >= 0),
    fees_repaid numeric not null check (fees_repaid >= 0),
    overpaid numeric not null check (overpaid >= 0),
    principal_reversed numeric not null check (principal_reversed >= 0),
    interest_reversed numeric not null check (interest_reversed >= 0),
    fees_reversed numeric not null check (fees_reversed >= 0),
    overpaid_reversed numeric not null check (overpaid_reversed >= 0),
    refunded numeric not null check (refunded between 0 and overpaid + overpaid_reversed),
    -- What the lender gave up, and what came in for it after all.
    principal_written_off numeric not null check (principal_written_off >= 0),
    interest_written_off numeric not null check (interest_written_off >= 0),
    fees_written_off numeric not null check (fees_written_off >= 0),
    recovered numeric not null
        check (recovered between 0 and principal_written_off + interest_written_off + fees_written_off),
    -- Repayments under way, and the day the lender declared the loan closed.
    pending_repayments int not null check (pending_repayments >= 0),
    closed_on date
);

-- What happened once and has its own id. Repayments and rebates have a life; see FactState for its picture.
create table loan_facts (
    loan_id text not null references loans,
    kind text not null check (
        kind in ('drawdown', 'accrual', 'rebate', 'fee', 'waiver', 'repayment', 'refund', 'write_off', 'recovery')
    ),
    fact_id text not null,
    state text not null check (state in ('recorded', 'pending', 'settled', 'failed', 'reversed')),
    principal numeric not null check (principal >= 0),
    interest numeric not null check (interest >= 0),
    fees numeric not null check (fees >= 0),
    overpayment numeric not null check (overpayment >= 0),
    -- How a repayment's money came, other than as cash now.
    unapplied_cash numeric not null check (unapplied_cash >= 0),
    processing_cost numeric not null check (processing_cost >= 0),
    primary key (loan_id, kind, fact_id),
    check ((kind in ('repayment', 'rebate')) = (state <> 'recorded')),
    check (kind <> 'rebate' or state in ('settled', 'reversed'))
);

-- One investor's totals in one currency. Locked before balances are, in key order: what an investor may be paid is
-- decided under this lock, and whoever adds to it looks for held distributions before letting it go.
create table investors (
    investor_id text not null,
    currency text not null,
    contributed numeric not null default 0 check (contributed >= 0),
    principal_distributed numeric not null default 0 check (principal_distributed between 0 and contributed),
    interest_earned numeric not null default 0 check (interest_earned >= 0),
    interest_distributed numeric not null default 0 check (interest_distributed between 0 and interest_earned),
    primary key (investor_id, currency)
) with (fillfactor = 50);

-- What became of an event. A message without a row is still queued.
--
--            came too early            a need was met
--   (none) ──────────────────▶ held ──────────────────▶ released ──▶ (decided again)
--     ├───────▶ applied (with or without effect, see reason)
--     └───────▶ refused (a dead letter; replayed, it is decided again)
create table event_outcomes (
    message_id bigint primary key,
    -- What the event is about, in the words its lane is made of.
    subject_kind text not null check (subject_kind in ('loan', 'investor', 'event')),
    subject_id text not null,
    state text not null check (state in ('applied', 'held', 'released', 'refused')),
    -- Why it is held or refused, or why it had no effect, in one sentence; the field a person has to correct.
    reason text,
    field text,
    -- Any of these ends the wait.
    needs text[] not null default '{}',
    held_since timestamptz,
    ledger_transaction_id uuid,
    decided_at timestamptz not null default now(),
    check (state = 'applied' or reason is not null),
    check ((state = 'refused') = (field is not null)),
    check ((state in ('held', 'released')) = (needs <> '{}')),
    check (state not in ('held', 'released') or held_since is not null)
);

-- Who waits for what: looked up by everybody who brings something.
create index event_outcomes_waiting on event_outcomes (subject_kind, subject_id) where state = 'held';
-- All that wait, in order of arrival.
create index event_outcomes_held on event_outcomes (message_id) where state = 'held';
-- Which event wrote a ledger transaction, the last one first.
create index event_outcomes_of_transaction on event_outcomes (ledger_transaction_id, message_id)
    where ledger_transaction_id is not null;
