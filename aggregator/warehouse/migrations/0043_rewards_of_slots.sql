-- As in 0040. Of the messages of an order the first whose revenue is a number counts, of servers before others: one that says "NaN"
-- no longer keeps the order without.
DROP TABLE IF EXISTS slotstream.first_orders;

CREATE VIEW IF NOT EXISTS slotstream.first_orders AS
SELECT
    site_id,
    key AS order_key,
    fromUnixTimestamp64Milli(toInt64(bitShiftRight(first, 96)) - 4611686018427387904, 'UTC') AS timestamp,
    if(startsWith(key, 'order '), substring(key, 7), '') AS order_id,
    message_id,
    anonymous_id,
    user_id,
    session_id,
    currency,
    money.1 AS revenue,
    costs.1 AS total,
    costs.2 AS shipping,
    costs.3 AS tax,
    costs.4 AS discount,
    coupon,
    products,
    sender
FROM
(
    SELECT
        site_id,
        key,
        min(place) AS first,
        argMin(sent.message_id, place) AS message_id,
        argMin(sent.session_id, place) AS session_id,
        argMinIf(sent.anonymous_id, place, sent.anonymous_id != '') AS anonymous_id,
        argMinIf(sent.user_id, place, sent.user_id != '') AS user_id,
        argMin(toString(sent.currency), trust) AS currency,
        argMin(tuple(revenue), trust) AS money,
        argMin((total, shipping, tax, discount), trust) AS costs,
        argMin(sent.coupon, trust) AS coupon,
        argMin(sent.products, trust) AS products,
        argMin(toString(sent.sender), trust) AS sender
    FROM
    (
        SELECT
            *,
            if(order_id = '', concat('message ', toString(stream_seq), '/', toString(batch_index)), concat('order ', order_id)) AS key,
            bitOr(bitOr(
                bitShiftLeft(toUInt256(toUnixTimestamp64Milli(timestamp) + 4611686018427387904), 96),
                bitShiftLeft(toUInt256(stream_seq), 32)), toUInt256(batch_index)) AS place,
            bitOr(bitOr(place, bitShiftLeft(toUInt256(revenue IS NULL), 192)), bitShiftLeft(toUInt256(sender != 'secret'), 193)) AS trust
        FROM slotstream.money_events
        WHERE kind = 'ordered'
    ) AS sent
    GROUP BY site_id, key
);

-- As in 0040, by the same rule. What is free has no currency to mix with: orders of amount 0 do not make a sum NULL.
DROP TABLE IF EXISTS slotstream.sessions;

CREATE VIEW IF NOT EXISTS slotstream.sessions AS
WITH
    arraySort(sold -> (isNull(sold.4), sold.2, sold.3), facts.orders) AS sales,
    arrayFilter((sold, nth) -> indexOf(arrayMap(each -> each.1, sales), sold.1) = nth, sales, arrayEnumerate(sales)) AS once,
    arrayFilter(sold -> isNotNull(sold.4), once) AS paid
