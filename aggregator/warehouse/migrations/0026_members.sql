-- Who was in which segment, and when: from the signals of segments. A row that says that a person left has both ends of
-- the interval, so that it takes the place of the one that says that it began, and inserting either twice is harmless.
CREATE TABLE IF NOT EXISTS slotstream.segment_intervals
(
    site_id LowCardinality(String),
    segment LowCardinality(String),
    anonymous_id String CODEC(ZSTD),
    user_id String CODEC(ZSTD),
    entered_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    left_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32
)
ENGINE = ReplacingMergeTree(stream_seq)
ORDER BY (site_id, segment, user_id, anonymous_id, entered_at)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS slotstream.segment_intervals_of_signals TO slotstream.segment_intervals AS
SELECT
    site_id,
    ifNull(toString(details.segment), '') AS segment,
    anonymous_id,
    user_id,
    if(signal = 'segment_left', parseDateTime64BestEffortOrZero(ifNull(toString(details.since), ''), 3, 'UTC'), timestamp) AS entered_at,
    if(signal = 'segment_left', timestamp, NULL) AS left_at,
    received_at,
    stream_seq,
    batch_index
FROM slotstream.detected_signals
WHERE signal IN ('segment_entered', 'segment_left');

CREATE VIEW IF NOT EXISTS slotstream.segment_members AS
SELECT
    site_id,
    segment,
    anonymous_id,
    user_id,
    multiIf(
        user_id != '', user_id,
        startsWith(anonymous_id, 'user:') OR startsWith(anonymous_id, 'visitor:'), concat('visitor:', anonymous_id),
        anonymous_id) AS person_id,
    entered_at,
    left_at
FROM slotstream.segment_intervals FINAL;
