-- Sessions of a large site. The sessions of each browser as a list instead of a map, which adds up in a quarter of the time.
-- Rows that are not merged yet have a session twice: it counts once, from its earliest beginning.
ALTER TABLE slotstream.session_states
    DROP PROJECTION IF EXISTS by_visitor;

ALTER TABLE slotstream.session_states
    ADD PROJECTION IF NOT EXISTS by_browser
    (
        SELECT site_id, anonymous_id, groupArray((cityHash64(session_id), started_at))
        GROUP BY site_id, anonymous_id
    );

ALTER TABLE slotstream.session_states
    MATERIALIZE PROJECTION by_browser;

-- As in 0016, by that list.
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
    toUInt64(facts.derived_number + length(arrayDistinct(arrayFilter(start -> start.2 <= facts.started_at, visitors.starts).1))) AS session_number,
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
    SELECT site_id, anonymous_id, groupArray((cityHash64(session_id), started_at)) AS starts
    FROM slotstream.session_states
    GROUP BY site_id, anonymous_id
) AS visitors
ON facts.site_id = visitors.site_id AND facts.anonymous_id = visitors.anonymous_id;

-- As in 0015, with identities read once.
DROP TABLE IF EXISTS slotstream.browser_users;

CREATE VIEW IF NOT EXISTS slotstream.browser_users AS
SELECT
    users.site_id AS site_id,
    users.anonymous_id AS anonymous_id,
    users.user_id AS user_id,
    users.is_user AS is_user,
    shared.turns AS turns
FROM
(
    SELECT site_id, anonymous_id, if(sum(joined) = 1, max(name), '') AS user_id, max(is_id) AS is_user
    FROM
    (
        SELECT site_id, about.1 AS anonymous_id, about.2 AS name, about.3 AS joined, NOT joined AS is_id
        FROM
        (
            SELECT site_id, arrayJoin(if(state = 'joined', [(anonymous_id, user_id, true), (user_id, '', false)], [(user_id, '', false)])) AS about
            FROM slotstream.identities
        )
    )
    GROUP BY site_id, anonymous_id
) AS users
LEFT ANY JOIN
(
    SELECT
        site_id, anonymous_id,
        arraySort(groupArray((timestamp, stream_seq, batch_index, session_id, user_id))) AS all,
        arrayFilter(
            (turn, before, after) -> NOT (turn.4 = before.4 AND turn.5 = before.5 AND turn.4 = after.4 AND turn.5 = after.5),
            all, arrayShiftRight(all, 1), arrayShiftLeft(all, 1)) AS ends,
        if(length(ends) > 200, [], ends) AS turns
    FROM slotstream.identifications
    WHERE (site_id, anonymous_id) IN
    (
        SELECT site_id, anonymous_id FROM slotstream.identities WHERE state = 'joined' GROUP BY site_id, anonymous_id HAVING count() > 1
    )
    AND (site_id, anonymous_id, user_id) NOT IN (SELECT site_id, anonymous_id, user_id FROM slotstream.identities WHERE state != 'joined')
    GROUP BY site_id, anonymous_id
) AS shared
ON users.site_id = shared.site_id AND users.anonymous_id = shared.anonymous_id;

