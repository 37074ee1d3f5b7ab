-- Which click an order is credited to. Candidates are the clicks of the browser that ordered, of the known user who
-- ordered, and of the browsers that named this user, unless they name another one. The slot that was clicked last before
-- the order says by which rule: the credit goes to the last or the first of the clicks, or in equal parts to all decisions
-- that were clicked, each click counting for the hours of its own decision. Of clicks at the same time the one that is later
-- in the stream counts. Credit is counted in whole millionths; the last click has what does not divide.
CREATE VIEW IF NOT EXISTS slotstream.order_credits AS
SELECT
    site_id,
    order_id,
    ordered_at,
    credit.1 AS decision_id,
    credit.2 AS content_id,
    rule,
    (floor(1000000 / parts) + if(place = 1, 1000000 - parts * floor(1000000 / parts), 0)) / 1000000 AS share,
    (floor(millionths / parts) + if(place = 1, millionths - parts * floor(millionths / parts), 0)) / 1000000 AS revenue,
    currency
FROM
(
    SELECT
        orders.site_id AS site_id,
        orders.order_key AS order_key,
        any(orders.order_id) AS order_id,
        any(orders.timestamp) AS ordered_at,
        any(orders.currency) AS currency,
        any(round(orders.revenue * 1000000)) AS millionths,
        arraySort(groupUniqArray((clicks.timestamp, clicks.stream_seq, clicks.batch_index, clicks.decision_id, clicks.content_id, clicks.rule))) AS touches,
        touches[-1].6 AS rule,
        multiIf(
            rule = 'firstClick', [(arrayLast(touch -> touch.1 = touches[1].1, touches).4, arrayLast(touch -> touch.1 = touches[1].1, touches).5)],
            rule = 'linear', arrayDistinct(arrayMap(touch -> (touch.4, touch.5), arrayReverse(touches))),
            [(touches[-1].4, touches[-1].5)]) AS credits,
        length(credits) AS parts
    FROM
    (
        SELECT
            orders.site_id AS site_id, orders.order_key AS order_key, orders.order_id AS order_id, orders.timestamp AS timestamp,
            orders.user_id AS user_id, orders.currency AS currency, orders.revenue AS revenue,
            arrayJoin(arrayDistinct(arrayConcat(
                if(orders.anonymous_id = '', [], [concat('browser ', orders.anonymous_id)]),
                if(orders.user_id = '', [], [concat('user ', orders.user_id)]),
                if(orders.user_id = '', [], arrayMap(browser -> concat('browser ', browser), users.browsers))))) AS key
        FROM slotstream.first_orders AS orders
        LEFT ANY JOIN
        (
            SELECT site_id, user_id, groupUniqArray(anonymous_id) AS browsers
            FROM slotstream.money_events
            WHERE user_id != '' AND anonymous_id != ''
            GROUP BY site_id, user_id
        ) AS users
        ON orders.site_id = users.site_id AND orders.user_id = users.user_id
    ) AS orders
    INNER JOIN
    (
        SELECT
            clicked.site_id AS site_id, clicked.timestamp AS timestamp, clicked.stream_seq AS stream_seq, clicked.batch_index AS batch_index,
            clicked.decision_id AS decision_id, clicked.content_id AS content_id, clicked.user_id AS user_id,
            if(ifNull(rules.rule, '') = '', 'lastClick', assumeNotNull(rules.rule)) AS rule,
            if(ifNull(rules.rule, '') = '', 24, assumeNotNull(rules.hours)) AS hours,
            arrayJoin(arrayConcat(
                if(clicked.anonymous_id = '', [], [concat('browser ', clicked.anonymous_id)]),
                if(clicked.user_id = '', [], [concat('user ', clicked.user_id)]))) AS key
        FROM slotstream.money_events AS clicked
        LEFT ANY JOIN
        (
            SELECT site_id, decision_id, toString(attribution_rule) AS rule, attribution_hours AS hours
            FROM slotstream.decisions
            WHERE concat(attribution_rule, ' ', toString(attribution_hours)) != 'lastClick 24'
        ) AS rules
        ON clicked.site_id = rules.site_id AND clicked.decision_id = rules.decision_id
        WHERE clicked.kind = 'clicked'
    ) AS clicks
    ON orders.site_id = clicks.site_id AND orders.key = clicks.key
    WHERE clicks.timestamp <= orders.timestamp AND orders.timestamp < clicks.timestamp + toIntervalHour(clicks.hours)
      AND (clicks.user_id = '' OR orders.user_id = '' OR clicks.user_id = orders.user_id)
    GROUP BY orders.site_id, orders.order_key
)
ARRAY JOIN credits AS credit, arrayEnumerate(credits) AS place;

