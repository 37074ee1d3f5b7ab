-- Views that read in proportion to the period that is asked for, where the rows of a thing lie apart from its beginning.
-- Both sides of a join have the day that the thing's id tells. The engine finds, with
-- `enable_join_runtime_filters_index_analysis`, the days of the smaller side first, and by an index reads only these of
-- the other. An id that tells no time (no UUIDv7) has the first of all days, so that such ids cost only themselves.
ALTER TABLE slotstream.events
    ADD COLUMN IF NOT EXISTS day Date MATERIALIZED toDate(timestamp) CODEC(ZSTD),
    ADD INDEX IF NOT EXISTS by_day day TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS by_named_session toUInt8(session_id != '') TYPE minmax GRANULARITY 1;

ALTER TABLE slotstream.session_states
    ADD COLUMN IF NOT EXISTS session_day Date MATERIALIZED if(length(session_id) = 36 AND substring(session_id, 15, 1) = '7', toDate(UUIDv7ToDateTime(toUUIDOrZero(session_id), 'UTC')), toDate(0)) CODEC(ZSTD),
    ADD INDEX IF NOT EXISTS by_session_day session_day TYPE minmax GRANULARITY 1;

-- What pages report of a view, and its own messages, without their JSON.
CREATE TABLE IF NOT EXISTS slotstream.page_reports
(
    site_id LowCardinality(String),
    view_day Date CODEC(ZSTD),
    page_view_id String CODEC(ZSTD),
    anonymous_id String CODEC(ZSTD),
    user_id String CODEC(ZSTD),
    sender LowCardinality(String),
    type LowCardinality(String),
    timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    active_ms Nullable(Float64) CODEC(ZSTD),
    scroll_depth Nullable(Float64) CODEC(ZSTD),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32
)
ENGINE = MergeTree
ORDER BY (site_id, view_day, page_view_id, anonymous_id, stream_seq, batch_index)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS slotstream.page_reports_of_events TO slotstream.page_reports AS
SELECT
    site_id,
    if(length(page_view_id) = 36 AND substring(page_view_id, 15, 1) = '7', toDate(UUIDv7ToDateTime(toUUIDOrZero(page_view_id), 'UTC')), toDate(0)) AS view_day,
    page_view_id, anonymous_id, user_id, sender, type, timestamp, received_at,
    if(event = 'Page Engaged' AND isFinite(ifNull(toFloat64OrNull(toString(properties.activeMs)) AS active, nan)), active, NULL) AS active_ms,
    if(isFinite(ifNull(toFloat64OrNull(toString(properties.scrollDepth)) AS depth, nan)), depth, NULL) AS scroll_depth,
    stream_seq, batch_index
FROM slotstream.events
WHERE page_view_id != '' AND (type = 'page' OR (type = 'track' AND event = 'Page Engaged'));

-- When browsers sent messages that name no session: their sessions follow from the pauses. The projection is one row for
-- each browser.
CREATE TABLE IF NOT EXISTS slotstream.sessionless_events
(
    site_id LowCardinality(String),
    anonymous_id String CODEC(ZSTD),
    user_id String CODEC(ZSTD),
    previous_id String CODEC(ZSTD),
    sender LowCardinality(String),
    timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32,
    PROJECTION by_visitor
    (
        SELECT site_id, anonymous_id, groupUniqArray(timestamp)
        GROUP BY site_id, anonymous_id
    )
)
ENGINE = MergeTree
ORDER BY (site_id, anonymous_id, timestamp, stream_seq, batch_index)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS slotstream.sessionless_events_of_events TO slotstream.sessionless_events AS
SELECT site_id, anonymous_id, user_id, previous_id, sender, timestamp, received_at, stream_seq, batch_index
FROM slotstream.events
WHERE session_id IN ('') AND anonymous_id != '';

-- The derived sessions of each browser, in order. A pause of more than 30 minutes begins a run of messages, which is cut
-- every 24 hours: `place` is the beginning of the run and the number of the day in it.
CREATE VIEW IF NOT EXISTS slotstream.derived_visitors AS
SELECT
    site_id,
    anonymous_id,
    multiIf(anonymous_id = '', if('' = '', '', concat('user:', '')), startsWith(anonymous_id, 'user:') OR startsWith(anonymous_id, 'visitor:'), concat('visitor:', anonymous_id), anonymous_id) AS visitor,
    arraySort(groupUniqArray(timestamp)) AS times,
    arrayFill(
        (time, before) -> dateDiff('millisecond', before, time) > 1800000,
        times, arrayShiftRight(times, 1, times[1])) AS begins,
    arrayMap((time, begin) -> (begin, intDiv(dateDiff('second', begin, time), 86400)), times, begins) AS places,
    arrayFilter(
        (time, place, before, nth) -> nth = 1 OR place != before,
        times, places, arrayShiftRight(places, 1), arrayEnumerate(times)) AS starts,
    arrayFilter(
        (time, place, after, nth) -> nth = length(times) OR place != after,
        times, places, arrayShiftLeft(places, 1), arrayEnumerate(times)) AS ends,
    arrayDistinct(places) AS visits
