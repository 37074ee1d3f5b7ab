-- One row per page view: two messages of one page_view_id are one view, the first. The period's views are found by their
-- own time; what the page reported later is found by the view's id, whatever session it names.
DROP TABLE IF EXISTS slotstream.page_views;

CREATE VIEW IF NOT EXISTS slotstream.page_views AS
SELECT
    views.site_id AS site_id,
    views.anonymous_id AS anonymous_id,
    views.session_id AS session_id,
    views.timestamp AS timestamp,
    views.page_url AS page_url,
    views.page_path AS page_path,
    views.title AS title,
    ifNull(reports.engaged_ms, 0) / 1000 AS engaged_s,
    views.page_view_id AS page_view_id,
    if(views.sender = 'unsigned', '', views.user_id) AS user_id,
    multiIf(
        views.user_id != '' AND views.sender != 'unsigned', views.user_id,
        browsers.user_id != '', browsers.user_id,
        notEmpty(browsers.turns), coalesce(
            nullIf(arrayFirst(turn -> turn.4 = views.session_id AND (turn.1, turn.2, turn.3) > (views.timestamp, views.stream_seq, views.batch_index), browsers.turns).5, ''),
            nullIf(arrayLast(turn -> (turn.1, turn.2, turn.3) < (views.timestamp, views.stream_seq, views.batch_index), browsers.turns).5, ''),
            browsers.turns[1].5),
        browsers.is_user, concat('visitor:', views.anonymous_id),
        views.anonymous_id) AS person_id,
    views.referrer AS referrer,
    length(arrayDistinct(arrayFilter(view -> (view.2, view.3) <= (views.timestamp, cityHash64(views.stream_seq, views.batch_index)), facts.views).1)) AS view_number,
    reports.scroll_depth AS scroll_depth
FROM slotstream.session_facts AS facts
INNER JOIN
(
    SELECT * FROM slotstream.session_events WHERE type = 'page'
) AS views
ON facts.site_id = views.site_id AND facts.session_id = views.session_id AND facts.anonymous_id = views.anonymous_id
LEFT ANY JOIN slotstream.browser_users AS browsers
ON views.site_id = browsers.site_id AND views.anonymous_id = browsers.anonymous_id
LEFT ANY JOIN
(
    SELECT
        site_id, anonymous_id, page_view_id,
        minIf((timestamp, stream_seq, batch_index), type = 'page') AS first,
        sum(if(event = 'Page Engaged' AND isFinite(ifNull(active_ms, nan)), active_ms, 0)) AS engaged_ms,
        maxIf(depth, isFinite(ifNull(depth, nan))) AS scroll_depth
    FROM
    (
        SELECT
            site_id, anonymous_id, page_view_id, timestamp, stream_seq, batch_index, type, event,
            toFloat64OrNull(toString(properties.activeMs)) AS active_ms,
            toFloat64OrNull(toString(properties.scrollDepth)) AS depth
        FROM slotstream.events
        WHERE page_view_id != '' AND (type = 'page' OR (type = 'track' AND event = 'Page Engaged'))
    )
    GROUP BY site_id, anonymous_id, page_view_id
) AS reports
ON views.site_id = reports.site_id AND views.anonymous_id = reports.anonymous_id AND views.page_view_id = reports.page_view_id
WHERE views.page_view_id = '' OR (views.timestamp, views.stream_seq, views.batch_index) = reports.first;

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
    ifNull(toString(context.location.country), '') AS country
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
    max(timestamp) AS last_seen
FROM
(
    SELECT
        site_id, anonymous_id, timestamp, stream_seq, batch_index,
        toUInt64OrNull(toString(context.seq)) AS seq,
        toUInt64OrNull(toString(context.ledger.captured)) AS ledger_captured,
        ifNull(toString(context.^`ledger.dropped`), '{}') AS ledger_dropped
    FROM slotstream.events
    WHERE anonymous_id != ''
)
WHERE isNotNull(seq) OR isNotNull(ledger_captured)
GROUP BY site_id, anonymous_id;