-- One row per decision and content it showed, with what came of it. A decision that showed nothing (holdout, empty,
-- timeout) is one row with an empty content_id. A decision's id says when it was made, so that the responses to the
-- decisions of a period are looked up by the same period; ids that were made elsewhere are looked up one by one.
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
                if(length(decision_id) = 36 AND substring(decision_id, 15, 1) = '7', UUIDv7ToDateTime(toUUIDOrZero(decision_id), 'UTC'), timestamp) AS decided_at,
                countIf(event = 'Slot Viewed') > 0 AS viewed,
                countIf(event = 'Slot Clicked') > 0 AS clicked,
                minIf(timestamp, event = 'Slot Viewed') AS viewed_at,
                minIf(timestamp, event = 'Slot Clicked') AS clicked_at
            FROM slotstream.events
            WHERE type = 'track' AND event IN ('Slot Viewed', 'Slot Clicked') AND decision_id != ''
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
            FROM slotstream.events
            WHERE type = 'track' AND event IN ('Slot Viewed', 'Slot Clicked')
              AND decision_id IN (SELECT decision_id FROM slotstream.decisions WHERE if(length(decision_id) = 36 AND substring(decision_id, 15, 1) = '7', toUInt8(UUIDv7ToDateTime(toUUIDOrZero(decision_id), 'UTC') != timestamp), 1) = 1)
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

-- Slot × content × day, and the visitors held out in rows of their own. The lift is the difference between the content's
-- reward per impression and that of the visitors held out on the same day, who saw the page's own content; its interval
-- is the 95 % one of Newcombe (1998, method 10, from Wilson's), which holds for few clicks and for none. NULL where
-- no visitor was held out.
DROP TABLE IF EXISTS slotstream.slot_performance;

CREATE VIEW IF NOT EXISTS slotstream.slot_performance AS
SELECT
    site_id, slot_id, content_id, holdout, day, decisions, impressions, clicks, viewed_clicks,
    if(impressions = 0, NULL, clicks / impressions) AS ctr,
    reward,
    orders,
    if(empty(revenue_by_currency), 0, if(length(revenue_by_currency) = 1, mapValues(revenue_by_currency)[1], NULL)) AS revenue,
    revenue_by_currency,
    if(holdout OR impressions = 0 OR control.1 = 0, NULL, rate - control_rate) AS lift,
    lift - sqrt(pow(rate - wilson_low, 2) + pow(control_high - control_rate, 2)) AS lift_low,
    lift + sqrt(pow(wilson_high - rate, 2) + pow(control_rate - control_low, 2)) AS lift_high
FROM
(
    SELECT
        *,
        maxIf((impressions, viewed_clicks), holdout AND content_id = '') OVER (PARTITION BY site_id, slot_id, day) AS control,
        viewed_clicks / impressions AS rate,
        control.2 / control.1 AS control_rate,
        3.8416 / impressions AS z,
        3.8416 / control.1 AS control_z,
        (rate + z / 2 - sqrt(z * (rate * (1 - rate) + z / 4))) / (1 + z) AS wilson_low,
        (rate + z / 2 + sqrt(z * (rate * (1 - rate) + z / 4))) / (1 + z) AS wilson_high,
        (control_rate + control_z / 2 - sqrt(control_z * (control_rate * (1 - control_rate) + control_z / 4))) / (1 + control_z) AS control_low,
        (control_rate + control_z / 2 + sqrt(control_z * (control_rate * (1 - control_rate) + control_z / 4))) / (1 + control_z) AS control_high
    FROM
    (
        SELECT
            site_id, slot_id, content_id, holdout, toDate(timestamp, 'UTC') AS day,
            count() AS decisions,
            countIf(viewed) AS impressions,
            countIf(clicked) AS clicks,
            countIf(viewed AND clicked) AS viewed_clicks,
            sum(rewards.reward) AS reward,
            sum(round(rewards.orders * 1000000)) / 1000000 AS orders,
            mapApply((name, millionths) -> (name, millionths / 1000000),
                sumMap(mapApply((name, amount) -> (name, round(amount * 1000000)), rewards.revenue_by_currency))) AS revenue_by_currency
        FROM slotstream.decision_rewards AS rewards
        GROUP BY site_id, slot_id, content_id, holdout, day
    )
)
WHERE content_id != '' OR holdout;
