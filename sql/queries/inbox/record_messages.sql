-- Stores, deduplicates and queues a batch of messages in one round trip and one commit.
select ordinal, message_id, verdict from record_messages($1, $2, $3, $4, $5, $6, $7, $8) order by ordinal
