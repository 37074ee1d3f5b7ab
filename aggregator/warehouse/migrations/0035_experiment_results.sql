-- Experiments as decisions were made by them: one row per arm.
CREATE VIEW IF NOT EXISTS slotstream.experiments AS
SELECT
    site_id, experiment, slot_id, arm,
    argMax(arm_shares, timestamp) AS shares,
    min(timestamp) AS first_at,
    max(timestamp) AS last_at,
    count() AS decisions,
    uniqExact(person) AS persons
FROM slotstream.decisions
WHERE experiment != '' AND NOT holdout
GROUP BY site_id, experiment, slot_id, arm;

-- What those who are held out would have been shown, and whether they clicked what the page showed in its place.
CREATE VIEW IF NOT EXISTS slotstream.ghost_decisions AS
SELECT
    decisions.site_id AS site_id, decisions.decision_id AS decision_id, decisions.timestamp AS timestamp, decisions.slot_id AS slot_id,
    decisions.person AS person, decisions.anonymous_id AS anonymous_id, decisions.user_id AS user_id, decisions.session_id AS session_id,
    decisions.policy AS policy, decisions.policy_version AS policy_version, decisions.experiment AS experiment, decisions.arm AS arm,
    decisions.ghost AS content_ids,
    ifNull(responses.viewed, 0) AS viewed,
    ifNull(responses.clicked, 0) AS clicked
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
-- below 100 persons.
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
        decisions.site_id AS site_id, decisions.experiment AS experiment, decisions.slot_id AS slot_id, decisions.person AS person,
        argMin(decisions.arm, decisions.timestamp) AS arm,
        count() AS decided,
        max(ifNull(responses.clicked, 0)) AS clicked
    FROM (SELECT * FROM slotstream.decisions WHERE experiment != '' AND NOT holdout) AS decisions
    LEFT ANY JOIN
    (
        SELECT site_id, decision_id, 1 AS clicked
        FROM slotstream.events
        WHERE type = 'track' AND event = 'Slot Clicked' AND decision_id != ''
        GROUP BY site_id, decision_id
    ) AS responses
    ON decisions.site_id = responses.site_id AND decisions.decision_id = responses.decision_id
    GROUP BY decisions.site_id, decisions.experiment, decisions.slot_id, decisions.person
)
GROUP BY site_id, experiment, slot_id, arm;