SELECT
    facts.site_id AS site_id,
    facts.session_id AS session_id,
    facts.anonymous_id AS anonymous_id,
    facts.latest_user.4 AS user_id,
    multiIf(
        facts.latest_user.4 != '', facts.latest_user.4,
        browsers.person_id != '', browsers.person_id,
        notEmpty(browsers.turns), coalesce(
            nullIf(arrayLast(turn -> turn.1 <= facts.ended_at, browsers.turns).5, ''),
            browsers.turns[1].5),
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
        empty(paid) OR length(arrayDistinct(arrayMap(sold -> sold.5, arrayFilter(sold -> sold.4 != 0, paid)))) > 1, NULL,
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

-- As in 0040, with the reward that policies learned, by the rewards of the slot. What has no step in learning_outcomes, such as an item
-- that was shown to a program or not viewed, has earned nothing where the slot has steps and the policy is one of those that always
-- learn. Elsewhere it has its click: whether an ensemble, affinity or a slot with rewards of its own learns is not in decisions, and
-- imported logs have steps of some of their decisions only. Revenue as above.
DROP TABLE IF EXISTS slotstream.decision_rewards;

CREATE VIEW IF NOT EXISTS slotstream.decision_rewards AS
WITH shown AS
    (
        SELECT
            site_id, decision_id, timestamp, slot_id, anonymous_id, user_id, session_id, page_view_id, policy, policy_version, outcome,
            holdout, attribution_rule, attribution_hours,
            shown_content AS content_id,
            toUInt16(position + place - 1) AS position,
            if(empty(content_ids), NULL, propensities[place]) AS propensity
        FROM slotstream.decisions
        ARRAY JOIN
            if(empty(content_ids), [''], content_ids) AS shown_content,
            arrayEnumerate(if(empty(content_ids), [''], content_ids)) AS place
    ),
    foreign AS
    (
        SELECT site_id, decision_id, timestamp FROM slotstream.decisions
        WHERE if(length(decision_id) = 36 AND substring(decision_id, 15, 1) = '7', toUInt8(UUIDv7ToDateTime(toUUIDOrZero(decision_id), 'UTC') != timestamp), 1) = 1
    ),
    answers AS
    (
        SELECT site_id, decision_id, content_id, decided_at, event, timestamp, anonymous_id, user_id, sender FROM slotstream.slot_responses
        UNION ALL
        SELECT
            found.site_id AS site_id, found.decision_id AS decision_id, found.content_id AS content_id, foreign.timestamp AS decided_at,
            found.event AS event, found.timestamp AS timestamp, found.anonymous_id AS anonymous_id, found.user_id AS user_id,
            found.sender AS sender
        FROM (SELECT * FROM slotstream.slot_responses WHERE site_id IN (SELECT site_id FROM foreign)) AS found
        INNER JOIN foreign
        ON found.site_id = foreign.site_id AND found.decision_id = foreign.decision_id
    ),
    sent AS
    (
        SELECT
            site_id, if(order_id = '', concat('message ', toString(stream_seq), '/', toString(batch_index)), concat('order ', order_id)) AS order_key,
            timestamp, anonymous_id, user_id
        FROM slotstream.money_events
        WHERE kind = 'ordered'
    ),
    touched AS
    (
        SELECT DISTINCT
            clicks.site_id AS site_id, clicks.decision_id AS decision_id, clicks.content_id AS content_id, clicks.decided_at AS decided_at,
            orders.order_key AS order_key
        FROM
        (
            SELECT site_id, order_key, timestamp, 'browser' AS kind, anonymous_id AS id FROM sent WHERE anonymous_id != ''
            UNION ALL
            SELECT site_id, order_key, timestamp, 'user' AS kind, user_id AS id FROM sent WHERE user_id != ''
            UNION ALL
            SELECT sent.site_id AS site_id, sent.order_key AS order_key, sent.timestamp AS timestamp, 'browser' AS kind, users.anonymous_id AS id
            FROM (SELECT site_id, user_id, anonymous_id FROM slotstream.identifications GROUP BY site_id, anonymous_id, user_id) AS users
            INNER JOIN (SELECT * FROM sent WHERE user_id != '') AS sent
            ON users.site_id = sent.site_id AND users.user_id = sent.user_id
        ) AS orders
        INNER JOIN
        (
            SELECT
                site_id, decision_id, content_id, decided_at, timestamp,
                arrayJoin(if(user_id = '' OR sender = 'unsigned', [('browser', anonymous_id)], [('browser', anonymous_id), ('user', user_id)])) AS whose,
                whose.1 AS kind, whose.2 AS id
            FROM answers
            WHERE event = 'Slot Clicked'
        ) AS clicks
        ON orders.site_id = clicks.site_id AND orders.kind = clicks.kind AND orders.id = clicks.id
        WHERE orders.timestamp >= clicks.timestamp
    ),
    seen AS
    (
        SELECT shown.*, responses.viewed AS viewed, responses.clicked AS clicked, responses.viewed_at AS viewed_at, responses.clicked_at AS clicked_at
        FROM shown
        LEFT ANY JOIN
        (
            SELECT
                site_id, decision_id, content_id, decided_at,
                countIf(event = 'Slot Viewed') > 0 AS viewed,
                countIf(event = 'Slot Clicked') > 0 AS clicked,
                minIf(answers.timestamp, event = 'Slot Viewed') AS viewed_at,
                minIf(answers.timestamp, event = 'Slot Clicked') AS clicked_at
            FROM answers
            GROUP BY site_id, decision_id, content_id, decided_at
        ) AS responses
        ON shown.site_id = responses.site_id AND shown.decision_id = responses.decision_id AND shown.content_id = responses.content_id
            AND shown.timestamp = responses.decided_at
    ),
    outcomes AS
    (
        SELECT seen.*, earned.orders AS orders, earned.by_currency AS by_currency
        FROM seen
        LEFT ANY JOIN
        (
            SELECT
                touched.site_id AS site_id, touched.decision_id AS decision_id, touched.content_id AS content_id, touched.decided_at AS decided_at,
                sum(round(credits.share * 1000000)) / 1000000 AS orders,
                mapApply((name, millionths) -> (name, millionths / 1000000),
                    sumMap(if(credits.revenue IS NULL, CAST(map(), 'Map(String, Float64)'), map(toString(credits.currency), round(assumeNotNull(credits.revenue) * 1000000))))) AS by_currency
            FROM slotstream.order_credits AS credits
            INNER JOIN touched
            ON credits.site_id = touched.site_id AND credits.order_key = touched.order_key AND credits.decision_id = touched.decision_id
                AND credits.content_id = touched.content_id
            GROUP BY touched.site_id, touched.decision_id, touched.content_id, touched.decided_at
        ) AS earned
        ON seen.site_id = earned.site_id AND seen.decision_id = earned.decision_id AND seen.content_id = earned.content_id
            AND seen.timestamp = earned.decided_at
    ),
    learned AS
    (
        SELECT outcomes.*, steps.units AS units
        FROM outcomes
        LEFT ANY JOIN
        (
            SELECT
                site_id, decision_id, content_id, decided_at,
                CAST(sum(reward - ifNull(previous, 0)), 'Nullable(Int64)') AS units
            FROM slotstream.learning_outcomes
            GROUP BY site_id, decision_id, content_id, decided_at
        ) AS steps
        ON outcomes.site_id = steps.site_id AND outcomes.decision_id = steps.decision_id AND outcomes.content_id = steps.content_id
            AND outcomes.timestamp = steps.decided_at
    )
SELECT
    learned.site_id AS site_id,
    learned.decision_id AS decision_id,
    learned.timestamp AS timestamp,
    learned.slot_id AS slot_id,
    learned.anonymous_id AS anonymous_id,
    learned.user_id AS user_id,
    learned.session_id AS session_id,
    learned.page_view_id AS page_view_id,
    learned.policy AS policy,
    learned.policy_version AS policy_version,
    learned.outcome AS outcome,
    learned.holdout AS holdout,
    learned.content_id AS content_id,
    learned.position AS position,
    learned.propensity AS propensity,
    ifNull(learned.viewed, 0) AS viewed,
    ifNull(learned.clicked, 0) AS clicked,
    if(viewed, learned.viewed_at, NULL) AS viewed_at,
    if(clicked, learned.clicked_at, NULL) AS clicked_at,
    ifNull(learned.units / 10000, if(
        learners.slot_id != '' AND learned.content_id != '' AND learned.policy IN ('default', 'contextual', 'thompson', 'popular', 'trending'), 0,
        toFloat64(clicked))) AS reward,
    ifNull(learned.orders, 0) AS orders,
    if(arrayCount(amount -> amount != 0, mapValues(revenue_by_currency)) > 1, NULL, arraySum(mapValues(revenue_by_currency))) AS revenue,
    ifNull(learned.by_currency, CAST(map(), 'Map(String, Float64)')) AS revenue_by_currency,
    learned.attribution_rule AS attribution_rule,
    learned.attribution_hours AS attribution_hours
FROM learned
LEFT ANY JOIN (SELECT site_id, slot_id FROM slotstream.learning_outcomes GROUP BY site_id, slot_id) AS learners
ON learned.site_id = learners.site_id AND learned.slot_id = learners.slot_id;

-- As in 0021, with that revenue.
DROP TABLE IF EXISTS slotstream.slot_performance;

CREATE VIEW IF NOT EXISTS slotstream.slot_performance AS
SELECT
    site_id, slot_id, content_id, holdout, day, decisions, impressions, clicks, viewed_clicks,
    if(impressions = 0, NULL, clicks / impressions) AS ctr,
    reward,
    orders,
    if(arrayCount(amount -> amount != 0, mapValues(revenue_by_currency)) > 1, NULL, arraySum(mapValues(revenue_by_currency))) AS revenue,
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

-- As in 0033, without decisions about programs, as `evaluate` has it.
DROP TABLE IF EXISTS slotstream.policy_values;

CREATE VIEW IF NOT EXISTS slotstream.policy_values AS
SELECT
    site_id, slot_id, policy, policy_version, day, target, content_id, decisions, rewards,
    weighted / decisions AS ips,
    ips - reach_ips AS ips_low,
    ips + reach_ips AS ips_high,
    if(weights = 0, NULL, weighted / weights) AS snips,
    snips - reach_snips AS snips_low,
    snips + reach_snips AS snips_high,
    if(squares = 0, 0, weights * weights / squares) AS ess,
    weights / decisions AS mean_weight,
    max_weight,
    if(decisions < 2, NULL, 1.959963984540054 * sqrt(greatest(0, rewards_squared - decisions * ips * ips) / (decisions - 1) / decisions)) AS reach_ips,
    if(decisions < 2 OR weights = 0, NULL, 1.959963984540054 * sqrt(greatest(0, rewards_squared - 2 * snips * products + snips * snips * squares)
        * decisions / (decisions - 1)) / weights) AS reach_snips,
    multiIf(
        ess = 0, 'zero_support',
        abs(mean_weight - 1) > 1e-6 AND abs(mean_weight - 1) > 3 * sqrt(greatest(0, squares - decisions * mean_weight * mean_weight)
            / greatest(decisions - 1, 1) / decisions), 'corrupt_propensities',
        ess < greatest(1000, decisions / 100), 'low_sample',
        '') AS refused
FROM
(
    SELECT
        site_id, slot_id, policy, policy_version, toDate(timestamp, 'UTC') AS day, valued.1 AS target, valued.2 AS content_id,
        count() AS decisions,
        sum(reward) AS rewards,
        sum(valued.3 * reward) AS weighted,
        sum(pow(valued.3 * reward, 2)) AS rewards_squared,
        sum(pow(valued.3, 2) * reward) AS products,
        sum(valued.3) AS weights,
        sum(pow(valued.3, 2)) AS squares,
        max(valued.3) AS max_weight
    FROM
    (
        SELECT
            rewards.site_id AS site_id, rewards.slot_id AS slot_id, rewards.policy AS policy, rewards.policy_version AS policy_version,
            rewards.timestamp AS timestamp, rewards.reward AS reward, rewards.content_id AS shown, rewards.propensity AS propensity,
            arrayMap(candidate -> candidate.content_id, decisions.candidates) AS ids,
            abs(arraySum(candidate -> candidate.probability, decisions.candidates) - 1) < 1e-6 AS is_whole
        FROM slotstream.decision_rewards AS rewards
        INNER JOIN (SELECT site_id, decision_id, position, candidates FROM slotstream.decisions) AS decisions
        ON rewards.site_id = decisions.site_id AND rewards.decision_id = decisions.decision_id AND rewards.position = decisions.position
        WHERE rewards.outcome = 'served' AND rewards.propensity > 0 AND rewards.propensity <= 1
          AND (rewards.site_id, rewards.anonymous_id) NOT IN (SELECT site_id, anonymous_id FROM slotstream.programs)
    )
    ARRAY JOIN arrayConcat(
        [('logged', '', toFloat64(1))],
        if(is_whole, [('uniform', '', 1 / length(ids) / assumeNotNull(propensity))], []),
        arrayMap(id -> ('fixed', id, if(id = shown, 1 / assumeNotNull(propensity), 0)), ids)) AS valued
    GROUP BY site_id, slot_id, policy, policy_version, day, target, content_id
);
