-- One row per message that was not stored as an event, with the reason.
CREATE TABLE IF NOT EXISTS slotstream.rejected_events
(
    site_id LowCardinality(String),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    reason String CODEC(ZSTD),
    code LowCardinality(String),
    message_id Nullable(String),
    payload String CODEC(ZSTD),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32,
    INDEX by_stream_seq stream_seq TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (site_id, received_at)
SETTINGS non_replicated_deduplication_window = 10000;
