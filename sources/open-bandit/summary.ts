import type { ReplaySummary } from './replay.js'

/** Describes a replay at its end: what was sent, and the SQL that finds it. */
export function describeReplay({ impressions, clicks, contents }: ReplaySummary, siteId: string): string {
  const site = `'${siteId}'`
  return `Sent ${impressions} decisions, ${impressions} impressions and ${clicks} clicks of ${contents} items to the site ${siteId}.
The warehouse has them a moment later. To check:

  SELECT count() FROM slotstream.decisions WHERE site_id = ${site};
  -- ${impressions}

  SELECT event, count() FROM slotstream.events WHERE site_id = ${site} GROUP BY event;
  -- Slot Viewed ${impressions}, Slot Clicked ${clicks}

  SELECT content_id, position, countIf(viewed) AS impressions, countIf(clicked) AS clicks, avg(propensity) AS propensity
  FROM slotstream.decision_rewards WHERE site_id = ${site}
  GROUP BY content_id, position ORDER BY content_id, position;
`
}
