-- Guards in the tables, as profiles have them (core/identity/links.ts): what they hold back joins nothing here either, and follows
-- from the messages that the tables have. Hashes tell which browsers and users have more links than a guard allows, because most
-- have not; only links of those are looked at one by one, with ids that many people share.
CREATE VIEW IF NOT EXISTS slotstream.held_links AS
WITH
    crowds AS
    (
        SELECT crowd
        FROM
        (
            SELECT arrayJoin([bitShiftLeft(sipHash64(site_id, anonymous_id), 1), bitOr(bitShiftLeft(sipHash64(site_id, user_id), 1), 1)]) AS crowd
            FROM slotstream.identifications
            GROUP BY site_id, anonymous_id, user_id
        )
        GROUP BY crowd
        HAVING count() > if(crowd % 2 = 1, 50, 5)
    ),
    decided AS (SELECT site_id, anonymous_id, user_id FROM slotstream.identity_decisions GROUP BY site_id, anonymous_id, user_id)
SELECT site_id, anonymous_id, user_id, max(reason) AS cause
FROM
(
    SELECT site_id, if(is_user, held.1, id) AS anonymous_id, if(is_user, id, held.1) AS user_id, held.2 AS reason
    FROM
    (
        -- Profiles keep 100 links of each side: those that were decided about, then those of the smallest hashes.
        SELECT
            site_id, id, is_user,
            if(is_user, 'browsers_per_user', 'users_per_browser') AS guard,
            arraySort(groupArray((first_at, other, last_at, is_decided, is_shared))) AS links,
            if(length(links) > 100, links, []) AS many,
            arrayMap(link -> arrayFold(
                (hash, place) -> bitAnd(bitXor(hash, toUInt64(reinterpretAsUInt8(substring(link.2, place, 1)))) * 16777619, 4294967295),
                range(1, length(link.2) + 1), toUInt64(2166136261)), many) AS sums,
            arrayMap(hash -> bitAnd(bitXor(hash, bitShiftRight(hash, 16)) * 2246822507, 4294967295), sums) AS mixed,
            arrayMap(hash -> bitAnd(bitXor(hash, bitShiftRight(hash, 13)) * 3266489909, 4294967295), mixed) AS hashes,
            arraySlice(
                arraySort((link, hash) -> (NOT link.4, bitXor(hash, bitShiftRight(hash, 16))), many, hashes), 1, 100) AS smallest,
            if(empty(many), links, arraySort(smallest)) AS kept,
            arrayFilter(link -> NOT link.4 AND NOT link.5, kept) AS counted,
            if(length(links) >= 100, 4611686018427387904, 2592000000) AS window,
            arrayFilter(
                (link, nth) -> arrayCount(
                    earlier -> if(is_user, earlier.1, earlier.3) > link.1 - window,
                    arraySlice(counted, 1, nth - 1)) >= if(is_user, 50, 5),
                counted, arrayEnumerate(counted)) AS late,
            arrayFilter(link -> NOT has(kept.2, link.2), many) AS left_out,
            arrayConcat(
                arrayMap(link -> (link.2, guard), late),
                arrayMap(link -> (link.2, guard), left_out),
                arrayMap(link -> (link.2, 'shared_id'), arrayFilter(link -> link.5, kept))) AS all_held
        FROM
        (
            SELECT
                site_id, side.1 AS id, side.2 AS is_user, side.3 AS other, first_at, last_at, is_shared,
                (site_id, anonymous_id, user_id) IN (SELECT site_id, anonymous_id, user_id FROM decided) AS is_decided
            FROM
            (
                SELECT
                    site_id, anonymous_id, user_id,
                    toUnixTimestamp64Milli(min(timestamp)) AS first_at,
                    toUnixTimestamp64Milli(max(timestamp)) AS last_at,
                    match(user_id, '(?i)^["\'\\s\\p{Z}\\x{FEFF}\\[\\]]*(?:undefined|null|none|nan|true|false|object \\w*|anonymous|guest|unknown|(?:user|anonymous)?[_-]?id|[-0.]*)["\'\\s\\p{Z}\\x{FEFF}\\[\\]]*$')
                        OR (lengthUTF8(user_id) <= 32 AND match(user_id, '(?i)^\\s*[(<{]*(?:-1|admin|anon|default|distinct_id|distinctid|email|lmy47d|n/a|na|nil|not_authenticated|test|unidentified|user|username|visitor|xxx|["\'\\s\\p{Z}\\x{FEFF}\\[\\]]*(?:undefined|null|none|nan|true|false|object \\w*|anonymous|guest|unknown|(?:user|anonymous)?[_-]?id|[-0.]*)["\'\\s\\p{Z}\\x{FEFF}\\[\\]]*)[)>}]*\\s*$')) AS is_shared
                FROM slotstream.identifications
                WHERE is_shared
                    OR bitShiftLeft(sipHash64(site_id, anonymous_id), 1) IN (SELECT crowd FROM crowds)
                    OR bitOr(bitShiftLeft(sipHash64(site_id, user_id), 1), 1) IN (SELECT crowd FROM crowds)
                GROUP BY site_id, anonymous_id, user_id
            )
            ARRAY JOIN [(anonymous_id, false, user_id), (user_id, true, anonymous_id)] AS side
        )
        GROUP BY site_id, id, is_user
    )
    ARRAY JOIN all_held AS held
)
WHERE (site_id, anonymous_id, user_id) NOT IN (SELECT site_id, anonymous_id, user_id FROM decided)
GROUP BY site_id, anonymous_id, user_id;

