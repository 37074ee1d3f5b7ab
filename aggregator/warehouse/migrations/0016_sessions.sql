-- One row per session that browsers name, so that a period's sessions are found without its events. Every column comes out
-- the same however often, in whatever order and in whichever blocks its messages come: sets, and the least or greatest by
-- time and place in the stream. The order is by session_id, which ascend with time where the SDK makes them, so that the
-- index of started_at leaves out what lies outside of a period. A message without an anonymous_id is in no session.
CREATE TABLE IF NOT EXISTS slotstream.session_states
(
    site_id LowCardinality(String),
    session_id String CODEC(ZSTD),
    anonymous_id String CODEC(ZSTD),
    started_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')) CODEC(ZSTD),
    ended_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) CODEC(ZSTD),
    received_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) CODEC(ZSTD),
    first SimpleAggregateFunction(min, Tuple(DateTime64(3, 'UTC'), UInt64, UInt32)) CODEC(ZSTD),
    messages SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)) CODEC(ZSTD),
    views SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(UInt64, DateTime64(3, 'UTC'), UInt64))) CODEC(ZSTD),
    engaged SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(UInt64, Float64))) CODEC(ZSTD),
    orders SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(String, DateTime64(3, 'UTC'), UInt64, Nullable(Float64), String))) CODEC(ZSTD),
    entry SimpleAggregateFunction(min, Tuple(DateTime64(3, 'UTC'), UInt64, UInt32, String, String)) CODEC(ZSTD),
    exit SimpleAggregateFunction(max, Tuple(DateTime64(3, 'UTC'), UInt64, UInt32, String)) CODEC(ZSTD),
    arrival SimpleAggregateFunction(min, Tuple(DateTime64(3, 'UTC'), UInt64, UInt32, String, String, String, String, String)) CODEC(ZSTD),
    machine SimpleAggregateFunction(min, Tuple(DateTime64(3, 'UTC'), UInt64, UInt32, String, String, String)) CODEC(ZSTD),
    location SimpleAggregateFunction(min, Tuple(DateTime64(3, 'UTC'), UInt64, UInt32, String)) CODEC(ZSTD),
    bot SimpleAggregateFunction(max, UInt8),
    latest_user SimpleAggregateFunction(max, Tuple(DateTime64(3, 'UTC'), UInt64, UInt32, String)) CODEC(ZSTD),
    user_ids SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD),
    previous_ids SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD),
    has_unnamed SimpleAggregateFunction(max, UInt8),
    INDEX by_started_at started_at TYPE minmax GRANULARITY 1,
    INDEX by_anonymous_id anonymous_id TYPE bloom_filter GRANULARITY 1,
    PROJECTION by_visitor
    (
        SELECT site_id, anonymous_id, minMap(map(cityHash64(session_id), started_at))
        GROUP BY site_id, anonymous_id
    )
)
ENGINE = AggregatingMergeTree
ORDER BY (site_id, session_id, anonymous_id)
SETTINGS non_replicated_deduplication_window = 10000, deduplicate_merge_projection_mode = 'rebuild', index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS slotstream.session_states_of_events TO slotstream.session_states AS
SELECT
    site_id, session_id, anonymous_id,
    min(timestamp) AS started_at,
    max(timestamp) AS ended_at,
    max(received_at) AS received_at,
    min((timestamp, stream_seq, batch_index)) AS first,
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
    max(if(user_id != '' AND sender != 'unsigned', (timestamp, stream_seq, batch_index, user_id), (toDateTime64(0, 3, 'UTC'), 0, 0, ''))) AS latest_user,
    groupUniqArrayIf(user_id, user_id != '') AS user_ids,
    groupUniqArrayIf(previous_id, previous_id != '') AS previous_ids,
    max(user_id = '') AS has_unnamed
FROM
(
    SELECT
        site_id, session_id, anonymous_id, user_id, previous_id, sender, message_id, page_view_id, type, event, timestamp, received_at,
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
    FROM slotstream.events
    WHERE session_id != '' AND anonymous_id != ''
)
GROUP BY site_id, session_id, anonymous_id;

-- Messages without a session are looked for by it, as is one session.
ALTER TABLE slotstream.events
    ADD INDEX IF NOT EXISTS by_session_id session_id TYPE bloom_filter(0.001) GRANULARITY 1;

-- `IN`, because an index is not used for a comparison with ''. As in 0014, without the messages of servers that know only the user, and with all columns, which views of pages need.
CREATE VIEW IF NOT EXISTS slotstream.derived_session_events AS
SELECT
    * EXCEPT (session_id, visitor, before, pause, pauses, pause_end, day),
    concat(visitor, '@', formatDateTime(pause_end, '%Y%m%dT%H%i%S', 'UTC'), '.', toString(day)) AS session_id
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
                *,
                multiIf(anonymous_id = '', if(user_id = '', '', concat('user:', user_id)), startsWith(anonymous_id, 'user:') OR startsWith(anonymous_id, 'visitor:'), concat('visitor:', anonymous_id), anonymous_id) AS visitor,
                lagInFrame(timestamp, 1, timestamp) OVER (PARTITION BY site_id, visitor ORDER BY timestamp, message_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before,
                dateDiff('millisecond', before, timestamp) > 1800000 AS pause
            FROM slotstream.events
            WHERE session_id IN ('') AND anonymous_id != ''
        )
    )
);

