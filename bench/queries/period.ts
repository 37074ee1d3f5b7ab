import { SITE } from '../support/servers/system.js'

/** The period that is asked for: a week of the sixty days. */
const WEEK = 'now() - INTERVAL 7 DAY'

/** Counts the messages of the period: what a query reads is compared with it. */
export const ROWS_OF_PERIOD = `
  SELECT count() AS rows FROM slotstream.events WHERE site_id = '${SITE}' AND timestamp > ${WEEK}`

/** What analysts ask of a period that views answer. A view must not read all that there is for it. */
export const PERIOD_QUERIES: Record<string, string> = {
  'rows of sessions alone': `
    SELECT count() FROM slotstream.session_facts WHERE site_id = '${SITE}' AND started_at > ${WEEK}`,
  sessions: `
    SELECT count(), quantiles(0.5, 0.9)(duration_s), avg(page_views), countIf(page_views = 1) / count()
    FROM slotstream.sessions WHERE site_id = '${SITE}' AND started_at > ${WEEK}`,
  'sessions by channel': `
    SELECT channel, count(), uniq(person_id), countIf(is_new), sum(revenue)
    FROM slotstream.sessions WHERE site_id = '${SITE}' AND started_at > ${WEEK} GROUP BY channel`,
  'people of a week': `
    SELECT uniq(person_id) FROM slotstream.person_events WHERE site_id = '${SITE}' AND timestamp > ${WEEK}`,
  'funnel by person': `
    SELECT level, count()
    FROM
    (
      SELECT person_id, windowFunnel(86400)(toDateTime(timestamp),
        event = 'Product Viewed', event = 'Product Added', event = 'Order Completed') AS level
      FROM slotstream.person_events WHERE site_id = '${SITE}' AND timestamp > ${WEEK} GROUP BY person_id
    )
    GROUP BY level ORDER BY level`,
  'page views': `
    SELECT count(), avg(engaged_s) FROM slotstream.page_views WHERE site_id = '${SITE}' AND timestamp > ${WEEK}`,
}
