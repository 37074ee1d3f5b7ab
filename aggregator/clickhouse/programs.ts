import { CLICK_EVENTS, ENDLESS, RATE, REGULAR } from '@slotstream/core'

/** A visit: a session, or half an hour of messages that name none. */
const VISIT = `if(session_id = '', toString(toStartOfInterval(timestamp, INTERVAL 30 MINUTE)), session_id)`

const CLICKS = CLICK_EVENTS.map(event => `'${event}'`).join(', ')

/** SQL conditions: a message is a page; a message is a click or activity. */
const IS_PAGE = `type IN ('page', 'screen')`
const IS_ENGAGED = `type = 'track' AND (event IN (${CLICKS})
        OR event = 'Page Engaged' AND ifNull(toFloat64OrNull(toString(properties.activeMs)), 0) > 0)`

/** Tile of a message, as `page_views_24h` counts it: one ends with its last millisecond. */
const TILE = `intDiv(toUnixTimestamp64Milli(timestamp) + ${REGULAR.tileMs - 1}, ${REGULAR.tileMs})`

/**
 * Tiles whose numbers are compared, and those with the one before them: where a row begins, it did so in the middle of
 * a tile.
 */
const COMPARED = `PARTITION BY anonymous_id ORDER BY tile ROWS BETWEEN ${REGULAR.tiles - 1} PRECEDING AND CURRENT ROW`
const WITH_ONE_BEFORE = `PARTITION BY anonymous_id ORDER BY tile ROWS BETWEEN ${REGULAR.tiles} PRECEDING AND CURRENT ROW`

/**
 * Writes the query of the browsers of site `{site:String}` that say they are a crawler, or do what no person does, by
 * the rules `rate`, `endless` and `regular` of `suspicionOf`. Only those with many pages are looked at visit by visit
 * and hour by hour.
 *
 * @param messages SQL of ours: which messages of the site are looked at, such as those of a period
 */
export function programsSql(messages: string): string {
  return `(
  SELECT anonymous_id FROM slotstream.events
  WHERE site_id = {site:String} AND anonymous_id != '' AND ${messages}
    AND isNotNull(context.bot.crawler)
  UNION DISTINCT
  SELECT DISTINCT anonymous_id FROM (
    SELECT
      anonymous_id, ${VISIT} AS visit,
      countIf(${IS_PAGE}) AS pages,
      dateDiff('millisecond', min(timestamp), max(timestamp)) AS ms,
      countIf(${IS_ENGAGED}) > 0 AS engaged
    FROM slotstream.events
    WHERE ${manyPages(messages, Math.min(RATE.pages, ENDLESS.pages))}
    GROUP BY anonymous_id, visit
    HAVING (pages >= ${RATE.pages} AND ms < pages * if(engaged, ${RATE.pageMs}, ${RATE.pageMsUnengaged}))
      OR (pages >= ${ENDLESS.pages} AND ms >= ${ENDLESS.ms} AND NOT engaged)
  )
  UNION DISTINCT
  SELECT DISTINCT anonymous_id FROM (
    SELECT
      anonymous_id, tile, pages, is_engaged,
      count() OVER (${WITH_ONE_BEFORE}) AS tiles, min(tile) OVER (${WITH_ONE_BEFORE}) AS first,
      avg(pages) OVER (${COMPARED}) AS mean, varPop(pages) OVER (${COMPARED}) AS variance
    FROM (
      SELECT anonymous_id, tile, countIf(${IS_PAGE}) AS pages,
        max(max(${IS_ENGAGED})) OVER (PARTITION BY anonymous_id) AS is_engaged
      FROM (SELECT anonymous_id, type, event, properties, ${TILE} AS tile FROM slotstream.events
        WHERE ${manyPages(messages, REGULAR.tiles * REGULAR.pages)})
      GROUP BY anonymous_id, tile
    )
    WHERE pages > 0
  )
  WHERE tiles = ${REGULAR.tiles + 1} AND tile - first = ${REGULAR.tiles} AND NOT is_engaged
    AND mean >= ${REGULAR.pages} AND variance <= ${REGULAR.dispersion} * mean
)`
}

/** Writes which messages are looked at: those of browsers with so many pages among them. */
function manyPages(messages: string, pages: number): string {
  return `site_id = {site:String} AND ${messages} AND anonymous_id IN (
      SELECT anonymous_id FROM slotstream.events
      WHERE site_id = {site:String} AND anonymous_id != '' AND ${IS_PAGE}
        AND ${messages}
      GROUP BY anonymous_id HAVING count() >= ${pages})`
}
