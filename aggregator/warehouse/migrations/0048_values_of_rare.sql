-- As in 0043. What is drawn rarely may not have come at all: then the mean weight is wrong, and the error that the weights themselves
-- have is too small. Where candidates have their chances, the error that follows from these counts if it is larger. And what had no
-- chance is missing from the weights: their mean is the share that had one, at least.
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
        decisions > 1 AND off > greatest(1e-6, 3 * weight_error, 3 * sqrt(spreads) / decisions), 'corrupt_propensities',
        ess < greatest(1000, decisions / 100), 'low_sample',
        overlap < 0.8, 'low_overlap',
        off > greatest(1e-6, 3 * weight_error) OR rewards_squared = 0, 'low_sample',
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
        max(valued.3) AS max_weight,
        sqrt(greatest(0, squares - weights * weights / decisions) / greatest(decisions - 1, 1) / decisions) AS weight_error,
        sum(valued.4) AS spreads,
        avg(valued.5) AS overlap,
        greatest(weights / decisions - 1, overlap - weights / decisions) AS off
    FROM
    (
        SELECT
            rewards.site_id AS site_id, rewards.slot_id AS slot_id, rewards.policy AS policy, rewards.policy_version AS policy_version,
            rewards.timestamp AS timestamp, rewards.reward AS reward, rewards.content_id AS shown, rewards.propensity AS propensity,
            arrayMap(candidate -> candidate.content_id, decisions.candidates) AS ids,
            arrayMap(candidate -> candidate.probability, decisions.candidates) AS chances,
            arrayCount(chance -> chance > 0, chances) / length(ids) AS possible,
            abs(arraySum(chances) - 1) < 1e-6 AS is_whole
        FROM slotstream.decision_rewards AS rewards
        INNER JOIN (SELECT site_id, decision_id, position, candidates FROM slotstream.decisions) AS decisions
        ON rewards.site_id = decisions.site_id AND rewards.decision_id = decisions.decision_id AND rewards.position = decisions.position
        WHERE rewards.outcome = 'served' AND rewards.propensity > 0 AND rewards.propensity <= 1
          AND (rewards.site_id, rewards.anonymous_id) NOT IN (SELECT site_id, anonymous_id FROM slotstream.programs)
    )
    ARRAY JOIN arrayConcat(
        [('logged', '', toFloat64(1), toFloat64(0), toFloat64(1))],
        if(is_whole, [('uniform', '', 1 / length(ids) / assumeNotNull(propensity),
            arraySum(chance -> if(chance > 0, 1 / chance, 0), chances) / pow(length(ids), 2) - pow(possible, 2), possible)], []),
        arrayMap((id, chance) -> ('fixed', id, if(id = shown, 1 / assumeNotNull(propensity), 0),
            if(is_whole AND chance > 0, 1 / chance - 1, 0), toFloat64(NOT is_whole OR chance > 0)), ids, chances)) AS valued
    GROUP BY site_id, slot_id, policy, policy_version, day, target, content_id
);
