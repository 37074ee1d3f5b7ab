-- Every stored version of a profile; merges keep the newest. Writing a version twice is harmless, so there is no
-- deduplication window.
CREATE TABLE IF NOT EXISTS slotstream.profile_versions
(
    site_id LowCardinality(String),
    visitor_id String,
    anonymous_id String,
    user_id String,
    first_seen DateTime64(3, 'UTC'),
    last_seen DateTime64(3, 'UTC'),
    sessions UInt32,
    affinities Map(String, Float64),
    segments Array(LowCardinality(String)),
    traits JSON(max_dynamic_paths = 64),
    deleted Bool,
    stream_seq UInt64,
    batch_index UInt32
)
ENGINE = ReplacingMergeTree(stream_seq)
ORDER BY (site_id, visitor_id);

CREATE VIEW IF NOT EXISTS slotstream.profiles AS
SELECT site_id, anonymous_id, user_id, first_seen, last_seen, sessions, affinities, segments, traits
FROM slotstream.profile_versions FINAL
WHERE NOT deleted;
