-- Measurements of the page, as the browser reports them.
CREATE VIEW IF NOT EXISTS slotstream.web_vitals AS
SELECT
    site_id,
    timestamp,
    page_path,
    ifNull(toString(properties.name), '') AS name,
    toFloat64OrNull(toString(properties.value)) AS value,
    ifNull(toString(properties.rating), '') AS rating
FROM slotstream.events
WHERE type = 'track' AND event = 'Web Vital';

-- A browser's own count of its messages beside what arrived of them. Every message carries its running number
-- (context.seq); the last one of a batch carries the browser's counters (context.ledger). `missing` is what was
-- captured and did not arrive (yet); `dropped` says what the browser itself gave up, by reason.
CREATE VIEW IF NOT EXISTS slotstream.delivery AS
SELECT
    site_id,
    anonymous_id,
    greatest(max(ifNull(seq, 0)), max(ifNull(ledger_captured, 0))) AS captured,
    countIf(isNotNull(seq)) AS received,
    toUInt64(greatest(toInt64(captured) - toInt64(received), 0)) AS missing,
    JSONExtract(assumeNotNull(argMaxIf(ledger_dropped, ledger_captured, isNotNull(ledger_captured))), 'Map(String, UInt64)') AS dropped
FROM
(
    SELECT
        site_id,
        anonymous_id,
        toUInt64OrNull(toString(context.seq)) AS seq,
        toUInt64OrNull(toString(context.ledger.captured)) AS ledger_captured,
        ifNull(toString(context.^`ledger.dropped`), '{}') AS ledger_dropped
    FROM slotstream.events
    WHERE anonymous_id != ''
)
WHERE isNotNull(seq) OR isNotNull(ledger_captured)
GROUP BY site_id, anonymous_id;
