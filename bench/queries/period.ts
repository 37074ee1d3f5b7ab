/** The period that is asked for: a week of the sixty days. */
const WEEK = 'now() - INTERVAL 7 DAY'

/** Counts the messages of the period: what a query reads is compared with it. */
export const rowsOfPeriod = (siteId: string) => `
  SELECT count() AS rows FROM slotstream.events WHERE site_id = '${siteId}' AND timestamp > ${WEEK}`

/** Returns what analysts ask of a period that views answer. A view must not read all that there is for it. */
export const periodQueries = (siteId: string): Record<string, string> => ({
  'rows of sessions alone': `
    SELECT count() FROM slotstream.session_facts WHERE site_id = '${siteId}' AND started_at > ${WEEK}`,
  sessions: `
    SELECT count(), quantiles(0.5, 0.9)(duration_s), avg(page_views), countIf(page_views = 1) / count()
    FROM slotstream.sessions WHERE site_id = '${siteId}' AND started_at > ${WEEK}`,
  'sessions by channel': `
    SELECT channel, count(), uniq(person_id), countIf(is_new), sum(revenue)
    FROM slotstream.sessions WHERE site_id = '${siteId}' AND started_at > ${WEEK} GROUP BY channel`,
  'people of a week': `
    SELECT uniq(person_id) FROM slotstream.person_events WHERE site_id = '${siteId}' AND timestamp > ${WEEK}`,
  'funnel by person': `
    SELECT level, count()
    FROM
    (
      SELECT person_id, windowFunnel(86400)(toDateTime(timestamp),
        event = 'Product Viewed', event = 'Product Added', event = 'Order Completed') AS level
      FROM slotstream.person_events WHERE site_id = '${siteId}' AND timestamp > ${WEEK} GROUP BY person_id
    )
    GROUP BY level ORDER BY level`,
  'page views': `
    SELECT count(), avg(engaged_s) FROM slotstream.page_views WHERE site_id = '${siteId}' AND timestamp > ${WEEK}`,
  'events by session': `
    SELECT uniq(session_id), count() FROM slotstream.session_events WHERE site_id = '${siteId}' AND timestamp > ${WEEK}`,
  'slot performance': `
    SELECT slot_id, content_id, sum(impressions), sum(clicks), sum(orders), sum(revenue)
    FROM slotstream.slot_performance WHERE site_id = '${siteId}' AND day >= toDate(${WEEK}) GROUP BY slot_id, content_id`,
  'rewards of decisions': `
    SELECT content_id, count(), sum(reward) FROM slotstream.decision_rewards
    WHERE site_id = '${siteId}' AND timestamp > ${WEEK} GROUP BY content_id`,
  orders: `
    SELECT currency, count(), sum(net_revenue) FROM slotstream.orders
    WHERE site_id = '${siteId}' AND timestamp > ${WEEK} GROUP BY currency`,
  'products of orders': `
    SELECT product_id, sum(quantity) FROM slotstream.order_items
    WHERE site_id = '${siteId}' AND timestamp > ${WEEK} GROUP BY product_id ORDER BY 2 DESC LIMIT 10`,
  'web vitals': `
    SELECT name, quantile(0.75)(value) FROM slotstream.web_vitals
    WHERE site_id = '${siteId}' AND timestamp > ${WEEK} GROUP BY name`,
  delivery: `
    SELECT sum(captured), sum(received), sum(missing) FROM slotstream.delivery
    WHERE site_id = '${siteId}' AND last_seen > ${WEEK}`,
})