DROP TABLE IF EXISTS slotstream.session_events;

CREATE VIEW IF NOT EXISTS slotstream.session_events AS
SELECT * EXCEPT (session_id), session_id
FROM slotstream.events
WHERE session_id != '' AND anonymous_id != ''
UNION ALL
SELECT * FROM slotstream.derived_session_events;

-- What is known of sessions: of those that browsers name from their rows, of others from their messages.
CREATE VIEW IF NOT EXISTS slotstream.session_facts AS
SELECT
    site_id, session_id, anonymous_id, started_at, ended_at, messages, views, engaged, orders, entry, exit, arrival, machine,
    location, bot, latest_user, 0 AS derived_number
FROM slotstream.session_states FINAL
UNION ALL
SELECT
    site_id, derived_id AS session_id, anonymous_id, started_at, ended_at, messages, views, engaged, orders, entry, exit, arrival,
    machine, location, bot, latest_user,
    row_number() OVER (PARTITION BY site_id, anonymous_id ORDER BY started_at) AS derived_number
FROM
(
    SELECT
        site_id, derived_id, anonymous_id,
        min(timestamp) AS started_at,
        max(timestamp) AS ended_at,
        max(received_at) AS received_at,
        min((timestamp, stream_seq, batch_index)) AS first,
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
        max(if(user_id != '' AND sender != 'unsigned', (timestamp, stream_seq, batch_index, user_id), (toDateTime64(0, 3, 'UTC'), 0, 0, ''))) AS latest_user,
        groupUniqArrayIf(user_id, user_id != '') AS user_ids,
        groupUniqArrayIf(previous_id, previous_id != '') AS previous_ids,
        max(user_id = '') AS has_unnamed
    FROM
    (
        SELECT
            site_id, session_id AS derived_id, anonymous_id, user_id, previous_id, sender, message_id, page_view_id, type, event, timestamp, received_at,
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
        FROM slotstream.derived_session_events
    )
    GROUP BY site_id, derived_id, anonymous_id
);

-- An order counts once in a session, as it was sent first: a thank-you page that is loaded again is none. Who a session
-- belongs to is decided as for its messages (see 0015).
DROP TABLE IF EXISTS slotstream.sessions;

CREATE VIEW IF NOT EXISTS slotstream.sessions AS
WITH
    arraySort(sold -> (sold.2, sold.3), facts.orders) AS sales,
    arrayFilter((sold, nth) -> indexOf(arrayMap(each -> each.1, sales), sold.1) = nth, sales, arrayEnumerate(sales)) AS once,
    arrayFilter(sold -> isNotNull(sold.4), once) AS paid
SELECT
    facts.site_id AS site_id,
    facts.session_id AS session_id,
    facts.anonymous_id AS anonymous_id,
    facts.latest_user.4 AS user_id,
    multiIf(
        facts.latest_user.4 != '', facts.latest_user.4,
        browsers.user_id != '', browsers.user_id,
        notEmpty(browsers.turns), coalesce(
            nullIf(arrayLast(turn -> turn.1 <= facts.ended_at, browsers.turns).5, ''),
            browsers.turns[1].5),
        browsers.is_user, concat('visitor:', facts.anonymous_id),
        facts.anonymous_id) AS person_id,
    facts.started_at AS started_at,
    facts.ended_at AS ended_at,
    dateDiff('millisecond', facts.started_at, facts.ended_at) / 1000 AS duration_s,
    arraySum(spent -> spent.2, facts.engaged) / 1000 AS engaged_s,
    length(arrayDistinct(facts.views.1)) AS page_views,
    length(facts.messages) AS events,
    facts.entry.4 AS entry_path,
    facts.exit.4 AS exit_path,
    cutQueryStringAndFragment(facts.entry.5) AS landing_page,
    if(facts.arrival.4 = 'internal', 'direct', facts.arrival.4) AS channel,
    facts.arrival.5 AS source,
    facts.arrival.6 AS medium,
    facts.arrival.7 AS campaign,
    domainWithoutWWW(facts.arrival.8) AS referrer_host,
    facts.machine.4 AS device,
    facts.machine.5 AS browser,
    facts.machine.6 AS os,
    facts.location.4 AS country,
    facts.bot = 1 AS bot,
    toUInt64(facts.derived_number + arrayCount(at -> at <= facts.started_at, visitors.visits)) AS session_number,
    session_number = 1 AS is_new,
    notEmpty(facts.orders) AS converted,
    multiIf(
        empty(once), 0,
        empty(paid) OR length(arrayDistinct(arrayMap(sold -> sold.5, paid))) > 1, NULL,
        arraySum(sold -> ifNull(sold.4, 0), paid)) AS revenue
FROM slotstream.session_facts AS facts
LEFT ANY JOIN slotstream.browser_users AS browsers
ON facts.site_id = browsers.site_id AND facts.anonymous_id = browsers.anonymous_id
LEFT ANY JOIN
(
    SELECT site_id, anonymous_id, minMap(map(cityHash64(session_id), started_at)) AS starts, mapValues(starts) AS visits
    FROM slotstream.session_states
    GROUP BY site_id, anonymous_id
) AS visitors
ON facts.site_id = visitors.site_id AND facts.anonymous_id = visitors.anonymous_id;

