-- One row per decision. A decision is made once, so its time is the same in every send.
CREATE TABLE IF NOT EXISTS slotstream.decisions
(
    site_id LowCardinality(String),
    decision_id String,
    timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    slot_id LowCardinality(String),
    anonymous_id String,
    user_id String,
    session_id String,
    page_view_id String,
    policy LowCardinality(String),
    policy_version LowCardinality(String),
    content_ids Array(String),
    propensities Array(Float64),
    position UInt16,
    candidates Array(Tuple(content_id String, score Float64, probability Float64)),
    excluded Array(Tuple(content_id String, reason LowCardinality(String))),
    outcome LowCardinality(String),
    holdout Bool,
    features JSON(max_dynamic_paths = 64),
    seed String,
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32,
    INDEX by_received_at received_at TYPE minmax GRANULARITY 1,
    INDEX by_decision_id decision_id TYPE bloom_filter GRANULARITY 1,
    INDEX by_stream_seq stream_seq TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (site_id, timestamp, decision_id)
SETTINGS non_replicated_deduplication_window = 10000;
