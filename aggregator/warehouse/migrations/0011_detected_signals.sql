-- One row per signal. The order is the key by which a second one is found: as of events, it holds nothing that differs
-- between two sends of the message that the signal was found at. `signals` itself was never written to, and its order
-- and partitions could not be changed; it becomes a view.
CREATE TABLE IF NOT EXISTS slotstream.detected_signals
(
    site_id LowCardinality(String),
    signal_id String,
    signal LowCardinality(String),
    message_id String,
    timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    original_timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    anonymous_id String,
    user_id String,
    session_id String,
    details JSON(max_dynamic_paths = 64),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32,
    INDEX by_timestamp timestamp TYPE minmax GRANULARITY 1,
    INDEX by_received_at received_at TYPE minmax GRANULARITY 1,
    INDEX by_signal_id signal_id TYPE bloom_filter GRANULARITY 1,
    INDEX by_stream_seq stream_seq TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (site_id, original_timestamp, signal_id)
SETTINGS non_replicated_deduplication_window = 10000;

DROP TABLE IF EXISTS slotstream.signals;

CREATE VIEW IF NOT EXISTS slotstream.signals AS
SELECT site_id, timestamp, anonymous_id, user_id, session_id, signal, details, signal_id, message_id, received_at
FROM slotstream.detected_signals;