-- As in 0015, with what guards hold.
DROP TABLE IF EXISTS slotstream.identities;

CREATE VIEW IF NOT EXISTS slotstream.identities AS
SELECT
    known.site_id AS site_id,
    known.anonymous_id AS anonymous_id,
    known.user_id AS user_id,
    known.first_seen AS first_seen,
    known.last_seen AS last_seen,
    known.how AS how,
    multiIf(decided.latest.1 != '', decided.latest.1, held.cause != '', 'held', 'joined') AS state,
    decided.latest.2 AS merge_id,
    if(decided.latest.1 != '', decided.latest.3, held.cause) AS cause
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
ON known.site_id = decided.site_id AND known.anonymous_id = decided.anonymous_id AND known.user_id = decided.user_id
LEFT ANY JOIN slotstream.held_links AS held
ON known.site_id = held.site_id AND known.anonymous_id = held.anonymous_id AND known.user_id = held.user_id;

-- As in 0040, with what guards hold, and of each browser the users who are kept apart from it: what was done there under their
-- ids is the browser's, and no other user's.
DROP TABLE IF EXISTS slotstream.browser_users;

CREATE VIEW IF NOT EXISTS slotstream.browser_users AS
WITH
    known AS (SELECT site_id, anonymous_id, user_id FROM slotstream.identifications GROUP BY site_id, anonymous_id, user_id),
    apart AS
    (
        SELECT site_id, anonymous_id, user_id FROM slotstream.identity_decisions GROUP BY site_id, anonymous_id, user_id
        HAVING argMax(toString(state), (decided_at, stream_seq, batch_index)) NOT IN ('', 'joined')
        UNION ALL
        SELECT site_id, anonymous_id, user_id FROM slotstream.held_links
    ),
    arrayFilter(turn -> NOT has(users.apart, turn.5), shared.said) AS own,
    arrayFilter(
        (turn, before, after) -> NOT (turn.4 = before.4 AND turn.5 = before.5 AND turn.4 = after.4 AND turn.5 = after.5),
        own, arrayShiftRight(own, 1), arrayShiftLeft(own, 1)) AS ends
SELECT
    users.site_id AS site_id,
    users.anonymous_id AS anonymous_id,
    users.user_id AS user_id,
    users.is_user AS is_user,
    if(length(ends) > 200, [], ends) AS turns,
    multiIf(user_id != '', user_id, notEmpty(turns), '', is_user, concat('visitor:', anonymous_id), '') AS person_id,
    users.apart AS apart,
    if(empty(apart), '', if(is_user, concat('visitor:', anonymous_id), anonymous_id)) AS alone
