-- Every change of a slot or a content, and the revision that each is part of: rows of the kind `revision` follow those of their
-- slots and contents. Writing a row twice is harmless, so there is no deduplication window.
CREATE TABLE IF NOT EXISTS slotstream.catalog_changes
(
    site_id LowCardinality(String),
    kind LowCardinality(String),
    id String CODEC(ZSTD),
    definition String CODEC(ZSTD),
    deleted Bool,
    revision UInt64,
    stored_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32,
    INDEX by_stream_seq stream_seq TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (site_id, kind, id, stream_seq);

-- Slots and contents as they were, with the time in which each version was served.
CREATE VIEW IF NOT EXISTS slotstream.catalog_versions AS
SELECT site_id, kind, id, definition, revision, valid_from, valid_to
FROM
(
    SELECT
        items.site_id AS site_id, items.kind AS kind, items.id AS id, items.definition AS definition,
        items.deleted AS deleted, revisions.revision AS revision, items.stored_at AS valid_from, items.valid_to AS valid_to
    FROM
    (
        SELECT
            site_id, kind, id, definition, deleted, stored_at, stream_seq,
            leadInFrame(toNullable(stored_at)) OVER (
                PARTITION BY site_id, kind, id ORDER BY stream_seq ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
            ) AS valid_to
        FROM slotstream.catalog_changes FINAL
        WHERE kind != 'revision'
    ) AS items
    ASOF LEFT JOIN
    (
        SELECT site_id, revision, stream_seq FROM slotstream.catalog_changes FINAL WHERE kind = 'revision' AND NOT deleted
    ) AS revisions
    ON items.site_id = revisions.site_id AND items.stream_seq <= revisions.stream_seq
)
WHERE NOT deleted;
