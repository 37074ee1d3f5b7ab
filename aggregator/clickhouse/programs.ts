import { CLICK_EVENTS, ENDLESS, RATE } from '@slotstream/core'

/** A visit: a session, or half an hour of messages that name none. */
const VISIT = `if(session_id = '', toString(toStartOfInterval(timestamp, INTERVAL 30 MINUTE)), session_id)`

const CLICKS = CLICK_EVENTS.map(event => `'${event}'`).join(', ')

/**
 * Writes the query of the browsers of site `{site:String}` that say they are a crawler, or one of whose visits is none of a person,
 * by the rules `rate` and `endless` of `suspicionOf`. Only those with many pages are looked at visit by visit.
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
      countIf(type IN ('page', 'screen')) AS pages,
      dateDiff('millisecond', min(timestamp), max(timestamp)) AS ms,
      countIf(type = 'track' AND (event IN (${CLICKS})
        OR event = 'Page Engaged' AND ifNull(toFloat64OrNull(toString(properties.activeMs)), 0) > 0)) > 0 AS engaged
    FROM slotstream.events
    WHERE site_id = {site:String} AND ${messages} AND anonymous_id IN (
      SELECT anonymous_id FROM slotstream.events
      WHERE site_id = {site:String} AND anonymous_id != '' AND type IN ('page', 'screen')
        AND ${messages}
      GROUP BY anonymous_id HAVING count() >= ${Math.min(RATE.pages, ENDLESS.pages)})
    GROUP BY anonymous_id, visit
    HAVING (pages >= ${RATE.pages} AND ms < pages * if(engaged, ${RATE.pageMs}, ${RATE.pageMsUnengaged}))
      OR (pages >= ${ENDLESS.pages} AND ms >= ${ENDLESS.ms} AND NOT engaged)
  )
)`
}