FROM
(
    SELECT
        site_id,
        about.1 AS anonymous_id,
        if(countIf(about.3 = 'joined') = 1, maxIf(about.2, about.3 = 'joined'), '') AS user_id,
        max(about.3 = 'user') AS is_user,
        groupArrayIf(about.2, about.3 = 'apart') AS apart
    FROM
    (
        SELECT
            site_id,
            arrayJoin([
                (anonymous_id, user_id, if((site_id, anonymous_id, user_id) IN (SELECT site_id, anonymous_id, user_id FROM apart), 'apart', 'joined')),
                (user_id, '', 'user')]) AS about
        FROM known
    )
    GROUP BY site_id, anonymous_id
) AS users
LEFT ANY JOIN
(
    SELECT
        said.site_id AS site_id, said.anonymous_id AS anonymous_id,
        arraySort(groupArray((said.timestamp, said.stream_seq, said.batch_index, said.session_id, said.user_id))) AS said
    FROM slotstream.identifications AS said
    INNER JOIN (SELECT site_id, anonymous_id FROM known GROUP BY site_id, anonymous_id HAVING count() > 1) AS several
    ON said.site_id = several.site_id AND said.anonymous_id = several.anonymous_id
    GROUP BY said.site_id, said.anonymous_id
) AS shared
ON users.site_id = shared.site_id AND users.anonymous_id = shared.anonymous_id;

-- As in 0040, with them.
DROP TABLE IF EXISTS slotstream.person_events;

CREATE VIEW IF NOT EXISTS slotstream.person_events AS
SELECT
    events.*,
    multiIf(
        events.user_id != '' AND events.sender != 'unsigned' AND NOT has(browsers.apart, events.user_id), events.user_id,
        events.user_id != '' AND events.sender != 'unsigned', browsers.alone,
        browsers.person_id != '', browsers.person_id,
        notEmpty(browsers.turns), coalesce(
            nullIf(arrayFirst(turn -> turn.4 = events.session_id AND (turn.1, turn.2, turn.3) > (events.timestamp, events.stream_seq, events.batch_index) AND turn.4 != '', browsers.turns).5, ''),
            nullIf(arrayLast(turn -> (turn.1, turn.2, turn.3) < (events.timestamp, events.stream_seq, events.batch_index), browsers.turns).5, ''),
            browsers.turns[1].5),
        events.anonymous_id) AS person_id
FROM slotstream.events AS events
LEFT ANY JOIN slotstream.browser_users AS browsers
ON events.site_id = browsers.site_id AND events.anonymous_id = browsers.anonymous_id;

-- As in 0043, with them.
DROP TABLE IF EXISTS slotstream.sessions;

CREATE VIEW IF NOT EXISTS slotstream.sessions AS
WITH
    arraySort(sold -> (isNull(sold.4), sold.2, sold.3), facts.orders) AS sales,
    arrayFilter((sold, nth) -> indexOf(arrayMap(each -> each.1, sales), sold.1) = nth, sales, arrayEnumerate(sales)) AS once,
    arrayFilter(sold -> isNotNull(sold.4), once) AS paid
SELECT
    facts.site_id AS site_id,
    facts.session_id AS session_id,
    facts.anonymous_id AS anonymous_id,
    facts.latest_user.4 AS user_id,
    multiIf(
        facts.latest_user.4 != '' AND NOT has(browsers.apart, facts.latest_user.4), facts.latest_user.4,
        facts.latest_user.4 != '', browsers.alone,
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
        empty(paid) OR length(arrayDistinct(arrayMap(sold -> sold.5, arrayFilter(sold -> sold.4 != 0, paid)))) > 1, NULL,
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

-- As in 0040, with them.
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
        views.user_id != '' AND views.sender != 'unsigned' AND NOT has(browsers.apart, views.user_id), views.user_id,
        views.user_id != '' AND views.sender != 'unsigned', browsers.alone,
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
