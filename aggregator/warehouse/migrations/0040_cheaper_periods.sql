-- Views that do less for a period of a large site.
--
-- As in 0037, and who a browser's rows belong to where that is one: told once for each browser instead of for each of its
-- rows. What was decided about pairs is a set, which costs nothing where it is empty. Several users are looked for by a join,
-- which reads those of the site that is asked about.
DROP TABLE IF EXISTS slotstream.browser_users;

CREATE VIEW IF NOT EXISTS slotstream.browser_users AS
WITH
    known AS (SELECT site_id, anonymous_id, user_id FROM slotstream.identifications GROUP BY site_id, anonymous_id, user_id),
    apart AS
    (
        SELECT site_id, anonymous_id, user_id FROM slotstream.identity_decisions GROUP BY site_id, anonymous_id, user_id
        HAVING argMax(toString(state), (decided_at, stream_seq, batch_index)) NOT IN ('', 'joined')
    )
SELECT
    users.site_id AS site_id,
    users.anonymous_id AS anonymous_id,
    users.user_id AS user_id,
    users.is_user AS is_user,
    shared.turns AS turns,
    multiIf(user_id != '', user_id, notEmpty(turns), '', is_user, concat('visitor:', anonymous_id), '') AS person_id
FROM
(
    SELECT site_id, about.1 AS anonymous_id, if(sum(about.3) = 1, max(about.2), '') AS user_id, max(NOT about.3) AS is_user
    FROM
    (
        SELECT
            site_id,
            arrayJoin(if((site_id, anonymous_id, user_id) IN (SELECT site_id, anonymous_id, user_id FROM apart),
                [(user_id, '', false)], [(anonymous_id, user_id, true), (user_id, '', false)])) AS about
        FROM known
    )
    GROUP BY site_id, anonymous_id
) AS users
LEFT ANY JOIN
(
    SELECT
        said.site_id AS site_id, said.anonymous_id AS anonymous_id,
        arraySort(groupArray((said.timestamp, said.stream_seq, said.batch_index, said.session_id, said.user_id))) AS all,
        arrayFilter(
            (turn, before, after) -> NOT (turn.4 = before.4 AND turn.5 = before.5 AND turn.4 = after.4 AND turn.5 = after.5),
            all, arrayShiftRight(all, 1), arrayShiftLeft(all, 1)) AS ends,
        if(length(ends) > 200, [], ends) AS turns
    FROM slotstream.identifications AS said
    INNER JOIN (SELECT site_id, anonymous_id FROM known GROUP BY site_id, anonymous_id HAVING count() > 1) AS several
    ON said.site_id = several.site_id AND said.anonymous_id = several.anonymous_id
    WHERE (said.site_id, said.anonymous_id, said.user_id) NOT IN (SELECT site_id, anonymous_id, user_id FROM apart)
    GROUP BY said.site_id, said.anonymous_id
) AS shared
ON users.site_id = shared.site_id AND users.anonymous_id = shared.anonymous_id;

-- As in 0015, with that person.
DROP TABLE IF EXISTS slotstream.person_events;

CREATE VIEW IF NOT EXISTS slotstream.person_events AS
SELECT
    events.*,
    multiIf(
        events.user_id != '' AND events.sender != 'unsigned', events.user_id,
        browsers.person_id != '', browsers.person_id,
        notEmpty(browsers.turns), coalesce(
            nullIf(arrayFirst(turn -> turn.4 = events.session_id AND (turn.1, turn.2, turn.3) > (events.timestamp, events.stream_seq, events.batch_index) AND turn.4 != '', browsers.turns).5, ''),
            nullIf(arrayLast(turn -> (turn.1, turn.2, turn.3) < (events.timestamp, events.stream_seq, events.batch_index), browsers.turns).5, ''),
            browsers.turns[1].5),
        events.anonymous_id) AS person_id
FROM slotstream.events AS events
LEFT ANY JOIN slotstream.browser_users AS browsers
ON events.site_id = browsers.site_id AND events.anonymous_id = browsers.anonymous_id;

-- As in 0037, with that person.
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

