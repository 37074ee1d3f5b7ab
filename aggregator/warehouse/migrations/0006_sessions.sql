-- Events with the session they belong to: the browser's own, or, for messages that name none, one derived from the
-- visitor's pauses of more than 30 minutes, cut after 24 hours.
CREATE VIEW IF NOT EXISTS slotstream.session_events AS
SELECT
    site_id, message_id, type, event, anonymous_id, user_id, session_id, page_view_id, timestamp,
    page_url, page_path, title, properties
FROM slotstream.events
WHERE session_id != ''
UNION ALL
SELECT
    site_id, message_id, type, event, anonymous_id, user_id,
    concat(visitor, '@', formatDateTime(pause_end, '%Y%m%dT%H%i%S', 'UTC'), '.', toString(day)) AS session_id,
    page_view_id, timestamp, page_url, page_path, title, properties
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
                page_url, page_path, title, properties,
                if(anonymous_id != '', anonymous_id, concat('user:', user_id)) AS visitor,
                lagInFrame(timestamp, 1, timestamp) OVER (PARTITION BY site_id, visitor ORDER BY timestamp, message_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before,
                dateDiff('millisecond', before, timestamp) > 1800000 AS pause
            FROM slotstream.events
            WHERE session_id = ''
        )
    )
);

CREATE VIEW IF NOT EXISTS slotstream.sessions AS
SELECT
    site_id,
    session_id,
    anonymous_id,
    max(user_id) AS user_id,
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

CREATE VIEW IF NOT EXISTS slotstream.page_views AS
SELECT
    views.site_id AS site_id,
    views.anonymous_id AS anonymous_id,
    views.session_id AS session_id,
    views.timestamp AS timestamp,
    views.page_url AS page_url,
    views.page_path AS page_path,
    views.title AS title,
    ifNull(engaged.seconds, 0) AS engaged_s
FROM
(
    SELECT * FROM slotstream.session_events WHERE type = 'page'
) AS views
LEFT JOIN
(
    SELECT
        site_id, anonymous_id, page_view_id,
        sum(ifNull(toFloat64OrNull(toString(properties.activeMs)), 0)) / 1000 AS seconds
    FROM slotstream.events
    WHERE type = 'track' AND event = 'Page Engaged' AND page_view_id != ''
    GROUP BY site_id, anonymous_id, page_view_id
) AS engaged
ON views.site_id = engaged.site_id AND views.anonymous_id = engaged.anonymous_id AND views.page_view_id = engaged.page_view_id;
