-- As in 0017, and which of them are bots by their user agent.
DROP TABLE IF EXISTS slotstream.web_vitals;

CREATE VIEW IF NOT EXISTS slotstream.web_vitals AS
SELECT
    site_id,
    timestamp,
    page_path,
    ifNull(toString(properties.name), '') AS name,
    if(isFinite(ifNull(toFloat64OrNull(toString(properties.value)), nan)), toFloat64OrNull(toString(properties.value)), NULL) AS value,
    ifNull(toString(properties.rating), '') AS rating,
    anonymous_id,
    session_id,
    page_view_id,
    ifNull(toString(context.device.type), '') AS device,
    ifNull(toString(context.browser.name), '') AS browser,
    ifNull(toString(context.location.country), '') AS country,
    isNotNull(context.bot.reason) AS bot
FROM slotstream.events
WHERE type = 'track' AND event = 'Web Vital';

-- Of two ledgers that captured as many, the later one is the browser's latest.
DROP TABLE IF EXISTS slotstream.delivery;

CREATE VIEW IF NOT EXISTS slotstream.delivery AS
SELECT
    site_id,
    anonymous_id,
    greatest(max(ifNull(seq, 0)), max(ifNull(ledger_captured, 0))) AS captured,
    countIf(isNotNull(seq)) AS received,
    toUInt64(greatest(toInt64(captured) - toInt64(received), 0)) AS missing,
    JSONExtract(
        assumeNotNull(argMaxIf(ledger_dropped, (ifNull(ledger_captured, 0), timestamp, stream_seq, batch_index), isNotNull(ledger_captured))),
        'Map(String, UInt64)') AS dropped,
    min(timestamp) AS first_seen,
    max(timestamp) AS last_seen,
    max(is_bot) AS bot
FROM
(
    SELECT
        site_id, anonymous_id, timestamp, stream_seq, batch_index,
        toUInt64OrNull(toString(context.seq)) AS seq,
        toUInt64OrNull(toString(context.ledger.captured)) AS ledger_captured,
        ifNull(toString(context.^`ledger.dropped`), '{}') AS ledger_dropped,
        isNotNull(context.bot.reason) AS is_bot
    FROM slotstream.events
    WHERE anonymous_id != ''
)
WHERE isNotNull(seq) OR isNotNull(ledger_captured)
GROUP BY site_id, anonymous_id;
