-- What the first position of a slot's decisions would have earned by day: by the policy that drew ("logged"), by each candidate alike
-- ("uniform"), and by always showing one content wherever it was a candidate ("fixed"). IPS and SNIPS with 95 % intervals from their
-- influence functions, as docs/evaluation.md has them. Decisions about more than 20 contents list some of them, and take part in
-- "logged" and in "fixed" of what they list.
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
    )
    ARRAY JOIN arrayConcat(
        [('logged', '', toFloat64(1))],
        if(is_whole, [('uniform', '', 1 / length(ids) / assumeNotNull(propensity))], []),
        arrayMap(id -> ('fixed', id, if(id = shown, 1 / assumeNotNull(propensity), 0)), ids)) AS valued
    GROUP BY site_id, slot_id, policy, policy_version, day, target, content_id
);
