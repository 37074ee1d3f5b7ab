import { SITE } from '../support/servers/system.js'

/** Days that the events lie in, events of a session, and sessions of a visitor on average. */
const DAYS = 60
const EVENTS_A_SESSION = 12
const SESSIONS_A_VISITOR = 5

/** Events of one insert. */
const BLOCK = 200_000

/**
 * Statements that fill `events` with what visitors of a shop did, made by the engine itself: sessions that begin evenly
 * over two months and overlap, ids as random as real ones, the context that a browser sends.
 */
export function fillStatements(events: number): string[] {
  const statements: string[] = []
  for (let from = 0; from < events; from += BLOCK)
    statements.push(fill(from, Math.min(BLOCK, events - from), events / EVENTS_A_SESSION))
  return statements
}

function fill(from: number, count: number, sessions: number): string {
  const visitors = Math.max(1, Math.round(sessions / SESSIONS_A_VISITOR))
  return `
INSERT INTO slotstream.events (
  site_id, message_id, type, event, anonymous_id, user_id, session_id, page_view_id, timestamp, original_timestamp, sent_at,
  received_at, page_url, page_path, referrer, title, slot_id, content_id, properties, context, stream_seq, batch_index)
WITH
  number AS n,
  intDiv(n, ${EVENTS_A_SESSION}) AS session,
  n % ${EVENTS_A_SESSION} AS step,
  cityHash64(session) % ${visitors} AS visitor,
  cityHash64(n, 'deed') % 100 AS roll,
  multiIf(step = 0 OR roll < 15, 'page', roll < 45, 'Product Viewed', roll < 65, 'Page Engaged', roll < 82, 'Slot Viewed',
    roll < 86, 'Slot Clicked', roll < 95, 'Product Added', 'Order Completed') AS deed,
  toUnixTimestamp(now() - INTERVAL ${DAYS} DAY) * 1000 AS begun,
  fromUnixTimestamp64Milli(begun, 'UTC') + toIntervalMillisecond(intDiv(session * ${DAYS * 86_400_000}, ${sessions})
    + step * 30000 + cityHash64(n) % 20000) AS at,
  at + toIntervalMillisecond(200 + cityHash64(n, 'sent') % 3000) AS received,
  concat('sku-', toString(cityHash64(n, 'sku') % 20000)) AS product,
  ['camping', 'kitchen', 'garden', 'running', 'travel', 'tools', 'lighting', 'climbing'][1 + cityHash64(n, 'sku') % 8] AS category,
  concat('/', category, '/', product) AS path,
  concat('https://shop.example', path) AS url,
  concat(product, ' for ', category, ': buy online at Example Shop') AS page_title,
  ${timedIdOf('session', `begun + intDiv(session * ${DAYS * 86_400_000}, ${sessions})`)} AS session_uuid,
  ${idOf('intDiv(n, 3)')} AS view_uuid,
  if(startsWith(deed, 'Slot'), concat('content-', toString(cityHash64(n, 'content') % 40)), '') AS content
SELECT
  '${SITE}', toString(generateUUIDv4(n)), if(deed = 'page', 'page', 'track'), if(deed = 'page', '', deed),
  ${idOf('visitor')}, if(visitor % 3 = 0 AND step >= 6, concat('user-', toString(visitor)), ''), session_uuid, view_uuid, at, at, received, received,
  url, path, concat('https://shop.example/', category), page_title, if(content = '', '', 'hero'), content,
  multiIf(
    deed = 'page', '{"name":"Product"}',
    deed = 'Page Engaged', concat('{"activeMs":', toString(cityHash64(n, 'active') % 15000), ',"scrollDepth":0.', toString(roll), '}'),
    content != '', concat('{"slotId":"hero","contentId":"', content, '","position":1}'),
    concat('{"product_id":"', product, '","category":"', category, '","price":', toString(4 + cityHash64(product) % 300), ',"currency":"EUR"}')),
  concat('{"library":{"name":"slotstream","version":"0.1.0"},"page":{"url":"', url, '","path":"', path,
    '","referrer":"https://shop.example/', category, '","search":"","title":"', page_title,
    '"},"userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/', toString(120 + session % 7),
    '.0.0.0 Safari/537.36","locale":"', ['en-GB', 'de-DE', 'fr-FR'][1 + session % 3], '","sessionId":"', session_uuid,
    '","pageViewId":"', view_uuid, '","seq":', toString(step + 1), '}'),
  session + 1, step
FROM numbers(${from}, ${count})`
}

/** A text that looks like a UUIDv7, as the SDK makes them, and is the same for the same number and time. */
function timedIdOf(number: string, milliseconds: string): string {
  const random = `lower(hex(sipHash128(${number}, 'id')))`
  const time = `lower(leftPad(hex(${milliseconds}), 16, '0'))`
  return (
    `concat(substring(${time}, 5, 8), '-', substring(${time}, 13, 4), '-7', substring(${random}, 1, 3), '-8', ` +
    `substring(${random}, 4, 3), '-', substring(${random}, 7, 12))`
  )
}

/** A text that looks like a random UUID and is the same for the same number. */
function idOf(number: string): string {
  return `toString(reinterpretAsUUID(sipHash128(${number}, 'id')))`
}
