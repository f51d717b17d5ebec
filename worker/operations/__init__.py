"""What a person sees and does: events, loans, sagas, jobs and the ledger, read across the stations and operated."""
