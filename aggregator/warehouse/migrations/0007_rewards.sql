-- One row per decision and content it showed, with what came of it. A decision that showed nothing (holdout, empty,
-- timeout) is one row with an empty content_id. The reward is the click; the revenue is that of the visitor's orders
-- within a day after their first click.
CREATE VIEW IF NOT EXISTS slotstream.decision_rewards AS
WITH
    responses AS
    (
        SELECT
            site_id, decision_id, content_id,
            countIf(event = 'Slot Viewed') > 0 AS viewed,
            countIf(event = 'Slot Clicked') > 0 AS clicked,
            minIf(timestamp, event = 'Slot Clicked') AS clicked_at
        FROM slotstream.events
        WHERE type = 'track' AND event IN ('Slot Viewed', 'Slot Clicked') AND decision_id != ''
        GROUP BY site_id, decision_id, content_id
    ),
    shown AS
    (
        SELECT
            site_id, decision_id, timestamp, slot_id, anonymous_id, policy, holdout,
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
        SELECT
            shown.*,
            responses.viewed AS viewed,
            responses.clicked AS clicked,
            responses.clicked_at AS clicked_at
        FROM shown
        LEFT JOIN responses
        ON shown.site_id = responses.site_id AND shown.decision_id = responses.decision_id AND shown.content_id = responses.content_id
    ),
    orders AS
    (
        SELECT
            site_id, anonymous_id, timestamp AS ordered_at,
            coalesce(toFloat64OrNull(toString(properties.revenue)), toFloat64OrNull(toString(properties.total)), 0) AS amount
        FROM slotstream.events
        WHERE type = 'track' AND event = 'Order Completed' AND anonymous_id != ''
    ),
    earned AS
    (
        SELECT outcomes.site_id AS site_id, outcomes.decision_id AS decision_id, outcomes.content_id AS content_id, sum(orders.amount) AS revenue
        FROM outcomes
        INNER JOIN orders ON outcomes.site_id = orders.site_id AND outcomes.anonymous_id = orders.anonymous_id
        WHERE outcomes.clicked AND orders.ordered_at >= outcomes.clicked_at AND orders.ordered_at < outcomes.clicked_at + INTERVAL 1 DAY
        GROUP BY outcomes.site_id, outcomes.decision_id, outcomes.content_id
    )
SELECT
    outcomes.site_id AS site_id,
    outcomes.decision_id AS decision_id,
    outcomes.timestamp AS timestamp,
    outcomes.slot_id AS slot_id,
    outcomes.anonymous_id AS anonymous_id,
    outcomes.policy AS policy,
    outcomes.holdout AS holdout,
    outcomes.content_id AS content_id,
    outcomes.position AS position,
    outcomes.propensity AS propensity,
    outcomes.viewed AS viewed,
    outcomes.clicked AS clicked,
    toFloat64(outcomes.clicked) AS reward,
    earned.revenue AS revenue
FROM outcomes
LEFT JOIN earned
ON outcomes.site_id = earned.site_id AND outcomes.decision_id = earned.decision_id AND outcomes.content_id = earned.content_id;

-- Slot × content × day. The lift is the difference between the content's reward per impression and that of the
-- visitors held out on the same day, who saw the page's own content; its interval is the 95 % one of the normal
-- approximation. NULL where nobody was held out.
CREATE VIEW IF NOT EXISTS slotstream.slot_performance AS
WITH
    daily AS
    (
        SELECT
            site_id, slot_id, content_id, holdout, toDate(timestamp, 'UTC') AS day,
            countIf(viewed) AS impressions,
            countIf(clicked) AS clicks,
            sum(outcomes.reward) AS reward,
            sum(outcomes.revenue) AS revenue,
            countIf(viewed AND clicked) / impressions AS rate,
            rate * (1 - rate) / impressions AS variance
        FROM slotstream.decision_rewards AS outcomes
        GROUP BY site_id, slot_id, content_id, holdout, day
    ),
    control AS
    (
        SELECT site_id, slot_id, day, toNullable(rate) AS rate, toNullable(variance) AS variance
        FROM daily
        WHERE holdout AND content_id = '' AND impressions > 0
    )
SELECT
    daily.site_id AS site_id,
    daily.slot_id AS slot_id,
    daily.content_id AS content_id,
    daily.day AS day,
    daily.impressions AS impressions,
    daily.clicks AS clicks,
    if(daily.impressions = 0, NULL, daily.clicks / daily.impressions) AS ctr,
    daily.reward AS reward,
    daily.revenue AS revenue,
    if(daily.impressions = 0, NULL, daily.rate - control.rate) AS lift,
    lift - 1.96 * sqrt(daily.variance + control.variance) AS lift_low,
    lift + 1.96 * sqrt(daily.variance + control.variance) AS lift_high
FROM daily
LEFT JOIN control ON daily.site_id = control.site_id AND daily.slot_id = control.slot_id AND daily.day = control.day
WHERE daily.content_id != '' AND NOT daily.holdout;