FROM slotstream.sessionless_events
GROUP BY site_id, anonymous_id;

-- A message belongs to the last session of its browser that had begun.
DROP TABLE IF EXISTS slotstream.derived_session_events;

CREATE VIEW IF NOT EXISTS slotstream.derived_session_events AS
SELECT
    * EXCEPT (session_id, visitor, visit),
    concat(visitor, '@', formatDateTime(visit.1, '%Y%m%dT%H%i%S', 'UTC'), '.', toString(visit.2)) AS session_id,
    toDate(visit.1) + toUInt16(visit.2) AS session_day
FROM
(
    SELECT
        events.*,
        visitors.visitor AS visitor,
        visitors.visits[arrayLastIndex(start -> start <= events.timestamp, visitors.starts)] AS visit
    FROM slotstream.events AS events
    INNER JOIN slotstream.derived_visitors AS visitors
    ON events.site_id = visitors.site_id AND events.anonymous_id = visitors.anonymous_id
    WHERE events.session_id IN ('') AND events.anonymous_id != ''
);

DROP TABLE IF EXISTS slotstream.session_events;

CREATE VIEW IF NOT EXISTS slotstream.session_events AS
SELECT * EXCEPT (session_id), session_id, if(length(session_id) = 36 AND substring(session_id, 15, 1) = '7', toDate(UUIDv7ToDateTime(toUUIDOrZero(session_id), 'UTC')), toDate(0)) AS session_day
FROM slotstream.events
WHERE toUInt8(session_id != '') = 1 AND anonymous_id != ''
UNION ALL
SELECT * FROM slotstream.derived_session_events;

-- What is known of derived sessions, from the messages of their days.
CREATE VIEW IF NOT EXISTS slotstream.derived_session_facts AS
SELECT
    site_id, derived_id AS session_id, session_day, anonymous_id, started_at, ended_at, messages, views, engaged, orders, entry,
    exit, arrival, machine, location, bot, latest_user, derived_number
FROM
(
    SELECT
        site_id, derived_id, session_day, anonymous_id, started_at, derived_number,
        max(timestamp) AS ended_at,
        groupUniqArray(place) AS messages,
        groupUniqArrayIf((if(page_view_id = '', place, cityHash64(page_view_id)), timestamp, place), type IN ('page', 'screen')) AS views,
        groupUniqArrayIf((place, assumeNotNull(active_ms)), type = 'track' AND event = 'Page Engaged' AND isFinite(ifNull(active_ms, nan))) AS engaged,
        groupUniqArrayIf((order_id, timestamp, place, if(isFinite(ifNull(amount, nan)), amount, NULL), currency), is_order) AS orders,
        min(if(page_path != '', (timestamp, stream_seq, batch_index, page_path, page_url), (toDateTime64('2299-12-31 23:59:59', 3, 'UTC'), 0, 0, '', ''))) AS entry,
        max(if(page_path != '', (timestamp, stream_seq, batch_index, page_path), (toDateTime64(0, 3, 'UTC'), 0, 0, ''))) AS exit,
        min(if(channel != '', (timestamp, stream_seq, batch_index, channel, source, medium, campaign, referrer), (toDateTime64('2299-12-31 23:59:59', 3, 'UTC'), 0, 0, '', '', '', '', ''))) AS arrival,
        min(if(device != '', (timestamp, stream_seq, batch_index, device, browser, os), (toDateTime64('2299-12-31 23:59:59', 3, 'UTC'), 0, 0, '', '', ''))) AS machine,
        min(if(country != '', (timestamp, stream_seq, batch_index, country), (toDateTime64('2299-12-31 23:59:59', 3, 'UTC'), 0, 0, ''))) AS location,
        max(is_bot) AS bot,
        max(if(user_id != '' AND sender != 'unsigned', (timestamp, stream_seq, batch_index, user_id), (toDateTime64(0, 3, 'UTC'), 0, 0, ''))) AS latest_user
    FROM
    (
        SELECT
            site_id, session_id AS derived_id, session_day, started_at, derived_number, anonymous_id, user_id, previous_id, sender, message_id, page_view_id, type, event, timestamp, received_at,
            stream_seq, batch_index, page_path, page_url, referrer,
            cityHash64(stream_seq, batch_index) AS place,
            ifNull(toString(context.traffic.channel), '') AS channel,
            ifNull(toString(context.traffic.source), '') AS source,
            ifNull(toString(context.campaign.medium), '') AS medium,
            ifNull(toString(context.campaign.name), '') AS campaign,
            ifNull(toString(context.device.type), '') AS device,
            ifNull(toString(context.browser.name), '') AS browser,
            ifNull(toString(context.os.name), '') AS os,
            ifNull(toString(context.location.country), '') AS country,
            isNotNull(context.bot.reason) AS is_bot,
            type = 'track' AND event = 'Order Completed' AS is_order,
            toFloat64OrNull(toString(properties.activeMs)) AS active_ms,
            if(isNull(properties.revenue), toString(properties.total), toString(properties.revenue)) AS value,
            toFloat64OrNull(value) AS amount,
            ifNull(nullIf(toString(properties.order_id), ''), message_id) AS order_id,
            ifNull(toString(properties.currency), '') AS currency
        FROM
        (
            SELECT
                events.*,
                visits.session_id AS session_id,
                visits.session_day AS session_day,
                visits.started_at AS started_at,
                visits.derived_number AS derived_number
            FROM (SELECT * EXCEPT (session_id), day FROM slotstream.events WHERE session_id IN ('') AND anonymous_id != '') AS events
            INNER JOIN
            (
                SELECT
                    site_id,
                    anonymous_id,
                    concat(visitor, '@', formatDateTime(visit.1, '%Y%m%dT%H%i%S', 'UTC'), '.', toString(visit.2)) AS session_id,
                    toDate(visit.1) + toUInt16(visit.2) AS session_day,
                    started_at,
                    ended_at,
                    derived_number,
                    arrayJoin(arrayDistinct([toDate(started_at), toDate(ended_at)])) AS day
                FROM slotstream.derived_visitors
                ARRAY JOIN visits AS visit, starts AS started_at, ends AS ended_at, arrayEnumerate(starts) AS derived_number
            ) AS visits
            ON events.site_id = visits.site_id AND events.anonymous_id = visits.anonymous_id AND events.day = visits.day
            WHERE events.timestamp >= visits.started_at AND events.timestamp <= visits.ended_at
        )
    )
    GROUP BY site_id, derived_id, session_day, anonymous_id, started_at, derived_number
);

