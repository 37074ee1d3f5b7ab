-- What the features of a visitor held when the profile was stored: of each feature its version and its value as JSON.
-- Merges keep the latest of each visitor, as of all columns.
ALTER TABLE slotstream.profile_versions
    ADD COLUMN IF NOT EXISTS features Map(LowCardinality(String), Tuple(version String, value String)) CODEC(ZSTD),
    ADD COLUMN IF NOT EXISTS stored_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD);

-- `number` is the value where it is a number or a truth value; `key` is that of a value by key.
CREATE VIEW IF NOT EXISTS slotstream.features AS
SELECT
    site_id,
    anonymous_id,
    user_id,
    feature,
    key,
    value,
    multiIf(value = 'true', 1., value = 'false', 0., toFloat64OrNull(value)) AS number,
    version,
    at
FROM
(
    SELECT
        site_id,
        anonymous_id,
        user_id,
        name AS feature,
        held.1 AS version,
        arrayJoin(if(startsWith(held.2, '{'), JSONExtractKeysAndValuesRaw(held.2), [('', held.2)])) AS entry,
        entry.1 AS key,
        entry.2 AS value,
        stored_at AS at
    FROM slotstream.profile_versions FINAL
    ARRAY JOIN mapKeys(features) AS name, mapValues(features) AS held
    WHERE NOT deleted
);
