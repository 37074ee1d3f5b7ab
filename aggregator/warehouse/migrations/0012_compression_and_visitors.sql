-- Ids and JSON by ZSTD instead of LZ4, which can make nothing of the digits of random ids: half the bytes, for a tenth
-- more of ClickHouse's processor time to insert and merge (see bench/README.md). New parts have it at once, older ones
-- when they are merged.
ALTER TABLE slotstream.events
    MODIFY COLUMN message_id CODEC(ZSTD), MODIFY COLUMN anonymous_id CODEC(ZSTD), MODIFY COLUMN user_id CODEC(ZSTD),
    MODIFY COLUMN session_id CODEC(ZSTD), MODIFY COLUMN page_view_id CODEC(ZSTD), MODIFY COLUMN content_id CODEC(ZSTD),
    MODIFY COLUMN decision_id CODEC(ZSTD), MODIFY COLUMN group_id CODEC(ZSTD), MODIFY COLUMN previous_id CODEC(ZSTD),
    MODIFY COLUMN properties CODEC(ZSTD), MODIFY COLUMN traits CODEC(ZSTD), MODIFY COLUMN context CODEC(ZSTD);

ALTER TABLE slotstream.decisions
    MODIFY COLUMN decision_id CODEC(ZSTD), MODIFY COLUMN anonymous_id CODEC(ZSTD), MODIFY COLUMN user_id CODEC(ZSTD),
    MODIFY COLUMN session_id CODEC(ZSTD), MODIFY COLUMN page_view_id CODEC(ZSTD), MODIFY COLUMN content_ids CODEC(ZSTD),
    MODIFY COLUMN propensities CODEC(ZSTD), MODIFY COLUMN candidates CODEC(ZSTD), MODIFY COLUMN excluded CODEC(ZSTD),
    MODIFY COLUMN features CODEC(ZSTD), MODIFY COLUMN seed CODEC(ZSTD);

ALTER TABLE slotstream.profile_versions
    MODIFY COLUMN visitor_id CODEC(ZSTD), MODIFY COLUMN anonymous_id CODEC(ZSTD), MODIFY COLUMN user_id CODEC(ZSTD),
    MODIFY COLUMN affinities CODEC(ZSTD), MODIFY COLUMN traits CODEC(ZSTD);

ALTER TABLE slotstream.detected_signals
    MODIFY COLUMN signal_id CODEC(ZSTD), MODIFY COLUMN message_id CODEC(ZSTD), MODIFY COLUMN anonymous_id CODEC(ZSTD),
    MODIFY COLUMN user_id CODEC(ZSTD), MODIFY COLUMN session_id CODEC(ZSTD), MODIFY COLUMN details CODEC(ZSTD);

-- One visitor's history reads the few granules that their visits are in, instead of the whole column: the table's order
-- is by time. Parts from before have it when they are merged, or after MATERIALIZE INDEX.
ALTER TABLE slotstream.events
    ADD INDEX IF NOT EXISTS by_anonymous_id anonymous_id TYPE bloom_filter GRANULARITY 1;
