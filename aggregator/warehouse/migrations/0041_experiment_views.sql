-- As in 0038, and those whose hours are all alike, by the rule `regular`: tiles of 24 minutes in a row that hold nearly equally many
-- pages. Where a row begins, it did so in the middle of a tile, which is left out.
DROP TABLE IF EXISTS slotstream.programs;

CREATE VIEW IF NOT EXISTS slotstream.programs AS
SELECT site_id, anonymous_id, max(crawler) AS crawler
FROM
(
    SELECT DISTINCT site_id, anonymous_id, 1 AS crawler FROM slotstream.events
    WHERE anonymous_id != '' AND isNotNull(context.bot.crawler)
    UNION ALL
    SELECT DISTINCT site_id, anonymous_id, 0 AS crawler
    FROM
    (
        SELECT
            site_id, anonymous_id, if(session_id = '', toString(toStartOfInterval(timestamp, INTERVAL 30 MINUTE)), session_id) AS visit,
            countIf(type IN ('page', 'screen')) AS pages,
            dateDiff('millisecond', min(timestamp), max(timestamp)) AS ms,
            countIf(type = 'track' AND (event IN ('Element Clicked', 'Product Clicked', 'Slot Clicked', 'Outbound Link Clicked', 'File Downloaded')
                OR event = 'Page Engaged' AND ifNull(toFloat64OrNull(toString(properties.activeMs)), 0) > 0)) > 0 AS engaged
        FROM slotstream.events
        WHERE (site_id, anonymous_id) IN (
            SELECT site_id, anonymous_id FROM slotstream.events
            WHERE anonymous_id != '' AND type IN ('page', 'screen')
            GROUP BY site_id, anonymous_id HAVING count() >= 100)
        GROUP BY site_id, anonymous_id, visit
        HAVING (pages >= 100 AND ms < pages * if(engaged, 2000, 5000)) OR (pages >= 100 AND ms >= 43200000 AND NOT engaged)
    )
    UNION ALL
    SELECT DISTINCT site_id, anonymous_id, 0 AS crawler
    FROM
    (
        SELECT
            site_id, anonymous_id, tile, pages, is_engaged,
            count() OVER (PARTITION BY site_id, anonymous_id ORDER BY tile ROWS BETWEEN 12 PRECEDING AND CURRENT ROW) AS tiles,
            min(tile) OVER (PARTITION BY site_id, anonymous_id ORDER BY tile ROWS BETWEEN 12 PRECEDING AND CURRENT ROW) AS first,
            avg(pages) OVER (PARTITION BY site_id, anonymous_id ORDER BY tile ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS mean,
            varPop(pages) OVER (PARTITION BY site_id, anonymous_id ORDER BY tile ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS variance
        FROM
        (
            SELECT
                site_id, anonymous_id, tile,
                countIf(type IN ('page', 'screen')) AS pages,
                max(max(type = 'track' AND (event IN ('Element Clicked', 'Product Clicked', 'Slot Clicked', 'Outbound Link Clicked', 'File Downloaded')
                    OR event = 'Page Engaged' AND ifNull(toFloat64OrNull(toString(properties.activeMs)), 0) > 0)))
                    OVER (PARTITION BY site_id, anonymous_id) AS is_engaged
            FROM
            (
                SELECT site_id, anonymous_id, type, event, properties, intDiv(toUnixTimestamp64Milli(timestamp) + 1439999, 1440000) AS tile
                FROM slotstream.events
                WHERE (site_id, anonymous_id) IN (
                    SELECT site_id, anonymous_id FROM slotstream.events
                    WHERE anonymous_id != '' AND type IN ('page', 'screen')
                    GROUP BY site_id, anonymous_id HAVING count() >= 120)
            )
            GROUP BY site_id, anonymous_id, tile
        )
        WHERE pages > 0
    )
    WHERE tiles = 13 AND tile - first = 12 AND NOT is_engaged AND mean >= 10 AND variance <= 0.15 * mean
)
GROUP BY site_id, anonymous_id;

-- As in 0038, by the table of responses: a period on `timestamp` reads the decisions of that period and their responses. Programs are
-- looked for where `program` is asked for. Decisions with ghosts are our own, whose ids tell their times.
DROP TABLE IF EXISTS slotstream.ghost_decisions;

CREATE VIEW IF NOT EXISTS slotstream.ghost_decisions AS
SELECT
    decisions.site_id AS site_id, decisions.decision_id AS decision_id, decisions.timestamp AS timestamp, decisions.slot_id AS slot_id,
    decisions.person AS person, decisions.anonymous_id AS anonymous_id, decisions.user_id AS user_id, decisions.session_id AS session_id,
    decisions.policy AS policy, decisions.policy_version AS policy_version, decisions.experiment AS experiment, decisions.arm AS arm,
    decisions.ghost AS content_ids,
    ifNull(responses.viewed, 0) AS viewed,
    ifNull(responses.clicked, 0) AS clicked,
    (decisions.site_id, decisions.anonymous_id) IN (SELECT site_id, anonymous_id FROM slotstream.programs) AS program
FROM (SELECT * FROM slotstream.decisions WHERE holdout AND notEmpty(ghost)) AS decisions
LEFT ANY JOIN
(
    SELECT site_id, decision_id, decided_at, countIf(event = 'Slot Viewed') > 0 AS viewed, countIf(event = 'Slot Clicked') > 0 AS clicked
    FROM slotstream.slot_responses
    GROUP BY site_id, decision_id, decided_at
) AS responses
ON decisions.site_id = responses.site_id AND decisions.decision_id = responses.decision_id AND decisions.timestamp = responses.decided_at;

-- As in 0038, by the table of responses, which has no JSON, and of one site what is asked for of one site.
DROP TABLE IF EXISTS slotstream.experiment_results;

CREATE VIEW IF NOT EXISTS slotstream.experiment_results AS
SELECT
    site_id, experiment, slot_id, arm,
    sum(decided) AS decisions,
    count() AS persons,
    countIf(clicked) AS rewards,
    rewards / persons AS value,
    (-2 * log(0.05) + log(1 - 2 * log(0.05))) / 10000 AS rho,
    if(persons < 100, NULL, sqrt(value * (1 - value) / (persons - 1)) * sqrt(persons)
        * sqrt(2 * (persons * rho + 1) / (persons * persons * rho) * log(sqrt(persons * rho + 1) / 0.05))) AS reach,
    value - reach AS low,
    value + reach AS high
FROM
(
    SELECT
        decisions.site_id AS site_id, decisions.experiment AS experiment, decisions.slot_id AS slot_id, decisions.unit AS unit,
        argMin(decisions.arm, decisions.timestamp) AS arm,
        count() AS decided,
        max(ifNull(responses.clicked, 0)) AS clicked
    FROM
    (
        SELECT
            site_id, experiment, slot_id, arm, timestamp, decision_id,
            if(person = '' OR anonymous_id = '' OR (anonymous_id != '' AND user_id = '' AND person IN (anonymous_id, concat('visitor:', anonymous_id))), multiIf(anonymous_id = '', if(user_id = '', '', concat('user:', user_id)), startsWith(anonymous_id, 'user:') OR startsWith(anonymous_id, 'visitor:'), concat('visitor:', anonymous_id), anonymous_id), concat('user:', person)) AS unit
        FROM slotstream.decisions
        WHERE experiment != '' AND NOT holdout AND (site_id, anonymous_id) NOT IN (SELECT site_id, anonymous_id FROM slotstream.programs)
    ) AS decisions
    LEFT ANY JOIN
    (
        SELECT site_id, decision_id, decided_at, 1 AS clicked
        FROM slotstream.slot_responses
        WHERE event = 'Slot Clicked'
        GROUP BY site_id, decision_id, decided_at
    ) AS responses
    ON decisions.site_id = responses.site_id AND decisions.decision_id = responses.decision_id AND decisions.timestamp = responses.decided_at
    GROUP BY decisions.site_id, decisions.experiment, decisions.slot_id, decisions.unit
)
GROUP BY site_id, experiment, slot_id, arm;