-- What became of decisions, without the JSON of the messages and in the order of the decisions' times, which their ids tell:
-- a period's decisions find theirs without the other messages of the period. Ids that tell no time have the message's.
CREATE TABLE IF NOT EXISTS slotstream.slot_responses
(
    site_id LowCardinality(String),
    decided_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    decision_id String CODEC(ZSTD),
    content_id String CODEC(ZSTD),
    event LowCardinality(String),
    timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    anonymous_id String CODEC(ZSTD),
    user_id String CODEC(ZSTD),
    sender LowCardinality(String),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32,
    INDEX by_decision_id decision_id TYPE bloom_filter GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (site_id, decided_at, decision_id, content_id, stream_seq, batch_index)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS slotstream.slot_responses_of_events TO slotstream.slot_responses AS
SELECT
    site_id,
    if(length(decision_id) = 36 AND substring(decision_id, 15, 1) = '7', UUIDv7ToDateTime(toUUIDOrZero(decision_id), 'UTC'), timestamp) AS decided_at,
    decision_id, content_id, event, timestamp, anonymous_id, user_id, sender, received_at, stream_seq, batch_index
FROM slotstream.events
WHERE type = 'track' AND event IN ('Slot Viewed', 'Slot Clicked') AND decision_id != '';

-- As in 0021, by that table.
DROP TABLE IF EXISTS slotstream.decision_rewards;

CREATE VIEW IF NOT EXISTS slotstream.decision_rewards AS
WITH shown AS
    (
        SELECT
            site_id, decision_id, timestamp, slot_id, anonymous_id, user_id, session_id, page_view_id, policy, policy_version, outcome,
            holdout, attribution_rule, attribution_hours,
            if(length(decision_id) = 36 AND substring(decision_id, 15, 1) = '7', toUInt8(UUIDv7ToDateTime(toUUIDOrZero(decision_id), 'UTC') != timestamp), 1) AS foreign,
            shown_content AS content_id,
            toUInt16(position + place - 1) AS position,
            if(empty(content_ids), NULL, propensities[place]) AS propensity
        FROM slotstream.decisions
        ARRAY JOIN
            if(empty(content_ids), [''], content_ids) AS shown_content,
            arrayEnumerate(if(empty(content_ids), [''], content_ids)) AS place
    ),
    outcomes AS
    (
        SELECT shown.*, responses.viewed AS viewed, responses.clicked AS clicked, responses.viewed_at AS viewed_at, responses.clicked_at AS clicked_at
        FROM (SELECT * FROM shown WHERE foreign = 0) AS shown
        LEFT ANY JOIN
        (
            SELECT
                site_id, decision_id, content_id,
                decided_at,
                countIf(event = 'Slot Viewed') > 0 AS viewed,
                countIf(event = 'Slot Clicked') > 0 AS clicked,
                minIf(timestamp, event = 'Slot Viewed') AS viewed_at,
                minIf(timestamp, event = 'Slot Clicked') AS clicked_at
            FROM slotstream.slot_responses
            GROUP BY site_id, decision_id, content_id, decided_at
        ) AS responses
        ON shown.site_id = responses.site_id AND shown.decision_id = responses.decision_id AND shown.content_id = responses.content_id
            AND shown.timestamp = responses.decided_at
        UNION ALL
        SELECT shown.*, responses.viewed AS viewed, responses.clicked AS clicked, responses.viewed_at AS viewed_at, responses.clicked_at AS clicked_at
        FROM (SELECT * FROM shown WHERE foreign = 1) AS shown
        LEFT ANY JOIN
        (
            SELECT
                site_id, decision_id, content_id,
                countIf(event = 'Slot Viewed') > 0 AS viewed,
                countIf(event = 'Slot Clicked') > 0 AS clicked,
                minIf(timestamp, event = 'Slot Viewed') AS viewed_at,
                minIf(timestamp, event = 'Slot Clicked') AS clicked_at
            FROM slotstream.slot_responses
            WHERE decision_id IN (SELECT decision_id FROM slotstream.decisions WHERE if(length(decision_id) = 36 AND substring(decision_id, 15, 1) = '7', toUInt8(UUIDv7ToDateTime(toUUIDOrZero(decision_id), 'UTC') != timestamp), 1) = 1)
              AND site_id IN (SELECT site_id FROM slotstream.decisions WHERE if(length(decision_id) = 36 AND substring(decision_id, 15, 1) = '7', toUInt8(UUIDv7ToDateTime(toUUIDOrZero(decision_id), 'UTC') != timestamp), 1) = 1)
              AND (SELECT count() FROM slotstream.decisions WHERE if(length(decision_id) = 36 AND substring(decision_id, 15, 1) = '7', toUInt8(UUIDv7ToDateTime(toUUIDOrZero(decision_id), 'UTC') != timestamp), 1) = 1) > 0
            GROUP BY site_id, decision_id, content_id
        ) AS responses
        ON shown.site_id = responses.site_id AND shown.decision_id = responses.decision_id AND shown.content_id = responses.content_id
    )
SELECT
    outcomes.site_id AS site_id,
    outcomes.decision_id AS decision_id,
    outcomes.timestamp AS timestamp,
    outcomes.slot_id AS slot_id,
    outcomes.anonymous_id AS anonymous_id,
    outcomes.user_id AS user_id,
    outcomes.session_id AS session_id,
    outcomes.page_view_id AS page_view_id,
    outcomes.policy AS policy,
    outcomes.policy_version AS policy_version,
    outcomes.outcome AS outcome,
    outcomes.holdout AS holdout,
    outcomes.content_id AS content_id,
    outcomes.position AS position,
    outcomes.propensity AS propensity,
    ifNull(outcomes.viewed, 0) AS viewed,
    ifNull(outcomes.clicked, 0) AS clicked,
    if(viewed, outcomes.viewed_at, NULL) AS viewed_at,
    if(clicked, outcomes.clicked_at, NULL) AS clicked_at,
    toFloat64(clicked) AS reward,
    ifNull(earned.orders, 0) AS orders,
    if(empty(revenue_by_currency), 0, if(length(revenue_by_currency) = 1, mapValues(revenue_by_currency)[1], NULL)) AS revenue,
    ifNull(earned.by_currency, CAST(map(), 'Map(String, Float64)')) AS revenue_by_currency,
    outcomes.attribution_rule AS attribution_rule,
    outcomes.attribution_hours AS attribution_hours
FROM outcomes
LEFT ANY JOIN
(
    SELECT
        site_id, decision_id, content_id,
        sum(round(share * 1000000)) / 1000000 AS orders,
        mapApply((name, millionths) -> (name, millionths / 1000000),
            sumMap(if(revenue IS NULL, CAST(map(), 'Map(String, Float64)'), map(toString(currency), round(assumeNotNull(revenue) * 1000000))))) AS by_currency
    FROM slotstream.order_credits
    GROUP BY site_id, decision_id, content_id
) AS earned
ON outcomes.site_id = earned.site_id AND outcomes.decision_id = earned.decision_id AND outcomes.content_id = earned.content_id;
