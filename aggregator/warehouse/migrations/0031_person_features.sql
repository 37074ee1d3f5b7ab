-- Features with the person whose browser holds them, and how old each is. A browser that several users share, whose values are
-- those of all of them together, is a person by itself: values can't be told apart afterwards, as messages can.
CREATE VIEW IF NOT EXISTS slotstream.person_features AS
SELECT
    held.site_id AS site_id,
    multiIf(
        held.anonymous_id = '', held.user_id,
        browsers.user_id != '', browsers.user_id,
        browsers.is_user OR startsWith(held.anonymous_id, 'user:') OR startsWith(held.anonymous_id, 'visitor:'),
            concat('visitor:', held.anonymous_id),
        held.anonymous_id) AS person_id,
    held.anonymous_id AS anonymous_id,
    held.user_id AS user_id,
    held.feature AS feature,
    held.key AS key,
    held.value AS value,
    held.number AS number,
    held.version AS version,
    held.at AS at,
    dateDiff('millisecond', held.at, now64(3, 'UTC')) AS age_ms
FROM slotstream.features AS held
LEFT ANY JOIN slotstream.browser_users AS browsers
ON held.site_id = browsers.site_id AND held.anonymous_id = browsers.anonymous_id;
