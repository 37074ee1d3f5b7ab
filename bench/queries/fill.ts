import { SITE } from '../support/servers/system.js'

/** Days that the events lie in, events of a session, and sessions of a visitor on average. */
const DAYS = 60
const EVENTS_A_SESSION = 12
const SESSIONS_A_VISITOR = 5

/**
 * Sessions whose pages, products and contexts are made from texts; later ones repeat them under ids and times of their
 * own.
 */
const PATTERN_SESSIONS = 16_384

/** Sessions of one insert. */
const BLOCK_SESSIONS = 10 * PATTERN_SESSIONS

/** Events of a site beside the first, at most: what they show does not need more. */
const MAX_OF_OTHERS = 1_000_000

/** Kinds of ids that clients give sessions: ids that ascend with time, as the SDK makes them, random ones, or none. */
export type SessionIds = 'ascending' | 'random' | 'none'

/** A site of the bench and how much of it there is. */
export interface FilledSite {
  siteId: string
  ids: SessionIds
  events: number
}

/**
 * Returns the sites of a bench: the one that most is asked of, and smaller ones whose clients name sessions otherwise.
 */
export function filledSites(events: number): FilledSite[] {
  const few = Math.max(EVENTS_A_SESSION, Math.min(MAX_OF_OTHERS, Math.round(events / 10)))
  return [
    { siteId: SITE, ids: 'ascending', events },
    { siteId: `${SITE}-random`, ids: 'random', events: few },
    { siteId: `${SITE}-none`, ids: 'none', events: few },
  ]
}

/**
 * Statements that fill `events` and `decisions` with what visitors of a shop did, made by the engine itself: sessions
 * that begin evenly over two months and overlap, ids as random as real ones, the context that a browser sends. JSON is
 * parsed once and then copied, which halves the time. Each takes memory for two million events.
 *
 * @param begun when the first session begins, in milliseconds since the epoch
 */
export function* fillStatements(site: FilledSite, begun: number): Generator<string> {
  const sessions = Math.ceil(site.events / EVENTS_A_SESSION)
  // In the types of the table itself: JSON of another type is parsed anew with every row.
  yield `CREATE OR REPLACE TABLE slotstream.pattern ENGINE = Memory EMPTY AS
SELECT made.* EXCEPT (properties_text, context_text), properties AS made_properties, context AS made_context FROM (${pattern(site)}) AS made CROSS JOIN slotstream.events`
  yield `INSERT INTO slotstream.pattern SELECT * FROM (${pattern(site)})`
  for (let from = 0; from < sessions; from += BLOCK_SESSIONS) {
    const to = Math.min(from + BLOCK_SESSIONS, sessions)
    yield fill(site, begun, from, to)
    yield decide(site, begun, from, to)
  }
  yield 'DROP TABLE slotstream.pattern'
}

/** Returns the time at which the sites of a bench begin that ends now, in milliseconds since the epoch. */
export const beginning = (now: number) => Math.floor(now / 1000) * 1000 - DAYS * 86_400_000

/** Returns the columns that events and decisions have in common: expressions of the number of a session. */
function common({ events }: FilledSite, begun: number): string {
  const sessions = events / EVENTS_A_SESSION
  const visitors = Math.max(1, Math.round(sessions / SESSIONS_A_VISITOR))
  return `
  cityHash64(session) % ${visitors} AS visitor,
  ${begun} + intDiv(session * ${DAYS * 86_400_000}, ${sessions}) AS session_begun,
  ${timedIdOf('session', 'session_begun', 'decision')} AS decision,
  ${CHOSEN} AS chosen`
}

/** Content that is shown to a session: an expression of its number. */
const CHOSEN = `if(cityHash64(session % ${PATTERN_SESSIONS}, 'group') % 20 = 0, '',
    concat('content-', toString(cityHash64(session % ${PATTERN_SESSIONS}, 'content') % 40)))`

/** Returns the columns of events apart from sender and time. */
function pattern({ ids }: FilledSite): string {
  return `
WITH
  number AS n,
  ${CHOSEN} AS chosen,
  ['camping', 'kitchen', 'garden', 'running', 'travel', 'tools', 'lighting', 'climbing'][1 + cityHash64(n, 'sku') % 8] AS category,
  concat('https://shop.example', path) AS url,
  ${ids === 'none' ? "''" : timedIdOf('session', '1700000000000 + session', 'session')} AS session_uuid,
  ${timedIdOf('intDiv(n, 3)', '1700000000000 + n', 'view')} AS view_uuid
SELECT
  intDiv(n, ${EVENTS_A_SESSION}) AS session,
  n % ${EVENTS_A_SESSION} AS step,
  cityHash64(n, 'deed') % 1000 AS roll,
  multiIf(step = 0 OR roll < 150, 'page', roll < 450, 'Product Viewed', roll < 620, 'Page Engaged', roll < 680, 'Web Vital',
    roll < 850, 'Slot Viewed', roll < 880, 'Slot Clicked', roll < 990, 'Product Added', 'Order Completed') AS deed,
  startsWith(deed, 'Slot') AS is_slot,
  step * 30000 + cityHash64(n) % 20000 AS after_ms,
  200 + cityHash64(n, 'sent') % 3000 AS travel_ms,
  concat('sku-', toString(cityHash64(n, 'sku') % 20000)) AS product,
  concat('/', category, '/', product) AS path,
  concat('https://shop.example/', category) AS before,
  concat(product, ' for ', category, ': buy online at Example Shop') AS page_title,
  toString(4 + cityHash64(product) % 300) AS price,
  multiIf(
    deed = 'page', '{"name":"Product"}',
    deed = 'Page Engaged', concat('{"activeMs":', toString(cityHash64(n, 'active') % 15000), ',"scrollDepth":0.', toString(roll), '}'),
    deed = 'Web Vital', concat('{"name":"LCP","value":', toString(cityHash64(n, 'vital') % 5000), ',"rating":"good"}'),
    is_slot, concat('{"slotId":"hero","contentId":"', chosen, '","position":1}'),
    concat('{"product_id":"', product, '","category":"', category, '","price":', price, ',"currency":"EUR"}')) AS properties_text,
  concat('{"library":{"name":"slotstream","version":"0.1.0"},"page":{"url":"', url, '","path":"', path,
    '","referrer":"', before, '","search":"","title":"', page_title,
    '"},"userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/', toString(120 + session % 7),
    '.0.0.0 Safari/537.36","locale":"', ['en-GB', 'de-DE', 'fr-FR'][1 + session % 3], '","traffic":{"channel":"',
    ['direct', 'search', 'email', 'paid'][1 + session % 4], '"},"sessionId":"', session_uuid,
    '","pageViewId":"', view_uuid, '","seq":', toString(step + 1), '}') AS context_text
FROM numbers(${PATTERN_SESSIONS * EVENTS_A_SESSION})`
}

