-- Hint to every worker that there may be work; says nothing else, and is never part of a writing transaction.
notify jobs
