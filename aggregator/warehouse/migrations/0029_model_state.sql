-- What policies have learned of each content in each slot. Steps of one item of a decision add up: each takes away what the
-- one before it said.
CREATE VIEW IF NOT EXISTS slotstream.model_state AS
SELECT
    site_id,
    slot_id,
    content_id,
    views,
    units / 10000 AS rewards,
    if(views = 0, NULL, units / 10000 / views) AS mean,
    first_at,
    last_at
FROM
(
    SELECT
        site_id,
        slot_id,
        content_id,
        countIf(previous IS NULL) AS views,
        sum(reward - ifNull(previous, 0)) AS units,
        min(received_at) AS first_at,
        max(received_at) AS last_at
    FROM slotstream.learning_outcomes
    GROUP BY site_id, slot_id, content_id
);
