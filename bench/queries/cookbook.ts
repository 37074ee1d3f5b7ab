import { SITE } from '../support/servers/system.js'

const MONTH = `site_id = '${SITE}' AND timestamp > now() - INTERVAL 30 DAY`

/** Queries of analysts, as docs/sql.md has them, and those of the loader of the table. */
export const QUERIES: Record<string, string> = {
  'daily actives': `
    SELECT toDate(timestamp) AS day, uniq(anonymous_id) AS visitors, uniq(session_id) AS sessions,
      countIf(type = 'page') AS page_views
    FROM slotstream.events WHERE ${MONTH} GROUP BY day ORDER BY day`,
  funnel: `
    SELECT level, count() AS visitors
    FROM
    (
      SELECT anonymous_id, windowFunnel(86400)(toDateTime(timestamp),
        event = 'Product Viewed', event = 'Product Added', event = 'Order Completed') AS level
      FROM slotstream.events WHERE ${MONTH} GROUP BY anonymous_id
    )
    GROUP BY level ORDER BY level`,
  'one event, a week': `
    SELECT properties.category::String AS category, count() AS views, uniq(anonymous_id) AS visitors
    FROM slotstream.events
    WHERE event = 'Product Viewed' AND timestamp > now() - INTERVAL 7 DAY
    GROUP BY category ORDER BY views DESC`,
  'top content': `
    SELECT content_id, countIf(event = 'Slot Viewed') AS seen, countIf(event = 'Slot Clicked') AS clicked
    FROM slotstream.events
    WHERE ${MONTH} AND event IN ('Slot Viewed', 'Slot Clicked') GROUP BY content_id ORDER BY seen DESC LIMIT 10`,
  retention: `
    SELECT cohort, dateDiff('week', cohort, week) AS weeks_later, count() AS visitors
    FROM
    (
      SELECT anonymous_id, toMonday(timestamp) AS week, min(week) OVER (PARTITION BY anonymous_id) AS cohort
      FROM slotstream.events WHERE site_id = '${SITE}' AND timestamp > now() - INTERVAL 8 WEEK
      GROUP BY anonymous_id, week
    )
    GROUP BY cohort, weeks_later ORDER BY cohort, weeks_later`,
  sessions: `
    SELECT quantiles(0.5, 0.9)(duration_s) AS durations, avg(page_views) AS views_per_session
    FROM slotstream.sessions WHERE started_at > now() - INTERVAL 7 DAY`,
  'one visitor': `
    SELECT timestamp, type, event, page_path, slot_id, content_id, toString(properties) AS properties
    FROM slotstream.events
    WHERE anonymous_id = (SELECT anonymous_id FROM slotstream.chosen LIMIT 1) ORDER BY timestamp`,
  "loader's look-up": `
    SELECT message_id FROM slotstream.events
    WHERE site_id = '${SITE}' AND (original_timestamp, message_id) IN (SELECT original_timestamp, message_id FROM slotstream.chosen)`,
}
