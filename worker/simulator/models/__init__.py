"""Each platform's rules for each kind of record, as data.

They restate, in this project's words, the rules Codat publishes in its options samples and integration pages for the
data types of loan writeback.
"""
