-- What came of the items of decisions, from which policies learn: one row per step, each once. Rewards are whole numbers of
-- ten-thousandths, as models add them up: so rows of a person can be taken away from them without a trace.
CREATE TABLE IF NOT EXISTS slotstream.learning_outcomes
(
    site_id LowCardinality(String),
    record_id String,
    decision_id String,
    slot_id LowCardinality(String),
    content_id LowCardinality(String),
    position UInt16,
    decided_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    reward Int64,
    previous Nullable(Int64),
    segments Array(LowCardinality(String)),
    features Array(Int64) CODEC(ZSTD),
    anonymous_id String CODEC(ZSTD),
    user_id String CODEC(ZSTD),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32,
    INDEX by_decision_id decision_id TYPE bloom_filter GRANULARITY 1,
    INDEX by_anonymous_id anonymous_id TYPE bloom_filter GRANULARITY 1,
    INDEX by_user_id user_id TYPE bloom_filter GRANULARITY 1,
    INDEX by_received_at received_at TYPE minmax GRANULARITY 1,
    INDEX by_stream_seq stream_seq TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (site_id, slot_id, content_id, decided_at, record_id)
SETTINGS non_replicated_deduplication_window = 10000;
