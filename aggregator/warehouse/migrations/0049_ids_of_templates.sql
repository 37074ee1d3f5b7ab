-- As in 0044, with ids that are templates with nothing filled in, and names beside a value that is not there.
DROP TABLE IF EXISTS slotstream.held_links;

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
                        OR match(user_id, '\\{\\{[^{}]*\\}\\}|\\{%[^{}]*%\\}|[$#%@]\\{[^{}]*\\}|\\{![^{}]*\\}|<[%?][^<]*[%?]>|\\[[\\[%][^\\[\\]]*[\\]%]\\]|\\*\\|[^|]*\\|\\*|^[\\s\\p{Z}\\x{FEFF}]*(?:%+[\\w.-]+%+|__(?:[A-Z]+_)*(?:U?U?ID|USER|NAME|EMAIL)__)[\\s\\p{Z}\\x{FEFF}]*$')
                        OR (lengthUTF8(user_id) <= 32 AND match(user_id, '(?i)^\\s*(?:[\\[(<{$#%@:*|!]|__)*(?:-1|admin|anon|default|distinct_id|distinctid|email|lmy47d|n/a|na|nil|not_authenticated|test|unidentified|user|username|visitor|xxx|(?:user|customer|member|visitor|client|account|u?id)?[-_:. ]*(?:undefined|null|nan)(?:[-_:. ]*(?:undefined|null|nan))*|["\'\\s\\p{Z}\\x{FEFF}\\[\\]]*(?:undefined|null|none|nan|true|false|object \\w*|anonymous|guest|unknown|(?:user|anonymous)?[_-]?id|[-0.]*)["\'\\s\\p{Z}\\x{FEFF}\\[\\]]*)(?:[\\])>}%*|]|__)*\\s*$')) AS is_shared
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