-- As in 0022, with that person. Which message of a view is the first is told by one number instead of a tuple, which takes a
-- third of the time: the time from an origin before all times, then the place in the stream.
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
        browsers.person_id != '', browsers.person_id,
        notEmpty(browsers.turns), coalesce(
            nullIf(arrayFirst(turn -> turn.4 = views.session_id AND (turn.1, turn.2, turn.3) > (views.timestamp, views.stream_seq, views.batch_index), browsers.turns).5, ''),
            nullIf(arrayLast(turn -> (turn.1, turn.2, turn.3) < (views.timestamp, views.stream_seq, views.batch_index), browsers.turns).5, ''),
            browsers.turns[1].5),
        views.anonymous_id) AS person_id,
    views.referrer AS referrer,
    length(arrayDistinct(arrayFilter(view -> (view.2, view.3) <= (views.timestamp, cityHash64(views.stream_seq, views.batch_index)), views.session_views).1)) AS view_number,
    reports.scroll_depth AS scroll_depth
FROM
(
    SELECT
        site_id, view_day, anonymous_id, page_view_id,
        minIf(bitOr(bitOr(bitShiftLeft(toUInt256(toUnixTimestamp64Milli(timestamp) + 4611686018427387904), 96), bitShiftLeft(toUInt256(stream_seq), 32)), toUInt256(batch_index)), type = 'page') AS first,
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
WHERE views.page_view_id = '' OR bitOr(bitOr(bitShiftLeft(toUInt256(toUnixTimestamp64Milli(views.timestamp) + 4611686018427387904), 96), bitShiftLeft(toUInt256(views.stream_seq), 32)), toUInt256(views.batch_index)) = reports.first;

-- As in 0023, by such numbers. Columns stand for themselves, so that those that are not asked for are not read.
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
            bitOr(place, bitShiftLeft(toUInt256(sender != 'secret'), 192)) AS trust
        FROM slotstream.money_events
        WHERE kind = 'ordered'
    ) AS sent
    GROUP BY site_id, key
);

-- As in 0021, with the key of the order. Of each join the orders are the side that is read first, so that a filter on their key
-- spares the clicks and users of others.
DROP TABLE IF EXISTS slotstream.order_credits;

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
    currency,
    order_key