DROP TABLE IF EXISTS slotstream.session_facts;

CREATE VIEW IF NOT EXISTS slotstream.session_facts AS
SELECT
    site_id, session_id, session_day, anonymous_id, started_at, ended_at, messages, views, engaged, orders, entry, exit, arrival,
    machine, location, bot, latest_user, 0 AS derived_number
FROM slotstream.session_states FINAL
UNION ALL
SELECT * FROM slotstream.derived_session_facts;

-- As in 0017, with the days of views and sessions.
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
    length(arrayDistinct(arrayFilter(view -> (view.2, view.3) <= (views.timestamp, cityHash64(views.stream_seq, views.batch_index)), views.session_views).1)) AS view_number,
    reports.scroll_depth AS scroll_depth
FROM
(
    SELECT
        site_id, view_day, anonymous_id, page_view_id,
        minIf((timestamp, stream_seq, batch_index), type = 'page') AS first,
        sum(ifNull(active_ms, 0)) AS engaged_ms,
        max(scroll_depth) AS scroll_depth
    FROM slotstream.page_reports
    GROUP BY site_id, view_day, anonymous_id, page_view_id
) AS reports
RIGHT ANY JOIN
(
    SELECT views.*, session_views
    FROM
    (
        SELECT site_id AS site, session_day AS day, session_id AS session, anonymous_id AS visitor, groupUniqArrayArray(views) AS session_views
        FROM slotstream.session_states
        GROUP BY site, day, session, visitor
        UNION ALL
        SELECT site_id, session_day, session_id, anonymous_id, views FROM slotstream.derived_session_facts
    ) AS facts
    INNER JOIN
    (
        SELECT *, if(length(page_view_id) = 36 AND substring(page_view_id, 15, 1) = '7', toDate(UUIDv7ToDateTime(toUUIDOrZero(page_view_id), 'UTC')), toDate(0)) AS view_day
        FROM slotstream.session_events
        WHERE type = 'page'
    ) AS views
    ON facts.site = views.site_id AND facts.day = views.session_day AND facts.session = views.session_id
        AND facts.visitor = views.anonymous_id
) AS views
ON reports.site_id = views.site_id AND reports.view_day = views.view_day AND reports.anonymous_id = views.anonymous_id
    AND reports.page_view_id = views.page_view_id
LEFT ANY JOIN slotstream.browser_users AS browsers
ON views.site_id = browsers.site_id AND views.anonymous_id = browsers.anonymous_id
WHERE views.page_view_id = '' OR (views.timestamp, views.stream_seq, views.batch_index) = reports.first;