/** Events of some sessions. Orders have ids of their own, so their JSON is created for each. */
function fill(site: FilledSite, begun: number, from: number, to: number): string {
  const sessionId = {
    ascending: timedIdOf('session', 'session_begun', 'session'),
    random: idOf('session'),
    none: "''",
  }[site.ids]
  return `
INSERT INTO slotstream.events (
  site_id, message_id, type, event, anonymous_id, user_id, session_id, page_view_id, timestamp, original_timestamp, sent_at,
  received_at, page_url, page_path, referrer, title, slot_id, content_id, decision_id, properties, context, stream_seq, batch_index)
SETTINGS ${IN_LARGE_BLOCKS}
WITH
  session * ${EVENTS_A_SESSION} + step AS n,${common(site, begun)},
  fromUnixTimestamp64Milli(session_begun, 'UTC') + toIntervalMillisecond(after_ms) AS at,
  at + toIntervalMillisecond(travel_ms) AS received
SELECT
  '${site.siteId}', toString(generateUUIDv4(n)), if(deed = 'page', 'page', 'track'), if(deed = 'page', '', deed),
  ${idOf('visitor')}, if(visitor % 3 = 0 AND step >= 6, concat('user-', toString(visitor)), ''), ${sessionId},
  ${timedIdOf('intDiv(n, 3)', 'session_begun + intDiv(step, 3) * 90000', 'view')}, at, at, received, received,
  concat('https://shop.example', path), path, before, page_title, if(is_slot, 'hero', ''), if(is_slot, chosen, ''),
  if(is_slot, decision, ''),
  if(deed = 'Order Completed',
    CAST(concat('{"order_id":"o-', toString(n), '","revenue":', price, ',"currency":"EUR","products":[{"product_id":"', product,
      '","price":', price, ',"quantity":1}]}'), 'JSON(max_dynamic_paths = 256)'),
    made_properties),
  made_context, session + 1, step
FROM
(
  SELECT * EXCEPT session, session + ${PATTERN_SESSIONS} * round AS session
  FROM slotstream.pattern
  ARRAY JOIN range(${Math.floor(from / PATTERN_SESSIONS)}, ${Math.ceil(to / PATTERN_SESSIONS)}) AS round
)
WHERE n < ${Math.min(to * EVENTS_A_SESSION, site.events)}`
}

/** Or each block that the engine reads would be a part of its own, to be merged. */
const IN_LARGE_BLOCKS = 'min_insert_block_size_rows = 900000, min_insert_block_size_bytes = 0, max_insert_threads = 2'

/** Returns one decision of a session, made when it begins. */
function decide(site: FilledSite, begun: number, from: number, to: number): string {
  return `
INSERT INTO slotstream.decisions (
  site_id, decision_id, timestamp, slot_id, anonymous_id, policy, content_ids, propensities, position, outcome, holdout,
  received_at, stream_seq, batch_index)
WITH
  number AS session,${common(site, begun)},
  fromUnixTimestamp64Milli(session_begun, 'UTC') AS at
SELECT '${site.siteId}', decision, at, 'hero', ${idOf('visitor')}, 'affinity', if(chosen = '', [], [chosen]), if(chosen = '', [], [0.2]), 1,
  if(chosen = '', 'holdout', 'served'), chosen = '', at, session + 1, 0
FROM numbers(${from}, ${to - from})`
}

/**
 * Returns a text that looks like a UUIDv7, as the SDK makes them, and is the same for the same number, time and kind.
 */
function timedIdOf(number: string, milliseconds: string, kind: string): string {
  const random = `lower(hex(sipHash128(${number}, '${kind}')))`
  const time = `lower(leftPad(hex(toUInt64(${milliseconds})), 16, '0'))`
  return (
    `concat(substring(${time}, 5, 8), '-', substring(${time}, 13, 4), '-7', substring(${random}, 1, 3), '-8', ` +
    `substring(${random}, 4, 3), '-', substring(${random}, 7, 12))`
  )
}

/** Returns a text that looks like a random UUID and is the same for the same number. */
function idOf(number: string): string {
  return `toString(reinterpretAsUUID(sipHash128(${number}, 'id')))`
}