FROM
(
    SELECT
        site_id,
        order_key,
        any(pairs.order_id) AS order_id,
        any(pairs.ordered_at) AS ordered_at,
        any(pairs.currency) AS currency,
        any(pairs.millionths) AS millionths,
        arraySort(groupUniqArray((pairs.timestamp, pairs.stream_seq, pairs.batch_index, pairs.decision_id, pairs.content_id, if(ifNull(rules.rule, '') = '', 'lastClick', assumeNotNull(rules.rule))))) AS touches,
        touches[-1].6 AS rule,
        multiIf(
            rule = 'firstClick', [(arrayLast(touch -> touch.1 = touches[1].1, touches).4, arrayLast(touch -> touch.1 = touches[1].1, touches).5)],
            rule = 'linear', arrayDistinct(arrayMap(touch -> (touch.4, touch.5), arrayReverse(touches))),
            [(touches[-1].4, touches[-1].5)]) AS credits,
        length(credits) AS parts
    FROM
    (
        SELECT
            orders.site_id AS site_id, orders.order_key AS order_key, orders.order_id AS order_id, orders.timestamp AS ordered_at,
            orders.currency AS currency, orders.millionths AS millionths, clicks.timestamp AS timestamp, clicks.stream_seq AS stream_seq,
            clicks.batch_index AS batch_index, clicks.decision_id AS decision_id, clicks.content_id AS content_id
        FROM
        (
            SELECT
                site_id, timestamp, stream_seq, batch_index, decision_id, content_id, user_id,
                arrayJoin(if(user_id = '', [('browser', anonymous_id)], [('browser', anonymous_id), ('user', user_id)])) AS whose,
                whose.1 AS who, whose.2 AS id
            FROM slotstream.money_events WHERE kind = 'clicked'
        ) AS clicks
        INNER JOIN
        (
            SELECT
                orders.site_id AS site_id, orders.order_key AS order_key, orders.order_id AS order_id, orders.timestamp AS timestamp,
                orders.user_id AS user_id, orders.currency AS currency, round(orders.revenue * 1000000) AS millionths,
                arrayJoin(arrayDistinct(arrayConcat(
                    if(orders.anonymous_id = '', [], [('browser', orders.anonymous_id)]),
                    if(orders.user_id = '', [], [('user', orders.user_id)]),
                    if(orders.user_id = '', [], arrayMap(browser -> ('browser', browser), users.browsers))))) AS whose,
                whose.1 AS who, whose.2 AS id
            FROM
            (
                SELECT site_id, user_id, groupUniqArray(anonymous_id) AS browsers
                FROM slotstream.money_events
                WHERE user_id != '' AND anonymous_id != ''
                GROUP BY site_id, user_id
            ) AS users
            RIGHT ANY JOIN slotstream.first_orders AS orders
            ON users.site_id = orders.site_id AND users.user_id = orders.user_id
        ) AS orders
        ON clicks.site_id = orders.site_id AND clicks.who = orders.who AND clicks.id = orders.id
        WHERE clicks.timestamp <= orders.timestamp AND (clicks.user_id = '' OR orders.user_id = '' OR clicks.user_id = orders.user_id)
    ) AS pairs
    LEFT ANY JOIN
    (
        SELECT site_id, decision_id, toString(attribution_rule) AS rule, attribution_hours AS hours
        FROM slotstream.decisions
        WHERE concat(attribution_rule, ' ', toString(attribution_hours)) != 'lastClick 24'
    ) AS rules
    ON pairs.site_id = rules.site_id AND pairs.decision_id = rules.decision_id
    WHERE pairs.ordered_at < pairs.timestamp + toIntervalHour(if(ifNull(rules.rule, '') = '', 24, assumeNotNull(rules.hours)))
    GROUP BY site_id, order_key
)
ARRAY JOIN credits AS credit, arrayEnumerate(credits) AS place;

-- As in 0037, with the credits of those orders alone that can be credited to a click on the period's decisions: `touched` are
-- orders of the same browser or user, or of another browser of the user, that were sent after the click. It may name more
-- than there are, since `order_credits` decides. Answers to decisions whose id was made elsewhere, and tells no time, are
-- looked up by the decision.
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
    ifNull(outcomes.orders, 0) AS orders,
    if(empty(revenue_by_currency), 0, if(length(revenue_by_currency) = 1, mapValues(revenue_by_currency)[1], NULL)) AS revenue,
    ifNull(outcomes.by_currency, CAST(map(), 'Map(String, Float64)')) AS revenue_by_currency,
    outcomes.attribution_rule AS attribution_rule,
    outcomes.attribution_hours AS attribution_hours
FROM outcomes;

-- Views of and clicks on slots from before 0037, which only `events` has. What is there already, and what is loaded
-- meanwhile, is left out.
INSERT INTO slotstream.slot_responses
    (site_id, decided_at, decision_id, content_id, event, timestamp, anonymous_id, user_id, sender, received_at, stream_seq, batch_index)
SETTINGS insert_deduplicate = 0
SELECT
    site_id,
    if(length(decision_id) = 36 AND substring(decision_id, 15, 1) = '7', UUIDv7ToDateTime(toUUIDOrZero(decision_id), 'UTC'), timestamp) AS decided_at,
    decision_id, content_id, event, timestamp, anonymous_id, user_id, sender, received_at, stream_seq, batch_index
FROM slotstream.events
WHERE type = 'track' AND event IN ('Slot Viewed', 'Slot Clicked') AND decision_id != ''
  AND received_at >= {from:DateTime('UTC')} AND received_at < {until:DateTime('UTC')}
  AND (stream_seq, batch_index) NOT IN
  (
      SELECT stream_seq, batch_index FROM slotstream.slot_responses
      WHERE received_at >= {from:DateTime('UTC')} AND received_at < {until:DateTime('UTC')}
  );
