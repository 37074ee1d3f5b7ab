-- One row per signal: something detected in the stream.
CREATE TABLE IF NOT EXISTS slotstream.signals
(
    site_id LowCardinality(String),
    timestamp DateTime64(3, 'UTC'),
    anonymous_id String,
    session_id String,
    signal LowCardinality(String),
    details JSON(max_dynamic_paths = 64),
    stream_seq UInt64,
    batch_index UInt32
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (site_id, timestamp)
SETTINGS non_replicated_deduplication_window = 10000;
