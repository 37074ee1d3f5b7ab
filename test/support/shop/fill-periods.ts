/** The week that is asked for, of the sixty days that are filled. */
export const PERIOD = { from: '2026-04-06', to: '2026-04-13' }

const EVENTS = 240_000
const COLUMNS = `(site_id, message_id, type, event, anonymous_id, user_id, sender, session_id, page_view_id, timestamp,
  original_timestamp, received_at, page_url, page_path, previous_id, properties, stream_seq, batch_index)`

/** A text that looks like a UUIDv7 of a time, the same for the same number. */
function timedId(number: string, milliseconds: string): string {
  const time = `lower(leftPad(hex(toUInt64(${milliseconds})), 16, '0'))`
  const rest = `leftPad(lower(hex(toUInt64(${number}))), 12, '0')`
  return `concat(substring(${time}, 5, 8), '-', substring(${time}, 13, 4), '-7000-8000-', ${rest})`
}

/** Statements that fill sixty days, from 1 March 2026, of two sites: `timed`, as the SDK sends, and `sessionless`. */
export const FILL_PERIODS = ['timed', 'sessionless'].map(
  siteId => `
INSERT INTO slotstream.events ${COLUMNS}
WITH
  intDiv(number, 12) AS visit, number % 12 AS step,
  toUnixTimestamp64Milli(toDateTime64('2026-03-01 00:00:00', 3, 'UTC')) + visit * ${Math.round((60 * 86_400_000 * 12) / EVENTS)} AS begun,
  fromUnixTimestamp64Milli(begun + step * 30000, 'UTC') AS at
SELECT '${siteId}', concat('m', toString(number)), if(step % 3 = 0, 'page', 'track'), ['', 'Page Engaged', 'Web Vital'][1 + step % 3],
  concat('v', toString(cityHash64(visit) % 500)), '', 'public', ${siteId === 'timed' ? timedId('visit', 'begun') : "''"},
  ${timedId('intDiv(number, 3)', 'begun + intDiv(step, 3) * 90000')}, at, at, at, 'https://a.example/p', '/p', '',
  if(step % 3 = 1, '{"activeMs":500,"scrollDepth":0.5}', '{}'), number + 1, 0
FROM numbers(${EVENTS})
SETTINGS max_insert_block_size = ${EVENTS}, min_insert_block_size_rows = ${EVENTS}`,
)

const GHOSTS = 120_000

/**
 * Statements that fill the same days with decisions of the site `held`, all of them ghosts, a tenth of which are
 * clicked.
 */
export const FILL_GHOSTS = [
  `INSERT INTO slotstream.decisions (site_id, decision_id, timestamp, slot_id, anonymous_id, person, outcome, holdout, ghost, experiment, arm, stream_seq)
WITH toUnixTimestamp64Milli(toDateTime64('2026-03-01 00:00:00', 3, 'UTC')) + number * ${Math.round((60 * 86_400_000) / GHOSTS)} AS at
SELECT 'held', ${timedId('number', 'at')}, fromUnixTimestamp64Milli(at, 'UTC'), 'hero', concat('v', toString(number)), concat('v', toString(number)),
  'holdout', true, ['a'], '', '', number + 1
FROM numbers(${GHOSTS})
SETTINGS max_insert_block_size = ${GHOSTS}, min_insert_block_size_rows = ${GHOSTS}`,
  `INSERT INTO slotstream.events (site_id, message_id, type, event, anonymous_id, timestamp, original_timestamp, decision_id, stream_seq)
SELECT site_id, concat('click ', decision_id), 'track', 'Slot Clicked', anonymous_id, timestamp + 5, timestamp + 5, decision_id, stream_seq
FROM slotstream.decisions WHERE site_id = 'held' AND stream_seq % 10 = 0`,
  `INSERT INTO slotstream.events (site_id, message_id, type, event, anonymous_id, timestamp, original_timestamp, decision_id, stream_seq)
SELECT site_id, concat('view ', decision_id), 'track', 'Slot Viewed', anonymous_id, timestamp + 1, timestamp + 1, decision_id, stream_seq
FROM slotstream.decisions WHERE site_id = 'held'`,
]

/** Messages of one insert, and inserts of `FILL_TROUBLE`. */
const TROUBLE = 1_500
const INSERTS = 4

/**
 * Statements that fill six days of the site `trouble` with what makes sessions hard, in no order of time: pauses of
 * about half an hour, days without a pause, sessions that go on for days, ids that tell a wrong time or none, two
 * messages of one page view, reports that name another session, and numbers that are none.
 */
export const FILL_TROUBLE = Array.from(
  { length: INSERTS },
  (_, insert) => `
INSERT INTO slotstream.events ${COLUMNS}
WITH
  number * ${INSERTS} + ${insert} AS n,
  cityHash64(n, 'visitor') % 12 AS visitor,
  cityHash64(n, 'kind') % 20 AS kind,
  toUnixTimestamp64Milli(toDateTime64('2026-03-01 00:00:00', 3, 'UTC')) AS first,
  -- The first visitors never pause; others come now and then.
  first + if(visitor < 3, cityHash64(n, 'at') % 518400000,
    (cityHash64(n, visitor, 'day') % 36) * 14400000 + intDiv(cityHash64(n, 'at') % 6, 2) * 1800000 + cityHash64(n, 'ms') % 1200 - 600) AS ms,
  fromUnixTimestamp64Milli(ms, 'UTC') AS at,
  intDiv(ms - first, 14400000) AS stretch,
  cityHash64(visitor, stretch, cityHash64(n, 'view') % 4) % 100000 AS view
SELECT
  'trouble', concat('t', toString(n)),
  multiIf(kind < 8, 'page', kind = 8, 'screen', kind = 9, 'alias', 'track'),
  multiIf(kind < 10, '', kind < 15, 'Page Engaged', kind < 17, 'Order Completed', 'Product Viewed'),
  multiIf(visitor = 4, 'user:four', visitor = 5, 'visitor:five', visitor = 6 AND kind = 19, '', concat('v', toString(visitor))),
  if(cityHash64(n, 'user') % 4 = 0, concat('u', toString(cityHash64(n, 'who') % 3)), ''),
  ['public', 'public', 'unsigned'][1 + cityHash64(n, 'sender') % 3],
  multiIf(visitor % 2 = 0, '', visitor = 1, 'for-days', visitor = 3, concat('s', toString(stretch)), kind = 11, '',
    ${timedId('visitor * 1000 + stretch', 'first + stretch * 14400000 + if(visitor = 7, 300000000, 0)')}),
  multiIf(view % 5 = 0, '', view % 5 = 1, concat('view-', toString(view)), ${timedId('view', 'first + stretch * 14400000')}),
  at, at, at + toIntervalSecond(cityHash64(n, 'late') % 100000), concat('https://a.example/', toString(kind), '?a=1'), concat('/', toString(kind)),
  if(kind = 9, concat('v', toString(cityHash64(n, 'before') % 12)), ''),
  multiIf(kind < 14, concat('{"activeMs":', toString(1 + cityHash64(n, 'ms') % 64), '000,"scrollDepth":0.5}'),
    kind = 14, '{"activeMs":"NaN","scrollDepth":"Infinity"}',
    kind < 17, concat('{"order_id":"o', toString(view % 50), '","revenue":', toString(cityHash64(n) % 90), '}'), '{}'),
  intDiv(n, 3) + 1, n % 3
FROM numbers(${TROUBLE})`,
)
