-- Every change of a site's experiments. Writing a row twice is harmless, so there is no deduplication window.
CREATE TABLE IF NOT EXISTS slotstream.experiment_changes
(
    site_id LowCardinality(String),
    experiments String CODEC(ZSTD),
    stored_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32,
    INDEX by_stream_seq stream_seq TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (site_id, stream_seq);

-- What was done with candidates of tournaments, once each, also of experiments that are gone by now.
CREATE VIEW IF NOT EXISTS slotstream.tournament_steps AS
SELECT
    site_id, experiment, slot_id, arm, step, at,
    argMin(reason, stored_at) AS reason,
    argMin(decisions, stored_at) AS decisions,
    argMin(value, stored_at) AS value,
    argMin(low, stored_at) AS low,
    argMin(high, stored_at) AS high,
    argMin(running_value, stored_at) AS running_value,
    argMin(running_low, stored_at) AS running_low,
    argMin(running_high, stored_at) AS running_high
FROM
(
    SELECT
        site_id,
        stored_at,
        JSONExtractString(entry, 'id') AS experiment,
        JSONExtractString(entry, 'slot') AS slot_id,
        JSONExtractString(done, 'arm') AS arm,
        JSONExtractString(done, 'step') AS step,
        parseDateTime64BestEffortOrZero(JSONExtractString(done, 'at'), 3, 'UTC') AS at,
        JSONExtractString(done, 'reason') AS reason,
        JSONExtractUInt(done, 'decisions') AS decisions,
        JSONExtractFloat(done, 'value') AS value,
        JSONExtractFloat(done, 'low') AS low,
        JSONExtractFloat(done, 'high') AS high,
        JSONExtractFloat(done, 'running', 'value') AS running_value,
        JSONExtractFloat(done, 'running', 'low') AS running_low,
        JSONExtractFloat(done, 'running', 'high') AS running_high
    FROM slotstream.experiment_changes
    ARRAY JOIN JSONExtractArrayRaw(experiments) AS entry
    ARRAY JOIN JSONExtractArrayRaw(entry, 'tournament', 'steps') AS done
)
GROUP BY site_id, experiment, slot_id, arm, step, at;

-- Browsers that say they are a crawler, or one of whose visits is none of a person, by the rules `rate` and `endless`. A visit is a
-- session, or half an hour of messages that name none.
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
)
GROUP BY site_id, anonymous_id;

-- As in 0035, without programs, and a browser that is called as a user is counts for itself.
DROP TABLE IF EXISTS slotstream.experiments;

CREATE VIEW IF NOT EXISTS slotstream.experiments AS
SELECT
    site_id, experiment, slot_id, arm,
    argMax(arm_shares, timestamp) AS shares,
    min(timestamp) AS first_at,
    max(timestamp) AS last_at,
    count() AS decisions,
    uniqExact(
        if(person = '' OR anonymous_id = '' OR (anonymous_id != '' AND user_id = '' AND person IN (anonymous_id, concat('visitor:', anonymous_id))), multiIf(anonymous_id = '', if(user_id = '', '', concat('user:', user_id)), startsWith(anonymous_id, 'user:') OR startsWith(anonymous_id, 'visitor:'), concat('visitor:', anonymous_id), anonymous_id), concat('user:', person))
    ) AS persons
FROM slotstream.decisions
WHERE experiment != '' AND NOT holdout AND (site_id, anonymous_id) NOT IN (SELECT site_id, anonymous_id FROM slotstream.programs)
GROUP BY site_id, experiment, slot_id, arm;

-- As in 0035, and whether a program asked.
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
    SELECT site_id, decision_id, countIf(event = 'Slot Viewed') > 0 AS viewed, countIf(event = 'Slot Clicked') > 0 AS clicked
    FROM slotstream.events
    WHERE type = 'track' AND event IN ('Slot Viewed', 'Slot Clicked') AND decision_id != ''
    GROUP BY site_id, decision_id
) AS responses
ON decisions.site_id = responses.site_id AND decisions.decision_id = responses.decision_id;

-- Experiments by what the persons of each arm clicked: a person counts once, in the arm of the first decision. The interval is
-- the asymptotic confidence sequence (arXiv 2103.06476) that is narrowest at 10,000 persons, which holds at every look; NULL
-- below 100 persons. Without programs, and persons as above.
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
        SELECT site_id, decision_id, 1 AS clicked
        FROM slotstream.events
        WHERE type = 'track' AND event = 'Slot Clicked' AND decision_id != ''
        GROUP BY site_id, decision_id
    ) AS responses
    ON decisions.site_id = responses.site_id AND decisions.decision_id = responses.decision_id
    GROUP BY decisions.site_id, decisions.experiment, decisions.slot_id, decisions.unit
)
GROUP BY site_id, experiment, slot_id, arm;
