-- One row per message. The order is the key by which a second send of a message is found: it holds nothing that
-- differs between two sends, such as the time of receipt or the skew-corrected time. `original_timestamp` is what the
-- client said; the time of receipt where it said nothing.
-- No TTL: imported history is as old as it is.
CREATE TABLE IF NOT EXISTS slotstream.events
(
    site_id LowCardinality(String),
    message_id String,
    type LowCardinality(String),
    event LowCardinality(String),
    anonymous_id String,
    user_id String,
    session_id String,
    page_view_id String,
    timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    original_timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    sent_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    page_url String CODEC(ZSTD),
    page_path String CODEC(ZSTD),
    referrer String CODEC(ZSTD),
    title String CODEC(ZSTD),
    slot_id LowCardinality(String),
    content_id String,
    decision_id String,
    position Nullable(UInt16),
    group_id String,
    previous_id String,
    properties JSON(max_dynamic_paths = 256),
    traits JSON(max_dynamic_paths = 64),
    context JSON(max_dynamic_paths = 128),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32,
    INDEX by_timestamp timestamp TYPE minmax GRANULARITY 1,
    INDEX by_received_at received_at TYPE minmax GRANULARITY 1,
    INDEX by_message_id message_id TYPE bloom_filter GRANULARITY 1,
    INDEX by_decision_id decision_id TYPE bloom_filter GRANULARITY 1,
    INDEX by_stream_seq stream_seq TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (site_id, original_timestamp, message_id)
SETTINGS non_replicated_deduplication_window = 10000;
