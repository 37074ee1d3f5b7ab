-- Every message that names a browser and its user: who was known there, and when. Whose rows are nobody's in particular is
-- decided by it when a view is read, so that yesterday's belong to whom the browser was found to belong to today. An
-- alias says it of its previous id. A user_id that nobody proved says nothing. The projection is one row per browser and
-- user: most browsers have one, and are read no further.
CREATE TABLE IF NOT EXISTS slotstream.identifications
(
    site_id LowCardinality(String),
    anonymous_id String CODEC(ZSTD),
    user_id String CODEC(ZSTD),
    previous_id String CODEC(ZSTD),
    session_id String CODEC(ZSTD),
    how LowCardinality(String),
    timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32,
    PROJECTION by_user
    (
        SELECT site_id, anonymous_id, user_id, min(timestamp), max(timestamp), groupUniqArray(how)
        GROUP BY site_id, anonymous_id, user_id
    )
)
ENGINE = MergeTree
ORDER BY (site_id, anonymous_id, timestamp, stream_seq, batch_index)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS slotstream.identifications_of_events TO slotstream.identifications AS
SELECT site_id, browser.1 AS anonymous_id, user_id, previous_id, browser.2 AS session_id, type AS how, timestamp, received_at, stream_seq, batch_index
FROM
(
    SELECT
        site_id, user_id, previous_id, type, timestamp, received_at, stream_seq, batch_index,
        arrayJoin(arrayFilter(known -> known.1 != '',
            [(anonymous_id, session_id), (if(type = 'alias' AND previous_id != anonymous_id, previous_id, ''), '')])) AS browser
    FROM slotstream.events
    WHERE user_id != '' AND sender != 'unsigned'
);

-- What was decided about a browser and a user against what the messages say: `undone`, `held`, or `joined` again. The
-- latest decision counts, whatever messages come later.
CREATE TABLE IF NOT EXISTS slotstream.identity_decisions
(
    site_id LowCardinality(String),
    anonymous_id String,
    user_id String,
    state LowCardinality(String),
    merge_id String,
    cause String,
    decided_at DateTime64(3, 'UTC'),
    stream_seq UInt64,
    batch_index UInt32
)
ENGINE = MergeTree
ORDER BY (site_id, anonymous_id, user_id, decided_at)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS slotstream.identities AS
SELECT
    known.site_id AS site_id,
    known.anonymous_id AS anonymous_id,
    known.user_id AS user_id,
    known.first_seen AS first_seen,
    known.last_seen AS last_seen,
    known.how AS how,
    if(decided.latest.1 = '', 'joined', decided.latest.1) AS state,
    decided.latest.2 AS merge_id,
    decided.latest.3 AS cause
FROM
(
    SELECT site_id, anonymous_id, user_id, min(timestamp) AS first_seen, max(timestamp) AS last_seen, arraySort(groupUniqArray(how)) AS how
    FROM slotstream.identifications
    GROUP BY site_id, anonymous_id, user_id
) AS known
LEFT ANY JOIN
(
    SELECT site_id, anonymous_id, user_id, argMax((toString(state), merge_id, cause), (decided_at, stream_seq, batch_index)) AS latest
    FROM slotstream.identity_decisions
    GROUP BY site_id, anonymous_id, user_id
) AS decided
ON known.site_id = decided.site_id AND known.anonymous_id = decided.anonymous_id AND known.user_id = decided.user_id;

-- Whom a browser's rows belong to, one row per browser that was ever identified. Where it had one user, that one has all;
-- where it had several, `turns` has the ends of each stretch of messages of one user in one session, in order: what lies
-- between the ends of a stretch changes nothing for any row. A browser with more than 200 of them belongs to none of its
-- users: each of its rows is compared with all of them, and any page can make as many as it likes. `is_user` marks texts
-- that are a user's id: a browser that calls itself so is another person.
CREATE VIEW IF NOT EXISTS slotstream.browser_users AS
SELECT
    users.site_id AS site_id,
    users.anonymous_id AS anonymous_id,
    users.user_id AS user_id,
    users.is_user AS is_user,
    shared.turns AS turns
FROM
(
    SELECT site_id, anonymous_id, if(sum(joined) = 1, max(name), '') AS user_id, max(is_id) AS is_user
    FROM
    (
        SELECT site_id, anonymous_id, user_id AS name, 1 AS joined, 0 AS is_id FROM slotstream.identities WHERE state = 'joined'
        UNION ALL
        SELECT DISTINCT site_id, user_id AS anonymous_id, '' AS name, 0 AS joined, 1 AS is_id FROM slotstream.identities
    )
    GROUP BY site_id, anonymous_id
) AS users
LEFT ANY JOIN
(
    SELECT
        site_id, anonymous_id,
        arraySort(groupArray((timestamp, stream_seq, batch_index, session_id, user_id))) AS all,
        arrayFilter(
            (turn, before, after) -> NOT (turn.4 = before.4 AND turn.5 = before.5 AND turn.4 = after.4 AND turn.5 = after.5),
            all, arrayShiftRight(all, 1), arrayShiftLeft(all, 1)) AS ends,
        if(length(ends) > 200, [], ends) AS turns
    FROM slotstream.identifications
    WHERE (site_id, anonymous_id) IN
    (
        SELECT site_id, anonymous_id FROM slotstream.identities WHERE state = 'joined' GROUP BY site_id, anonymous_id HAVING count() > 1
    )
    AND (site_id, anonymous_id, user_id) NOT IN (SELECT site_id, anonymous_id, user_id FROM slotstream.identities WHERE state != 'joined')
    GROUP BY site_id, anonymous_id
) AS shared
ON users.site_id = shared.site_id AND users.anonymous_id = shared.anonymous_id;

-- Messages with the person they belong to. A row that names its user belongs to that one; another one to whom the browser
-- named next in the same session, else to whom it named last before, else to whom it named first after; where it never
-- named anybody, the browser is a person by itself.
CREATE VIEW IF NOT EXISTS slotstream.person_events AS
SELECT
    events.*,
    multiIf(
        events.user_id != '' AND events.sender != 'unsigned', events.user_id,
        events.anonymous_id = '', '',
        browsers.user_id != '', browsers.user_id,
        notEmpty(browsers.turns), coalesce(
            nullIf(arrayFirst(turn -> turn.4 = events.session_id AND (turn.1, turn.2, turn.3) > (events.timestamp, events.stream_seq, events.batch_index) AND turn.4 != '', browsers.turns).5, ''),
            nullIf(arrayLast(turn -> (turn.1, turn.2, turn.3) < (events.timestamp, events.stream_seq, events.batch_index), browsers.turns).5, ''),
            browsers.turns[1].5),
        browsers.is_user, concat('visitor:', events.anonymous_id),
        events.anonymous_id) AS person_id
FROM slotstream.events AS events
LEFT ANY JOIN slotstream.browser_users AS browsers
ON events.site_id = browsers.site_id AND events.anonymous_id = browsers.anonymous_id;
