-- One row per attempt to deliver a signal to a webhook.
CREATE TABLE IF NOT EXISTS slotstream.webhook_deliveries
(
    site_id LowCardinality(String),
    attempt_id String,
    webhook_id LowCardinality(String),
    delivery_id String,
    signal_id String,
    signal LowCardinality(String),
    timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    anonymous_id String,
    user_id String,
    attempted_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    attempt UInt32,
    outcome LowCardinality(String),
    status UInt16,
    error LowCardinality(String),
    duration_ms UInt32,
    next_at Nullable(DateTime64(3, 'UTC')),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32,
    INDEX by_timestamp timestamp TYPE minmax GRANULARITY 1,
    INDEX by_received_at received_at TYPE minmax GRANULARITY 1,
    INDEX by_signal_id signal_id TYPE bloom_filter GRANULARITY 1,
    INDEX by_attempt_id attempt_id TYPE bloom_filter GRANULARITY 1,
    INDEX by_stream_seq stream_seq TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (site_id, attempted_at, attempt_id)
SETTINGS non_replicated_deduplication_window = 10000;
