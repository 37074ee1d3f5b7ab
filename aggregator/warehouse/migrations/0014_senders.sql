-- What kind of sender a message has: `secret`, a server with a secret key; `public`, a page; `unsigned`, a page that names
-- a user_id without the signature that its site wants. A message id is unique for a visitor and sender. What was stored
-- before there were secret keys is `public`.
ALTER TABLE slotstream.events ADD COLUMN IF NOT EXISTS sender LowCardinality(String) DEFAULT 'public' AFTER user_id;
ALTER TABLE slotstream.rejected_events ADD COLUMN IF NOT EXISTS sender LowCardinality(String) DEFAULT 'public' AFTER user_agent;

-- As in 0006, but the visitor is the key by which all parts of the product tell visitors apart: an anonymous_id that looks
-- like a person's key is no person's. A user_id that nobody proved is nobody's session.
DROP TABLE IF EXISTS slotstream.session_events;

CREATE VIEW IF NOT EXISTS slotstream.session_events AS
SELECT
    site_id, message_id, type, event, anonymous_id, user_id, session_id, page_view_id, timestamp,
    page_url, page_path, title, properties, sender
FROM slotstream.events
WHERE session_id != '' AND NOT (sender = 'unsigned' AND anonymous_id = '')
UNION ALL
SELECT
    site_id, message_id, type, event, anonymous_id, user_id,
    concat(visitor, '@', formatDateTime(pause_end, '%Y%m%dT%H%i%S', 'UTC'), '.', toString(day)) AS session_id,
    page_view_id, timestamp, page_url, page_path, title, properties, sender
FROM
(
    SELECT
        *,
        min(timestamp) OVER (PARTITION BY site_id, visitor, pauses) AS pause_end,
        intDiv(dateDiff('second', pause_end, timestamp), 86400) AS day
    FROM
    (
        SELECT
            *,
            sum(pause) OVER (PARTITION BY site_id, visitor ORDER BY timestamp, message_id ROWS UNBOUNDED PRECEDING) AS pauses
        FROM
        (
            SELECT
                site_id, message_id, type, event, anonymous_id, user_id, page_view_id, timestamp,
                page_url, page_path, title, properties, sender,
                multiIf(anonymous_id = '', if(user_id = '', '', concat('user:', user_id)), startsWith(anonymous_id, 'user:') OR startsWith(anonymous_id, 'visitor:'), concat('visitor:', anonymous_id), anonymous_id) AS visitor,
                lagInFrame(timestamp, 1, timestamp) OVER (PARTITION BY site_id, visitor ORDER BY timestamp, message_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before,
                dateDiff('millisecond', before, timestamp) > 1800000 AS pause
            FROM slotstream.events
            WHERE session_id = '' AND NOT (sender = 'unsigned' AND anonymous_id = '')
        )
    )
);

DROP TABLE IF EXISTS slotstream.sessions;

CREATE VIEW IF NOT EXISTS slotstream.sessions AS
SELECT
    site_id,
    session_id,
    anonymous_id,
    maxIf(user_id, sender != 'unsigned') AS user_id,
    min(timestamp) AS started_at,
    max(timestamp) AS ended_at,
    dateDiff('millisecond', started_at, ended_at) / 1000 AS duration_s,
    sumIf(ifNull(toFloat64OrNull(toString(properties.activeMs)), 0), type = 'track' AND event = 'Page Engaged') / 1000 AS engaged_s,
    countIf(type IN ('page', 'screen')) AS page_views,
    count() AS events,
    argMinIf(page_path, (timestamp, message_id), page_path != '') AS entry_path,
    argMaxIf(page_path, (timestamp, message_id), page_path != '') AS exit_path
FROM slotstream.session_events
GROUP BY site_id, session_id, anonymous_id;
